"""Tests of emnist_cli/core/preprocessing."""
