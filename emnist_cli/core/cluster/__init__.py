"""Prediction on a Ray cluster; `emnist predict --engine ray` uses it."""
