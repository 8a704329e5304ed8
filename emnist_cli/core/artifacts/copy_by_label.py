"""Copy images into one folder per predicted label, for `emnist predict --copy-to`.

The folders are named as `labelled.read_folder` expects, so that the copies can be used for training. Nothing is moved
and nothing is replaced. A copy appears completely or not at all.
"""

import fnmatch
import glob
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from emnist_cli.core.atomic_file import new_file
from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.core.files.labelled import folder_name
from emnist_cli.core.records import Prediction

_LONGEST = 255  # bytes of a name
_BLOCK = 2**20  # bytes of a file that are held at once


class LabelSorter:
    """Copies the pictures of predictions into folders.

    Attributes:
        folder: that has a folder for each answer, and `_uncertain`, `_empty` and `_error`.
        copied: files that were copied.
        present: files that were there already, from an earlier run or by another path.
        missing: predictions that have no file: stdin, and what cannot be read or is gone.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            OutputError: it cannot be made.
        """
        self.folder = folder
        self.copied = self.present = self.missing = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _failure(folder, error) from None

    def add(self, prediction: Prediction) -> bool:
        """Copy the file of a prediction to its answer's folder, under its own name or, if that is taken, with
        some of its content's SHA-256 behind it: other files of that name need not be looked at, nor counted.

        Returns:
            Whether its content is there now; False if there is no file, or it cannot be read.

        Raises:
            OutputError: it cannot be written.
        """
        place = self.folder / (folder_name(prediction.label) if prediction.status == "ok" else f"_{prediction.status}")
        try:
            source = _open(prediction.path)
            if source is None:
                self.missing += 1
                return False
            with source:
                self._put(source, place, os.path.basename(prediction.path))  # noqa: PTH119 - keeps the name as it is
        except _UnreadableError:
            self.missing += 1
            return False
        except OSError as error:
            raise _failure(place, error) from None
        return True

    def _put(self, source: BinaryIO, place: Path, name: str) -> None:
        """Copy a file into a folder unless it is there, under the first name that is free."""
        place.mkdir(parents=True, exist_ok=True)
        for path in _names(place, name, source):
            if not os.path.lexists(path):
                with suppress(FileExistsError):  # another run was quicker: see what it put there
                    _copy(source, path)
                    self.copied += 1
                    return
            if _is_same(source, path):
                self.present += 1
                return
        raise FileExistsError


def check_copy_dir(folder: Path, paths: Iterable[str], recursive: bool) -> None:
    """Refuse a folder for copies, before a long run, that cannot be meant.

    Args:
        folder: that `LabelSorter` is to fill; need not be there.
        paths: what is read, as for `discovery.find_pictures`.
        recursive: as for `discovery.find_pictures`.

    Raises:
        UsageError: it is no folder, or what is copied there would be read again.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--copy-to: expected a folder. Received: {folder}")
    path = reader_of(folder, paths, recursive)
    if path is not None:
        raise UsageError(
            f"--copy-to: copies in there would be read as pictures of {path}; choose a folder elsewhere. "
            f"Received: {folder}"
        )


def reader_of(place: Path, paths: Iterable[str], recursive: bool) -> str | None:
    """Return the path on the command line that names a file or folder or a folder it is read with, or None.

    Args:
        place: need not be there; symbolic links are followed.
        paths: files, folders, glob patterns, or "-". Below a pattern with ** everything counts as read.
        recursive: folders within folders are read.
    """
    place = Path(os.path.realpath(place))  # resolve() fails on a link to itself
    meant = {_identity(p) for p in (place, *(place.parents if recursive else ()))} - {None}
    for path in paths:
        if os.path.lexists(path):
            if _identity(path) in meant:
                return path
        elif path != "-" and glob.has_magic(path) and _matches(place, path, recursive):
            return path
    return None


def _identity(path: str | Path) -> tuple[int, int] | None:
    """What a file or folder is known by, in whatever case and by whatever links its path is spelled."""
    try:
        status = os.stat(path)  # noqa: PTH116 - pathlib would change names
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _matches(place: Path, pattern: str, recursive: bool) -> bool:
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    base, rest = Path(os.path.realpath(Path(*parts[:fixed]))), parts[fixed:]
    if not place.is_relative_to(base):
        return False
    if "**" in rest:
        return True
    inside = place.relative_to(base).parts
    reached = len(inside) >= len(rest) if recursive else len(inside) == len(rest)
    return reached and all(map(fnmatch.fnmatch, inside, rest))


class _UnreadableError(Exception):
    """The source, not the copy, has failed."""


def _open(path: str) -> BinaryIO | None:
    """Open a prediction's file, if there is one; a pipe or a device cannot be read twice."""
    try:
        return open(path, "rb") if os.path.isfile(path) else None  # noqa: PTH113, PTH123 - pathlib would change names
    except OSError:
        return None


def _names(place: Path, name: str, source: BinaryIO) -> Iterator[Path]:
    yield place / name
    stem, suffix = os.path.splitext(name)  # noqa: PTH122
    digest = _digest(source)
    while len(os.fsencode(f"{stem}-{digest}{suffix}")) > _LONGEST and stem:
        stem = stem[:-1]
    for length in (8, 16, len(digest)):
        yield place / f"{stem}-{digest[:length]}{suffix}"


def _digest(source: BinaryIO) -> str:
    source.seek(0)
    content = hashlib.sha256()
    while block := _read(source):
        content.update(block)
    return content.hexdigest()


def _copy(source: BinaryIO, path: Path) -> None:
    """Copy content and modification time. Permissions are a file's usual ones: a copy need not be read-only.

    It is not forced onto the disk, which can take longer than reading the picture.

    Raises:
        FileExistsError: something has that name.
    """
    source.seek(0)
    with new_file(path, replace=False, sync=False) as file:
        while block := _read(source):
            file.write(block)
        file.flush()  # later writing would change the time
        status = os.fstat(source.fileno())
        copy = file.fileno() if os.utime in os.supports_fd else file.name
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(_BLOCK)
    except OSError:
        raise _UnreadableError from None


def _is_same(source: BinaryIO, path: Path) -> bool:
    """Whether a file has the content of `source`; what cannot be read has not."""
    try:
        if not path.is_file() or path.stat().st_size != os.fstat(source.fileno()).st_size:
            return False
        with path.open("rb") as other:
            source.seek(0)
            while block := _read(source):
                if other.read(_BLOCK) != block:
                    return False
            return True
    except OSError:
        return False


def _failure(place: Path, error: OSError) -> OutputError:
    reason = "a file has that name" if isinstance(error, FileExistsError) else error.strerror or error
    return OutputError(f"--copy-to: {place} cannot be written ({reason}); what was copied before is complete")
