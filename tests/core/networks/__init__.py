"""Tests of emnist_cli/core/networks."""
