"""Tests of `emnist serve`."""
