"""Write records as csv, json, json lines or tab-separated text, for every command; standard library only.

Every command writes its records through `write`. Tables for people are drawn in `console/`.
"""

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import StrEnum
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from emnist_cli.core.atomic_file import new_file, write_error
from emnist_cli.core.byte_escapes import escape_bytes, escape_record
from emnist_cli.core.errors import OutputError, UsageError

OutputRecord = Mapping[str, Any]


class Format(StrEnum):
    """What `--format` takes."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


_OFFICE = ("xlsx", "xls", "ods", "odt", "docx", "doc", "pdf")


def choose_format(asked: Format | None, output: Path | None = None) -> Format | None:
    """Decide the format: as asked, else by the output file's suffix, else a table on a terminal.

    Returns:
        The format, or None for plain lines with tabs between the fields, as pipes want them.

    Raises:
        UsageError: the suffix is that of a format of office programs, which would not open what is written.
    """
    if asked is not None:
        return asked
    if output is not None:
        suffix = output.suffix.lower().lstrip(".")
        if suffix in _OFFICE:
            raise UsageError(f"--output: no .{suffix} is written; spreadsheets open .csv. Received: {output}")
        return Format(suffix) if suffix in {"json", "jsonl", "csv"} else None
    return Format.TABLE if sys.stdout.isatty() else None


def write_records(
    records: Iterable[OutputRecord],
    form: Format | None,
    stream: TextIO,
    columns: Sequence[str],
    plain: Sequence[str],
    header: bool = True,
) -> None:
    """Write records as they come.

    Args:
        records: mappings that all have `columns`.
        form: json, jsonl, csv, or None for tab-separated lines without a header.
        stream: where to.
        columns: the fields, in order.
        plain: the fields of a tab-separated line.
        header: csv begins with one; not so where rows are added to others.
    """
    every = (escape_record({name: record[name] for name in columns}) for record in records)
    rows = chain(list(islice(every, 1)), every)  # what keeps the first from coming must not leave half an output
    if form is Format.JSON:
        _write_json(rows, stream)
    elif form is Format.JSONL:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    elif form is Format.CSV:
        writer = csv.writer(_Lines(stream))
        if header:
            writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row[name]) for name in columns])
    else:
        for row in rows:
            stream.write("\t".join(one_line(_cell(row[name])) for name in plain) + "\n")


class _Lines:
    """Takes csv's rows, which end in a carriage return and a line feed, and ends them with a line feed alone.

    Asked for that end itself, the writer of Python 3.11 and 3.12 would not quote a carriage return in a path.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, row: str) -> None:
        self._stream.write(row.removesuffix("\r\n") + "\n")


def _write_json(rows: Iterator[dict[str, Any]], stream: TextIO) -> None:
    stream.write("[")
    for number, row in enumerate(rows):
        stream.write((",\n " if number else "\n ") + json.dumps(row, ensure_ascii=False))
    stream.write("\n]\n")


def _cell(value: Any) -> str:
    """A value as text: alternatives as "A:0.9100 4:0.0500", nothing for None."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(f"{item['label']}:{item['confidence']:.4f}" for item in value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def one_line(text: str) -> str:
    """Make text safe for one line of a terminal or a tab-separated file: control characters become escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in escape_bytes(text))


def notify(text: str) -> None:
    """Say one line on stderr; if nobody listens there, that must not cost the results."""
    with suppress(OSError):
        print("emnist:", one_line(text), file=sys.stderr)


def open_output(path: Path | None) -> AbstractContextManager[TextIO]:
    """Give a text stream to `path`, or stdout for None. A file appears only when it is complete.

    Raises:
        UsageError: the folder does not exist, or `path` is one.
        OutputError: it cannot be written (permissions, disk full).
    """
    if path is None:
        return _open_stdout()
    check_place(path)
    try:
        if path.exists() and not path.is_file():  # a pipe or a device, which must stay what it is
            return _open_device(path)
        return _open_file(Path(os.path.realpath(path)))
    except OSError as error:
        raise UsageError(f"--output: cannot be written: {error.strerror or error}. Received: {path}") from None


def check_place(path: Path) -> None:
    """Check that `path` can be a file.

    Raises:
        UsageError: its folder does not exist, or it is one.
    """
    try:
        if not path.is_dir() and path.parent.is_dir():
            return
    except OSError as error:
        raise UsageError(f"--output: cannot be written: {error.strerror or error}. Received: {path}") from None
    raise UsageError(f"--output: expected a file in an existing folder. Received: {path}")


@contextmanager
def _open_stdout() -> Iterator[TextIO]:
    if isinstance(sys.stdout, TextIOWrapper):
        if sys.stdout.isatty():  # shows what its own encoding has, and escapes of the rest
            sys.stdout.reconfigure(errors="backslashreplace", newline="\n")
        else:
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has had enough
        raise
    except OSError as error:
        raise OutputError(f"stdout: cannot be written ({error.strerror or error})") from None


@contextmanager
def _open_device(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None


@contextmanager
def _open_file(path: Path) -> Iterator[TextIO]:
    try:
        with new_file(path) as file:
            stream = TextIOWrapper(file, encoding="utf-8", newline="\n")
            yield stream
            stream.flush()
    except OSError as error:
        raise write_error(path, error) from None
