"""Keep and resume an unfinished download, with a record of what its bytes belong to; `download` uses it."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from emnist_cli.core.atomic_file import put_file_in_place
from emnist_cli.core.data.cache import sha256_of
from emnist_cli.core.data.containers import what_is
from emnist_cli.core.errors import DataError

OnBytes = Callable[[int, int | None], None]
"""Takes the bytes done and in all, None where that is not known."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn failures of writing, such as a full disk, into a DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from None


@contextmanager
def lock_download(target: Path, on_note: Callable[[str], None]) -> Iterator[bool]:
    """Keep other runs from the unfinished file of `target`; where another run has it, wait until that run ends.

    The lock is a file of its own beside `target`: the unfinished file is renamed at the end, and Windows does not
    rename an open file.

    Args:
        target: the file that is downloaded; its folder must exist.
        on_note: called with one line before this run begins to wait.

    Yields:
        Whether this run had to wait, so that `target` may be there now.

    Raises:
        DataError: the lock cannot be made.
    """
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    waited = False
    try:
        with writing(target):
            try:
                lock.acquire(timeout=0)
            except Timeout:  # which is an OSError, too
                on_note(f"another run is downloading {target}; waiting for it to end")
                waited = True
                lock.acquire()
    except NotImplementedError:  # a file system that has no locks
        raise DataError(f"{target.parent}: files there cannot be locked; choose another folder: --data-dir") from None
    try:
        yield waited
    finally:
        lock.release()


class PartialDownload:
    """The unfinished file. Whoever makes one holds its lock, see `lock_download`.

    Attributes:
        path, note: the bytes, and the file beside them that says what they are of.
        url: where they come from.
        validator: the server's name (ETag or date) for this version of the file, if it gave one.
        size, total: bytes that are there, and in all if that is known.
        received: bytes that came in this process.
    """

    def __init__(self, target: Path, url: str, checked: bool) -> None:
        """Take up what an earlier attempt left.

        Args:
            target: the file that it is to become.
            url: bytes of another address are not taken up.
            checked: whether a checksum will be compared; if not, bytes of an unnamed version are not taken up.
        """
        self.path = target.with_name(target.name + ".part")
        self.note = target.with_name(target.name + ".part.json")
        self.url, self.received = url, 0
        self._forget(None, None)
        with suppress(OSError, ValueError, KeyError, TypeError):  # nothing there, or a note that is none
            note: dict[str, Any] = json.loads(self.note.read_bytes())
            if note["url"] == url and (checked or note["validator"]):
                self._forget(note["validator"], note["total"])
                self.size = self.path.stat().st_size

    @property
    def whole(self) -> bool:
        """Whether every byte is there."""
        return self.size > 0 and self.size == self.total

    def restart(self, validator: str | None, total: int | None) -> None:
        """Forget what is there; what comes from now on is of this version.

        Raises:
            DataError: it will not fit on the disk.
        """
        folder = self.path.parent
        self._forget(validator, total)
        with writing(self.path):
            self.path.write_bytes(b"")
            free = shutil.disk_usage(folder).free
            if total is not None and total > free:
                self.path.unlink()
                raise DataError(f"{folder}: too little space. Expected: {total:,} bytes free. Received: {free:,}")
            self.note.write_text(json.dumps({"url": self.url, "validator": validator, "total": total}))

    def append(self, blocks: Iterable[bytes], on_progress: OnBytes) -> None:
        """Write blocks as they come, each to disk before the next is waited for."""
        with writing(self.path):
            file = self.path.open("ab", buffering=0)
        with file:
            on_progress(self.size, self.total)
            for block in blocks:
                rest = memoryview(block)
                while rest:  # a disk that is nearly full takes some of it
                    with writing(self.path):
                        rest = rest[file.write(rest) :]
                self.size += len(block)
                self.received += len(block)
                on_progress(self.size, self.total)

    def discard(self) -> None:
        """Remove it, so that the next attempt starts fresh."""
        self._forget(None, None)
        with writing(self.path):
            self.path.unlink(missing_ok=True)
            self.note.unlink(missing_ok=True)

    def verify(self, sha256: str | None) -> None:
        """Check that it is the archive with this checksum, or with none a zip whose directory can be read.

        The file is read again: the bytes that came need not be those that now lie on the disk.

        Raises:
            DataError: it is another one, and was removed.
        """
        if sha256:
            received, size = sha256_of(self.path), self.path.stat().st_size
            if received == sha256:
                return
            problem = f"the archive with sha256 {sha256}. Received: {received} ({size:,} bytes)"
        else:
            try:
                zipfile.ZipFile(self.path).close()
                return
            except (OSError, zipfile.BadZipFile):
                with self.path.open("rb") as file:
                    problem = f"a zip archive. Received: {what_is(file.read(4096))}"
        self.discard()
        raise DataError(f"{self.url}: expected {problem}; it was removed, the next attempt starts afresh")

    def finish(self, target: Path) -> None:
        """Give the whole file its name."""
        with writing(target):
            put_file_in_place(self.path, target)
            self.note.unlink(missing_ok=True)

    def _forget(self, validator: str | None, total: int | None) -> None:
        self.size, self.validator, self.total = 0, validator, total
