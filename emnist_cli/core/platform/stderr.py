"""Silence C libraries that write to stderr and have no setting against it; runtimes, Ray and training use it."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()  # two threads at it could leave the descriptor silent for good


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 nowhere for as short as possible: one thread at a time."""
    with _LOCK:
        if sys.stderr is not None:  # as in a program without a console, of pythonw on Windows
            sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:  # stderr is closed: nothing to silence
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(nowhere)
