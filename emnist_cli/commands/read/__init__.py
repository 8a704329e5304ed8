"""`emnist read`: recognize the text of whole pages."""

import os
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emnist_cli.cli.image_arguments import check_stdin, protect_pictures
from emnist_cli.cli.options import Charset, FoldCase, Model, Quiet, Recursive, Timeout, Workers
from emnist_cli.commands.read.options import (
    SUFFIXES,
    CharacterMinConfidence,
    CharacterTopK,
    LexiconFile,
    Overlay,
    PageFormat,
    PageFormatOption,
    PageOutput,
    Pages,
)
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.config import PredictConfig, ReadConfig
from emnist_cli.core.errors import ExitCode
from emnist_cli.core.page_records import PAGE_STATUSES
from emnist_cli.output.formats import notify, open_output

if TYPE_CHECKING:
    from emnist_cli.core.page_records import Page

_FEW = 20  # so many problems are told one by one


def read(
    pages: Pages,
    model: Model = DEFAULT_MODEL,
    top_k: CharacterTopK = PredictConfig.top_k,
    charset: Charset = None,
    fold_case: FoldCase = False,
    min_confidence: CharacterMinConfidence = PredictConfig.min_confidence,
    lexicon: LexiconFile = None,
    recursive: Recursive = False,
    form: PageFormatOption = None,
    output: PageOutput = None,
    overlay: Overlay = None,
    workers: Workers = None,
    timeout: Timeout = ReadConfig.timeout,
    quiet: Quiet = False,
) -> None:
    """Read pages of separate, hand-printed characters: text, forms, tables; not joined-up writing.

    Prints the text, or with --format every character with its place. The exit code is 3 if a page could not be read.
    """
    from emnist_cli.commands.read.overlays import Overlays
    from emnist_cli.commands.read.write import write_pages
    from emnist_cli.core.files.discovery import SUFFIXES as PICTURES
    from emnist_cli.core.files.discovery import find_pictures
    from emnist_cli.core.pages.run_pages import read_pages

    check_stdin(pages, "read")
    protect_pictures(pages, output)
    started, skipped = time.monotonic(), list[str]()
    drawn = Overlays(overlay, pages, recursive)
    found = list(find_pictures(pages, recursive, skipped.append, PICTURES | {".pdf"}))
    chosen = form or (SUFFIXES.get(output.suffix.lower()) if output else None) or PageFormat.TEXT
    with open_output(output) as stream, _bar(quiet, output, len(found)) as advance:
        records = read_pages(
            found,
            {"model": model, "charset": charset, "fold_case": fold_case},
            top_k=top_k,
            min_confidence=min_confidence,
            lexicon=lexicon,
            overlay=drawn.suffix,
            workers=workers,
            timeout=timeout,
        )
        watch = _Watch(advance, quiet)
        write_pages(drawn.keep(watch.over(records)), chosen, stream)
    drawn.close()
    if not quiet:
        watch.summarize(skipped, f"overlays: {drawn.count:,}" if overlay else "", output, time.monotonic() - started)
    if watch.counts["error"]:
        raise typer.Exit(ExitCode.INPUT)


class _Watch:
    """Tells on stderr what is worth telling about pages, and counts them."""

    def __init__(self, advance: Callable[["Page"], None], quiet: bool) -> None:
        self._advance, self._quiet, self._told = advance, quiet, 0
        self.counts: Counter[str] = Counter()

    def over(self, pages: Iterable["Page"]) -> Iterator["Page"]:
        for page in pages:
            self.counts[page.status] += 1
            self._advance(page)
            text = page.error or ("" if self._quiet else page.note)
            if text and self._told < _FEW:
                self._told += 1
                more = "; no more such lines follow" if self._told == _FEW else ""
                number = f", page {page.page}" if page.page > 1 else ""
                notify(f"{page.path}{number}: {text}{more}")
            yield page

    def summarize(self, skipped: list[str], overlays: str, output: Path | None, seconds: float) -> None:
        if skipped:
            more = f" and {len(skipped) - 1:,} more" if len(skipped) > 1 else ""
            notify(f"skipped, not a picture by its name: {skipped[0]}{more}")
        total = self.counts.total()
        if total < 2 and not output:
            return  # plain to see
        parts = [*(f"{self.counts[status]:,} {status}" for status in PAGE_STATUSES if self.counts[status]), overlays]
        told = ", ".join(filter(None, parts)) + (f"; written to {output}" if output else "")
        notify(f"{total:,} page{'s' if total != 1 else ''} in {seconds:.1f} s: {told}")


@contextmanager
def _bar(quiet: bool, output: Path | None, files: int) -> Iterator[Callable[["Page"], None]]:
    """A bar on stderr where results go into a file; those on a terminal, or piped to one, would run into it."""
    to_file = output is not None or stat.S_ISREG(os.fstat(1).st_mode)
    if quiet or files < 2 or not to_file or not sys.stderr.isatty():
        yield lambda page: None
        return
    from emnist_cli.console.page_progress import reading_pages

    with reading_pages(files) as advance:
        yield advance
