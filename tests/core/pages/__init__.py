"""Tests of emnist_cli/core/pages."""
