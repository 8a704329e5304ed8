"""Long results in a file that survives an interruption: rows go to FILE.partial, which becomes FILE at the end.

Whatever ends a run before, the rows so far stay in FILE.partial; `resume` goes on behind its last whole row.
FILE.partial.json beside it says with which settings it was begun, so that rows of different ones are not mixed.
"""

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.output import Format, check_place, permissions, readable, tell

Row = dict[str, Any]

RESUMABLE = (Format.CSV, Format.JSONL)
"""Formats whose rows can be read back one by one."""


class Partial(NamedTuple):
    """Results that are being written.

    Attributes:
        stream: where rows go.
        begun: whether there are rows from before, and so a header.
        take: tells whether a path has a row from before that was not taken yet.
    """

    stream: TextIO
    begun: bool
    take: Callable[[str], bool]


@contextmanager
def open_partial(
    path: Path,
    form: Format | None,
    columns: Sequence[str],
    settings: Mapping[str, Any],
    resume: bool,
    on_row: Callable[[Row], None] = lambda row: None,
) -> Iterator[Partial]:
    """Open a file for many rows; it appears under its own name when the block ends without an exception.

    Args:
        path: the file.
        form: of the rows; csv or jsonl for `resume`.
        columns: the fields of a row; one is called path.
        settings: what the rows depend on, as JSON can hold it.
        resume: go on with FILE.partial, else with FILE, where there is one.
        on_row: called with each row from before.

    Raises:
        UsageError: there is no such folder; another run is writing to it; the rows from before are of other
            settings, or no such rows.
        OutputError: it cannot be written.
    """
    check_place(path)
    path = path.resolve()
    partial, about = path.with_name(f"{path.name}.partial"), path.with_name(f"{path.name}.partial.json")
    if resume:
        _check_settings(partial, about, settings)
        _check_rows(partial if partial.exists() else path, form, columns)
    try:
        with _open(partial, path if resume else None) as file:
            seen, end = _Seen(), 0
            for row, end in _rows(file, form, columns) if resume else ():  # noqa: B007 - the last end counts
                if row is not None:
                    seen.add(row["path"])
                    on_row(row)
            file.truncate(end)
            file.seek(end)
            about.write_text(json.dumps(settings), encoding="utf-8")
            stream = TextIOWrapper(file, encoding="utf-8", newline="\n")
            try:
                yield Partial(stream, end > 0, seen.take)
                stream.flush()
                os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):  # a disk that is full: what could be written is there
                    stream.flush()
                _keep(partial, about, form)
                raise
        partial.chmod(permissions(path))
        os.replace(partial, path)  # noqa: PTH105
        about.unlink(missing_ok=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None


def _open(partial: Path, earlier: Path | None) -> BinaryIO:
    """Open FILE.partial, for this run alone; where there is none, with what `earlier` holds."""
    if earlier and earlier.exists() and not partial.exists():
        scratch = partial.with_name(f".{partial.name}.tmp")
        shutil.copyfile(earlier, scratch)
        os.replace(scratch, partial)  # noqa: PTH105
    file = os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b")
    try:
        import fcntl
    except ImportError:  # Windows refuses by itself to replace a file that is open
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise UsageError(f"--output: another run is writing to it. Received: {partial}") from None
    except OSError:  # a network drive without locks
        pass
    return file


def _keep(partial: Path, about: Path, form: Format | None) -> None:
    """Say where the rows are that an interrupted run has made; without any, leave nothing behind."""
    if partial.stat().st_size:
        advice = "; the same command with --resume goes on from there" if form in RESUMABLE else ""
        tell(f"the rows so far are in {partial}{advice}")
    else:
        partial.unlink()
        about.unlink(missing_ok=True)


def _check_settings(partial: Path, about: Path, settings: Mapping[str, Any]) -> None:
    try:
        begun = json.loads(about.read_text(encoding="utf-8")) if partial.exists() else settings
    except (OSError, ValueError):  # cut off in that very moment, or taken away: nothing to compare with
        return
    for name, value in settings.items():
        if begun.get(name) != value:
            raise UsageError(
                f"--resume: {partial} was begun with {name} {begun.get(name)!r}. Received: {value!r}; "
                "give the same options, or leave out --resume to start over"
            )


def _check_rows(path: Path, form: Format | None, columns: Sequence[str]) -> None:
    """Refuse a file that holds something else than rows."""
    if not path.exists():
        return
    with path.open("rb") as file:
        first = next(_rows(file, form, columns), None)
        file.seek(0)
        if not first and b"\n" in file.read(65536):
            raise UsageError(f"--resume: expected rows that emnist has written as {form}. Received: {path}")


def _rows(file: BinaryIO, form: Format | None, columns: Sequence[str]) -> Iterator[tuple[Row | None, int]]:
    """Yield the rows from before and where each ends, up to the first that is not whole."""
    return _csv_rows(file, columns) if form is Format.CSV else _jsonl_rows(file, columns)


def _jsonl_rows(file: BinaryIO, columns: Sequence[str]) -> Iterator[tuple[Row | None, int]]:
    end = 0
    for line in file:
        try:
            row = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            return
        if not isinstance(row, dict) or set(row) != set(columns):
            return
        end += len(line)
        yield row, end


def _csv_rows(file: BinaryIO, columns: Sequence[str]) -> Iterator[tuple[Row | None, int]]:
    """As `_rows`; None stands for the header."""
    end, whole = 0, True

    def lines() -> Iterator[str]:
        nonlocal end, whole
        for line in file:  # csv.reader takes no more lines than its row has
            end, whole = end + len(line), line.endswith(b"\n")
            yield line.decode("utf-8")

    reader = csv.reader(lines(), strict=True)
    with suppress(csv.Error, ValueError):
        if next(reader, None) != list(columns) or not whole:
            return
        yield None, end
        for values in reader:
            if len(values) != len(columns) or not whole:
                return
            row: Row = dict(zip(columns, values, strict=True))
            row["confidence"] = float(row["confidence"]) if row["confidence"] else None
            pairs = (text.rpartition(":") for text in row["alternatives"].split())
            row["alternatives"] = [{"label": label, "confidence": float(value)} for label, _, value in pairs]
            yield row, end


class _Seen:
    """Paths that have a row already, each as often as it has one; on disk, since there can be millions."""

    def __init__(self) -> None:
        self._database: Any = None

    def add(self, path: str) -> None:
        if self._database is None:
            import sqlite3  # a run from the start does without

            self._database = sqlite3.connect("")  # a temporary file, which SQLite deletes itself
            self._database.executescript("PRAGMA journal_mode = OFF; CREATE TABLE seen (path TEXT)")
            self._database.execute("CREATE INDEX of_path ON seen (path)")
        self._database.execute("INSERT INTO seen VALUES (?)", (path,))

    def take(self, path: str) -> bool:
        if self._database is None:
            return False
        one = "SELECT rowid FROM seen WHERE path = ? LIMIT 1"
        taken = self._database.execute(f"DELETE FROM seen WHERE rowid = ({one})", (readable(path),))
        return bool(taken.rowcount)
