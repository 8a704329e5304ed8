"""Tests of emnist_cli/core/model_import."""
