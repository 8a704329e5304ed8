"""The pool of worker processes, and the driver that reads files through it; commands and the server use it."""
