"""Tests of emnist_cli/core/classify."""
