"""Progress on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from emnist_cli.core.records import Prediction


class _Rate(ProgressColumn):
    """Pictures a second."""

    def render(self, task: Task) -> Text:
        """Draw the rate."""
        return Text(f"{task.speed or 0:,.0f} pictures/s", style="dim")


@contextmanager
def progress(total: int) -> Iterator[Any]:
    """Show a bar on stderr; yields what is called with each prediction.

    Args:
        total: how many predictions will come.
    """
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=total)
        failed = 0

        def advance(prediction: Prediction) -> None:
            nonlocal failed
            failed += prediction.status == "error"
            bar.update(task, advance=1, description=f"reading, {failed} failed" if failed else "reading")

        yield advance


class Bars:
    """Bars on stderr for long work in stages; draws nothing where nobody looks."""

    def __init__(self, quiet: bool) -> None:
        """Decide whether to draw: not if `quiet`, nor where stderr is no terminal."""
        self._seen = not quiet and sys.stderr.isatty()

    @contextmanager
    def count(self, description: str) -> Iterator[Callable[[int, int | None], None]]:
        """Show a bar for pictures; yields what is called with how many are done, and how many there are."""
        with self._bar(description, MofNCompleteColumn(), _Rate()) as update:
            yield update

    @contextmanager
    def download(self, description: str) -> Iterator[Callable[[int, int | None], None]]:
        """Show a bar for bytes; yields what is called with how many are there, and how many there will be."""
        with self._bar(description, DownloadColumn(), TransferSpeedColumn()) as update:
            yield update

    @contextmanager
    def _bar(self, description: str, *figures: ProgressColumn) -> Iterator[Callable[[int, int | None], None]]:
        console = Console(file=sys.stderr)
        columns = (TextColumn("{task.description}"), BarColumn(), *figures, TimeRemainingColumn())
        # stdout is left alone: what libraries print there is silenced by others while a bar is drawn.
        bar = Progress(*columns, console=console, transient=True, redirect_stdout=False)
        task = bar.add_task(description, total=None)

        def update(done: int, total: int | None) -> None:
            if not self._seen:
                return
            if not bar.finished:
                bar.start()  # not before: there may be another bar until then
            bar.update(task, completed=done, total=total)
            if bar.finished:
                bar.stop()

        try:
            yield update
        finally:
            if self._seen:
                bar.stop()
