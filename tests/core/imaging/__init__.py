"""Tests of emnist_cli/core/imaging."""
