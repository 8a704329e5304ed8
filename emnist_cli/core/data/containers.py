"""Folders and zip archives behind one interface, for the readers of EMNIST's files.

It lists the names of EMNIST's files and opens them to be read from start to end. `idx`, `csv_source` and `mat_source`
read through this module. Any error below them (a missing file, a broken zip or gzip, a wrong checksum) becomes a
DataError that names the archive and the member.
"""

import gzip
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from emnist_cli.core.errors import DataError

_FAILURES = (OSError, EOFError, KeyError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile)
"""What reading a damaged, encrypted or oddly compressed file raises."""

_KINDS = (
    (b"PK\x03\x04", "a zip archive cut short"),
    (b"\x1f\x8b", "a single gzip file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"MATLAB", "a MATLAB file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
)


def what_is(head: bytes) -> str:
    """Say in words what a file is that starts with `head`."""
    if not head:
        return "an empty file"
    for magic, words in _KINDS:
        if head.startswith(magic):
            return words
    if is_html(head):
        title = re.search(rb"<title[^>]*>(.*?)</title>", head, re.IGNORECASE | re.DOTALL)
        words = " ".join(title[1].decode(errors="replace").split())[:80] if title else ""
        return f"an HTML page titled {words!r}" if words else "an HTML page"
    start = head[:40]
    return (
        f"a text file that starts with {start.decode()!r}" if start.isascii() and b"\0" not in start else "other data"
    )


def is_html(head: bytes) -> bool:
    """Whether a file that starts with `head` is a web page."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:9].lower().startswith((b"<!doctype", b"<html"))


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Turn failures of reading into a DataError about `where`."""
    try:
        yield
    except _FAILURES as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"{where}: cannot be read ({reason})") from None


class Stream:
    """A file that is being read; it knows its name for errors.

    Attributes:
        where: the archive and the member.
        file: the binary file itself.
    """

    def __init__(self, file: IO[bytes], where: str) -> None:
        """Wrap an open file."""
        self.file, self.where = file, where

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, less only at the end.

        Raises:
            DataError: the file is damaged; a checksum is compared when its end is reached.
        """
        with _named(self.where):
            return self.file.read(size)


class Container:
    """A folder or an archive with EMNIST's files in it.

    Attributes:
        path: of the folder or archive.
        names: of the files in it, with forward slashes.
    """

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        """Take the names as given."""
        self.path, self.names = path, names

    def _raw(self, name: str) -> AbstractContextManager[Any]:
        raise NotImplementedError

    @contextmanager
    def open(self, name: str) -> Iterator[Stream]:
        """Open a file; what is gzip by its content, whatever its name, is decompressed on the way.

        Raises:
            DataError: it cannot be opened; later, by the stream, that it is damaged.
        """
        where = f"{self.path}: {name}"
        with ExitStack() as stack:
            with _named(where):
                file = stack.enter_context(self._raw(name))
                if file.peek(2)[:2] == b"\x1f\x8b":
                    file = stack.enter_context(gzip.GzipFile(fileobj=file))
            yield Stream(file, where)


class Folder(Container):
    """A folder, looked into three levels deep."""

    def __init__(self, path: Path, names: tuple[str, ...] | None = None) -> None:
        """Find every file whose name starts as EMNIST's do, or take only those that are given."""
        if names is not None:
            super().__init__(path, names)
            return
        found = [f for deep in ("", "*/", "*/*/") for f in sorted(path.glob(f"{deep}emnist-*")) if f.is_file()]
        super().__init__(path, tuple(f.relative_to(path).as_posix() for f in found))

    @contextmanager
    def _raw(self, name: str) -> Iterator[Any]:
        path = self.path / name
        if not name.endswith(".zip"):
            with path.open("rb") as file:
                yield file
            return
        # Kaggle zips each csv that is fetched alone.
        with zipfile.ZipFile(path) as archive, archive.open(path.stem) as file:
            yield file


class Archive(Container):
    """A zip archive; it is opened anew for every file, so that none stays open between them."""

    def __init__(self, path: Path) -> None:
        """Read the central directory.

        Raises:
            DataError: it cannot be read.
        """
        with _named(str(path)), zipfile.ZipFile(path) as archive:
            super().__init__(path, tuple(archive.namelist()))

    @contextmanager
    def _raw(self, name: str) -> Iterator[Any]:
        with zipfile.ZipFile(self.path) as archive, archive.open(name) as file:
            yield file
