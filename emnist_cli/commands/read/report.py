"""Reports of `emnist read` on stderr: errors and notes on single pages, the progress bar, and the summary."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emnist_cli.cli.run_report import RunReport, can_show_bar
from emnist_cli.commands.read.request import ReadRequest
from emnist_cli.core.page_records import PAGE_STATUSES, Page


class PageReporter(RunReport):
    """Reports one run."""

    def __init__(self, request: ReadRequest) -> None:
        """Start the clock."""
        super().__init__("page", PAGE_STATUSES, request.output, request.quiet)

    def add(self, page: Page) -> None:
        """Count a page and report its error or note."""
        number = f", page {page.page}" if page.page > 1 else ""
        self.add_row(page.status, f"{page.path}{number}", page.error, page.note)

    def summarize(self, overlays: int | None) -> None:
        """Report skipped files, the number of pages for each status, and the time.

        Args:
            overlays: as `run` returns it.
        """
        if self._quiet:
            return
        seconds = self._seconds()
        self._report_skipped()
        if self._output is None and self.counts.total() < 2:
            return  # the page itself says it all
        self._report_counts(f" in {seconds:.1f} s", "" if overlays is None else f"overlays: {overlays:,}")


@contextmanager
def progress_bar(request: ReadRequest, files: int) -> Iterator[Callable[[Page], None]]:
    """Show a bar where it fits; yields the function to call with each page."""
    if not can_show_bar(request.quiet, request.output) or files < 2:
        yield lambda page: None
        return
    from emnist_cli.console.page_progress import reading_pages

    with reading_pages(files) as advance:
        yield advance
