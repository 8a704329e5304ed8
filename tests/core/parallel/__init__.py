"""Tests of emnist_cli/core/parallel."""
