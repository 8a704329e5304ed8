"""The bar of `emnist read` over many pages."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from emnist_cli.core.page_records import Page


@contextmanager
def reading_pages(files: int) -> Iterator[Callable[[Page], None]]:
    """Show a bar on stderr; yields what is called with each page that was read.

    Args:
        files: how many there are. How many pages PDFs have turns out as they come.
    """
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("reading pages", total=files)
        total, failed = files, 0

        def advance(page: Page) -> None:
            nonlocal total, failed
            total, failed = total + (page.page > 1), failed + (page.status == "error")
            text = f"reading pages, {failed:,} failed" if failed else "reading pages"
            bar.update(task, advance=1, total=total, description=text)

        yield advance
