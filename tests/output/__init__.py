"""Tests of emnist_cli/output."""
