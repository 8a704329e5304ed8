"""One run of `emnist read`: find the files, read their pages, and write pages and overlays."""

from collections.abc import Iterable, Iterator

from emnist_cli.commands.read.overlays import Overlays
from emnist_cli.commands.read.report import PageReporter, progress_bar
from emnist_cli.commands.read.request import ReadRequest
from emnist_cli.commands.read.write import write_pages
from emnist_cli.core.files.discovery import SUFFIXES, find_pictures
from emnist_cli.core.page_records import Page
from emnist_cli.core.pages.run_pages import read_pages
from emnist_cli.output.formats import open_output


def run(request: ReadRequest, reporter: PageReporter) -> int | None:
    """Read every page and write it.

    Args:
        request: the options.
        reporter: counts every page.

    Returns:
        Number of overlays that were written; None where none were requested.
    """
    overlays = Overlays(request.overlay, request.paths, request.recursive)
    files = list(find_pictures(request.paths, request.recursive, reporter.add_skipped, SUFFIXES | {".pdf"}))
    with open_output(request.output) as stream, progress_bar(request, len(files)) as advance:

        def watch(pages: Iterable[Page]) -> Iterator[Page]:
            for page in pages:
                advance(page)
                reporter.add(page)
                yield page

        pages = read_pages(
            files,
            request.options,
            top_k=request.top_k,
            min_confidence=request.min_confidence,
            lexicon=request.lexicon,
            overlay=overlays.suffix,
            workers=request.workers,
            timeout=request.timeout,
        )
        write_pages(overlays.keep(watch(pages)), request.page_format, stream)
    overlays.close()
    return overlays.count if request.overlay else None
