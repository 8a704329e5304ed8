"""Tests of emnist_cli/core/files."""
