"""Tests of emnist_cli/core/runtimes."""
