"""Tests of emnist_cli/cli."""
