"""Write long results to a file that survives an interruption, for `emnist predict`.

Rows go to FILE.partial, which becomes FILE at the end. If the run ends before that, the rows so far stay in
FILE.partial, and `resume` continues after the last complete row. FILE.partial.json beside it records the settings of
the run, so that rows of different settings are not mixed.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

from emnist_cli.core.atomic_file import new_file, put_file_in_place
from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.output.formats import Format, check_place, notify
from emnist_cli.output.resume_rows import ResumeRow, RowsDone, read_rows

try:
    import fcntl
except ImportError:  # Windows refuses by itself to replace a file that is open
    fcntl = None  # type: ignore[assignment]

RESUMABLE = (Format.CSV, Format.JSONL)
"""Formats whose rows can be read back one at a time."""


class Partial(NamedTuple):
    """Results that are being written.

    Attributes:
        stream: where rows go.
        begun: whether the file has rows of an earlier run already, and so a header.
        take: takes one row of an earlier run for a path; returns whether there was one left to take.
    """

    stream: TextIO
    begun: bool
    take: Callable[[str], bool]


class _Places(NamedTuple):
    """The output file, the file that holds its rows until it is complete, and the file that records the settings."""

    path: Path
    partial: Path
    about: Path


def is_scratch(path: str, output: Path) -> bool:
    """Return whether a path is a file that `open_partial` writes for `output`, and so no image to read."""
    if not path.endswith((".partial", ".partial.json")):
        return False
    return os.path.realpath(path) in map(str, _places(output))


@contextmanager
def open_partial(
    path: Path,
    form: Format | None,
    columns: Sequence[str],
    settings: Mapping[str, Any],
    resume: bool,
    on_row: Callable[[ResumeRow], None] = lambda row: None,
) -> Iterator[Partial]:
    """Open a file for many rows; it appears under its own name when the block ends without an exception.

    Args:
        path: the file.
        form: format of the rows; csv or jsonl for `resume`.
        columns: the fields of a row; one is called path.
        settings: the options that the rows depend on; values that JSON can hold.
        resume: continue FILE.partial if it exists, else FILE.
        on_row: called with each row of the earlier run.

    Raises:
        UsageError: there is no such folder; another run is writing to the file; the earlier run had other settings,
            or its file does not hold such rows.
        OutputError: the file cannot be written.
    """
    check_place(path)
    try:
        places = _places(path)
        fresh = not places.partial.exists()
        if resume and not fresh:
            _check_settings(places, settings)
        with _open(places, resume) as file, closing(RowsDone()) as seen:
            try:
                end = _read_earlier(file, form, columns, seen, on_row) if resume else 0
            except UsageError as error:
                if fresh:
                    places.partial.unlink()
                raise UsageError(f"{error}. Received: {path if fresh else places.partial}") from None
            file.truncate(end)
            file.seek(end)
            with new_file(places.about) as about:
                about.write(json.dumps(settings).encode())
            with _kept(file, places, form) as stream:
                yield Partial(stream, end > 0, seen.take)
            if fcntl:  # while the lock keeps other runs away
                _put_in_place(places)
        if not fcntl:
            _put_in_place(places)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None


def _places(path: Path) -> _Places:
    path = Path(os.path.realpath(path))
    return _Places(path, path.with_name(f"{path.name}.partial"), path.with_name(f"{path.name}.partial.json"))


def _read_earlier(
    file: BinaryIO, form: Format | None, columns: Sequence[str], seen: RowsDone, on_row: Callable[[ResumeRow], None]
) -> int:
    """Record the rows of the earlier run; return where the last complete one ends."""
    end = 0
    for row, end in read_rows(file, form, columns):  # noqa: B007 - the last end is what counts
        if row is not None:
            seen.add(row["path"])
            on_row(row)
    return end


def _check_settings(places: _Places, settings: Mapping[str, Any]) -> None:
    try:
        begun = json.loads(places.about.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # incomplete or deleted
        return
    for name, value in settings.items() if isinstance(begun, dict) else ():
        if begun.get(name) != value:
            raise UsageError(
                f"--resume: {places.partial} was begun with {name} {begun.get(name)!r}. Received: {value!r}; "
                "give the same options, or leave out --resume to start over"
            )


def _open(places: _Places, resume: bool) -> BinaryIO:
    """Open FILE.partial for this run alone; to resume without such a file, create it from FILE."""
    if resume and places.path.exists() and not places.partial.exists():
        with places.path.open("rb") as earlier, new_file(places.partial) as copy:
            shutil.copyfileobj(earlier, copy)
    # Its name can be guessed: a link that somebody put there is not followed.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(places.partial, flags, 0o666), "r+b")
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        taken = not os.path.samestat(os.fstat(file.fileno()), places.partial.stat())
    except (BlockingIOError, FileNotFoundError):  # not found: the other run has finished since it was opened
        taken = True
    except OSError:  # some network drives have no locks
        taken = False
    if taken:
        file.close()
        raise UsageError(f"--output: another run is writing to it. Received: {places.partial}")
    return file


@contextmanager
def _kept(file: BinaryIO, places: _Places, form: Format | None) -> Iterator[TextIO]:
    """Yield a stream for the rows. If the run is interrupted, report where they are, or delete a file without any."""
    stream = TextIOWrapper(file, encoding="utf-8", newline="\n")
    try:
        yield stream
        stream.flush()
        os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):  # the disk is full: the rows before that are in the file
            stream.flush()
        with suppress(OSError):  # the folder is gone
            if places.partial.stat().st_size:
                advice = "; the same command with --resume goes on from there" if form in RESUMABLE else ""
                notify(f"the rows so far are in {places.partial}{advice}")
            else:
                places.partial.unlink()
                places.about.unlink(missing_ok=True)
        raise


def _put_in_place(places: _Places) -> None:
    put_file_in_place(places.partial, places.path, sync=False)  # `_kept` has synced it
    places.about.unlink(missing_ok=True)
