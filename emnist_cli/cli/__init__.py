"""Command groups, shared options, shell completion and usage advice; every command uses them."""
