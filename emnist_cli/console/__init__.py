"""Rich tables on stdout, notes and progress on stderr, for the commands; the only package that imports rich."""
