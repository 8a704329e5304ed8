"""Progress bars and spinners on stderr, for the commands and the other console modules."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column
from rich.text import Text

from emnist_cli.console.style import is_plain, make_console

_EVERY = 0.1  # seconds between updates
_BAR = 30  # columns at most; less where figures need the window


def make_progress(*figures: str | ProgressColumn, disable: bool = False) -> Progress:
    """Return a bar on stderr, with what it is about before it and figures behind it; it leaves nothing behind.

    stdout is left alone: what libraries print there is silenced by others while a bar is drawn.
    """
    columns = (_words("{task.description}"), BarColumn(bar_width=None, table_column=Column(max_width=_BAR)), *figures)
    console = make_console(sys.stderr)
    return Progress(*columns, console=console, transient=True, redirect_stdout=False, disable=disable)


def make_spinner() -> Progress:
    """Return what shows on stderr, for work of unknown length, that something is done, and what."""
    console = make_console(sys.stderr)
    spinner = SpinnerColumn("line" if is_plain(console) else "dots")
    return Progress(spinner, _words("{task.description}"), console=console, transient=True, redirect_stdout=False)


def _words(form: str) -> TextColumn:
    return TextColumn(form, markup=False)


class Count(ProgressColumn):
    """How many of how many are done."""

    def __init__(self) -> None:
        """Keep it on one line in the narrowest window."""
        super().__init__(Column(no_wrap=True, justify="right"))

    def render(self, task: Task) -> Text:
        """Draw the count."""
        total = "?" if task.total is None else f"{task.total:,.0f}"
        return Text(f"{f'{task.completed:,.0f}':>{len(total)}}/{total}")


class _Rate(ProgressColumn):
    """Pictures a second, on one line in the narrowest window."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True, justify="right"))

    def render(self, task: Task) -> Text:
        """Draw the rate."""
        return Text(f"{task.speed or 0:>5,.0f} pictures/s")


class Reading:
    """The bar of a long run over pictures: done, failed, pictures a second, time left."""

    def __init__(self, bar: Progress, done: int, failed: int) -> None:
        """Begin with what an earlier run has done."""
        self._bar, self._done, self._failed = bar, done, failed
        self._task = bar.add_task("reading", total=None, completed=done)
        self._drawn = 0.0

    def advance(self, failed: bool) -> None:
        """Count one picture."""
        self._done += 1
        self._failed += failed
        if (now := time.monotonic()) > self._drawn + _EVERY:  # drawing each would slow the reading down
            self._drawn = now
            self._update()

    def set_total(self, total: int) -> None:
        """Tell how many pictures there are, which may be found out while they are read."""
        self._bar.update(self._task, total=total)

    def _update(self) -> None:
        text = f"reading, {self._failed:,} failed" if self._failed else "reading"
        self._bar.update(self._task, completed=self._done, description=text)


@contextmanager
def reading(done: int = 0, failed: int = 0) -> Iterator[Reading]:
    """Show a bar on stderr.

    Args:
        done: pictures that an earlier run has done.
        failed: how many of them could not be read.
    """
    with make_progress(Count(), _Rate(), TimeRemainingColumn()) as bar:
        yield Reading(bar, done, failed)


class Bars:
    """Bars on stderr for long work in stages; draws nothing where nobody looks."""

    def __init__(self, quiet: bool) -> None:
        """Decide whether to draw: not if `quiet`, nor where stderr is no terminal."""
        self._seen = not quiet and sys.stderr.isatty()

    @contextmanager
    def count(self, description: str) -> Iterator[Callable[[int, int | None], None]]:
        """Show a bar for pictures; yields what is called with how many are done, and how many there are."""
        with self._bar(description, Count(), _Rate()) as update:
            yield update

    @contextmanager
    def download(self, description: str) -> Iterator[Callable[[int, int | None], None]]:
        """Show a bar for bytes; yields what is called with how many are there, and how many there will be."""
        with self._bar(description, DownloadColumn(), TransferSpeedColumn()) as update:
            yield update

    @contextmanager
    def _bar(self, description: str, *figures: ProgressColumn) -> Iterator[Callable[[int, int | None], None]]:
        bar = make_progress(*figures, TimeRemainingColumn())
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
