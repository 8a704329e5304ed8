"""Read back the rows of an earlier run, for `output.resumable` and `emnist predict`.

It finds which rows there are, where the last complete one ends, and which path already has one.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO

from emnist_cli.core.byte_escapes import escape_bytes
from emnist_cli.core.errors import UsageError
from emnist_cli.core.records import STATUSES
from emnist_cli.output.formats import Format

ResumeRow = dict[str, Any]

_TAIL = 1000  # lines after an incomplete row that are checked


def read_rows(file: BinaryIO, form: Format | None, columns: Sequence[str]) -> Iterator[tuple[ResumeRow | None, int]]:
    """Yield the rows of a file and where each ends, up to one that was cut off; None stands for csv's header.

    Raises:
        UsageError: something other than rows comes before them or between them.
    """
    end = number = 0
    for row, end in _csv_rows(file, columns) if form is Format.CSV else _jsonl_rows(file, columns):
        number += 1
        yield row, end
    file.seek(end)
    rest = list(islice(file, _TAIL))
    behind = b"".join(rest[1:])
    if (not number and rest and rest[0].endswith(b"\n")) or _has_rows(behind, form, columns):
        raise UsageError(
            f"--resume: expected rows that emnist has written as {form}, "
            f"but row {number + 1} is none; put it right or take it out"
        )


def _has_rows(lines: bytes, form: Format | None, columns: Sequence[str]) -> bool:
    """Return whether any of these lines is a complete row."""
    for line in lines.splitlines(keepends=True):
        if form is Format.CSV:
            with suppress(csv.Error, ValueError):
                values = next(csv.reader([line.decode("utf-8")], strict=True), [])
                if line.endswith(b"\n") and len(values) == len(columns) and values[1] in STATUSES:
                    return True
        elif _json_row(line, columns):
            return True
    return False


def _jsonl_rows(file: BinaryIO, columns: Sequence[str]) -> Iterator[tuple[ResumeRow | None, int]]:
    end = 0
    for line in file:
        row = _json_row(line, columns)
        if row is None:
            return
        end += len(line)
        yield row, end


def _json_row(line: bytes, columns: Sequence[str]) -> ResumeRow | None:
    try:
        row: Any = json.loads(line) if line.endswith(b"\n") else None
        whole = isinstance(row, dict) and set(row) == set(columns)
        if not whole or row["status"] not in STATUSES or not isinstance(row["path"], str):
            return None
        row["path"].encode()
        return {**row, "alternatives": [{"label": str(a["label"]), **a} for a in row["alternatives"]]}
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _csv_rows(file: BinaryIO, columns: Sequence[str]) -> Iterator[tuple[ResumeRow | None, int]]:
    end, whole = 0, True

    def lines() -> Iterator[str]:
        nonlocal end, whole
        for line in file:  # csv.reader reads only the lines of its current row
            end, whole = end + len(line), line.endswith(b"\n")
            yield line.decode("utf-8")

    reader = csv.reader(lines(), strict=True)
    with suppress(csv.Error, ValueError):
        if next(reader, None) != list(columns) or not whole:
            return
        yield None, end
        for values in reader:
            row: ResumeRow = dict(zip(columns, values, strict=True))
            if not whole or row["status"] not in STATUSES:
                return
            row["confidence"] = float(row["confidence"]) if row["confidence"] else None
            row["alternatives"] = list(_alternatives(row["alternatives"]))
            yield row, end


def _alternatives(cell: str) -> Iterator[dict[str, Any]]:
    for text in cell.split():
        label, _, value = text.rpartition(":")
        with suppress(ValueError):  # edited by hand
            yield {"label": label, "confidence": float(value)}


class RowsDone:
    """The paths that have a row already, once for each row; on disk, since there can be millions."""

    def __init__(self) -> None:
        """Start without any path."""
        self._database: Any = None

    def add(self, path: str) -> None:
        """Add the path of a row."""
        if self._database is None:
            import sqlite3  # needed only to resume

            # A temporary file, which SQLite deletes itself.
            self._database = sqlite3.connect("", isolation_level=None)
            self._do("PRAGMA journal_mode = OFF")
            self._do("CREATE TABLE seen (path TEXT)")
            self._do("CREATE INDEX of_path ON seen (path)")
            self._do("BEGIN")
        self._do("INSERT INTO seen VALUES (?)", path)

    def take(self, path: str) -> bool:
        """Take one row of a path; return whether there was one left to take."""
        if self._database is None:
            return False
        one = "SELECT rowid FROM seen WHERE path = ? LIMIT 1"
        return bool(self._do(f"DELETE FROM seen WHERE rowid = ({one})", escape_bytes(path)))

    def close(self) -> None:
        """Delete all paths."""
        if self._database is not None:
            self._database.close()

    def _do(self, statement: str, *values: str) -> int:
        import sqlite3

        try:
            return int(self._database.execute(statement, values).rowcount)
        except sqlite3.Error as error:
            raise OSError(0, f"{error}, in a temporary file that remembers the rows so far") from None
