"""Tests of emnist_cli/core/platform."""
