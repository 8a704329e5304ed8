"""Measure how fast models are on this machine, for `emnist benchmark`."""
