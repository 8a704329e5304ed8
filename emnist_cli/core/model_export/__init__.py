"""Trained models in the formats of other runtimes; training and `emnist export` use it."""
