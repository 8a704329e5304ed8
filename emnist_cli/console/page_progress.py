"""The progress bar of `emnist read` over many pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import TimeRemainingColumn

from emnist_cli.console.progress import Count, make_progress
from emnist_cli.core.page_records import Page


@contextmanager
def reading_pages(files: int) -> Iterator[Callable[[Page], None]]:
    """Show a bar on stderr; yields what is called with each page that was read.

    Args:
        files: how many there are. How many pages PDFs have turns out as they come.
    """
    with make_progress(Count(), TimeRemainingColumn()) as bar:
        task = bar.add_task("reading pages", total=files)
        total, failed = files, 0

        def advance(page: Page) -> None:
            nonlocal total, failed
            total, failed = total + (page.page > 1), failed + (page.status == "error")
            text = f"reading pages, {failed:,} failed" if failed else "reading pages"
            bar.update(task, advance=1, total=total, description=text)

        yield advance
