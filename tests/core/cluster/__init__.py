"""Tests of emnist_cli/core/cluster."""
