"""Output of `emnist read`: the text, or every character with its position."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, TextIO

from emnist_cli.commands.read.options import PageFormat
from emnist_cli.core.page_records import Page
from emnist_cli.output.formats import Format, one_line, write_records

COLUMNS = ("path", "page", "status", "width", "height", "lines", "error")
ROW = (
    *("path", "status", "page", "line", "word", "character", "label", "confidence"),
    *("left", "top", "right", "bottom", "alternatives", "error"),
)
"""Columns of csv. Each character has a row; a page without characters has one row."""


def write_pages(pages: Iterable[Page], form: PageFormat, stream: TextIO) -> None:
    """Write pages as they come.

    Args:
        pages: in order.
        form: json: a list of pages; jsonl: one page per line; csv: one character per row; hocr; or the text.
        stream: where the output goes.
    """
    if form is PageFormat.TEXT:
        _write_text(iter(pages), stream)
    elif form is PageFormat.HOCR:
        from emnist_cli.output.hocr import write_hocr

        write_hocr(pages, stream)
    elif form is PageFormat.CSV:
        write_records(chain.from_iterable(map(_rows, pages)), Format.CSV, stream, ROW, ())
    else:
        write_records((page.as_dict() for page in pages), Format(form.value), stream, COLUMNS, ())


def _write_text(pages: Iterator[Page], stream: TextIO) -> None:
    """Write the lines; if there are several pages, each has a heading like those that `head` prints for files."""
    first = list(islice(pages, 2))
    several = len(first) > 1
    for i, page in enumerate(chain(first, pages)):
        if several:
            number = f", page {page.page}" if page.page > 1 else ""
            stream.write(f"{chr(10) if i else ''}==> {one_line(page.path)}{number} <==\n")
        if page.text:
            stream.write(page.text + "\n")


def _rows(page: Page) -> Iterator[dict[str, Any]]:
    """Yield the csv rows of a page."""
    empty = dict.fromkeys(ROW) | {
        "path": page.path, "status": page.status, "page": page.page, "error": page.error, "alternatives": [],
    }  # fmt: skip
    found = False
    for line, word, number, character in page.characters:
        found = True
        box = dict(zip(("left", "top", "right", "bottom"), character.box, strict=True))
        place = {"line": line, "word": word, "character": number} | box
        yield empty | place | {name: value for name, value in character.as_dict().items() if name != "box"}
    if not found:
        yield empty
