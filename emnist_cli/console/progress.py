"""Progress on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
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
