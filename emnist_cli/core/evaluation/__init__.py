"""Measure how good a model is, for `emnist evaluate` and training: figures, plots and a report.

It never imports TensorFlow.
"""
