"""Tests of emnist_cli/core/artifacts."""
