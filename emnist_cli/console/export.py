"""What `emnist export` is at, on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn


@contextmanager
def show_stages(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Yield what is called with each stage, in words; shows nothing if `quiet` or where stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda stage: None
        return
    console = Console(file=sys.stderr)
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("")
        # Drawn at once: while libraries are silenced, nothing is.
        yield lambda stage: bar.update(task, description=stage, refresh=True)
