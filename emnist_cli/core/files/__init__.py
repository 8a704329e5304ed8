"""Paths, globs, folders, URIs and labelled folders, found lazily; commands and the parallel driver use it."""
