"""The stages of `emnist export` and `emnist models import`, shown on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emnist_cli.console.progress import make_spinner


@contextmanager
def show_stages(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield what is called with each stage, in words; shows nothing if `quiet` or where stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda stage: None
        return
    with make_spinner() as bar:
        task = bar.add_task("")
        # Drawn at once: while libraries are silenced, nothing is.
        yield lambda stage: bar.update(task, description=stage, refresh=True)
