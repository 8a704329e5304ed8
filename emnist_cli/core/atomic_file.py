"""Write files and folders completely or not at all; everything that the program leaves on a disk goes through here."""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from emnist_cli.core.errors import OutputError

_A_DAY = 24 * 60 * 60
_NAME_BYTES = 100  # of a name that are repeated in a temporary one, which must not become too long


@contextmanager
def new_file(path: Path, *, replace: bool = True, sync: bool = True) -> Iterator[BinaryIO]:
    """Give an empty file to fill, which gets the name `path` at the end; if the block fails, nothing is left.

    The file has a temporary name in the same folder until then. Nobody can guess that name, and a link that is there
    is not followed. A link at `path` is not followed either: it is replaced. Resolve it first to keep it.

    Args:
        path: of the file. A file that is there is replaced, and the new one gets its permissions.
        replace: False to refuse a `path` that exists.
        sync: wait until the content is on the disk, so that a power failure cannot leave an empty file.

    Raises:
        FileExistsError: `path` exists, and `replace` is False.
        OSError: the file cannot be written; what was at `path` is as it was.
    """
    scratch = path.with_name(f"{_hidden_name(path)}.{secrets.token_hex(8)}.tmp")
    file = scratch.open("xb")  # fails if the name is taken, by a link too; the permissions are the umask's
    try:
        with file:
            if replace:
                _keep_permissions(scratch, path)
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        if replace:
            scratch.replace(path)
        else:
            _rename_to_free_name(scratch, path)
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def write_file(path: Path, content: bytes) -> None:
    """Write a file completely or not at all. If `path` is a link, the file that it leads to is replaced.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        with new_file(Path(os.path.realpath(path))) as file:
            file.write(content)
    except OSError as error:
        raise write_error(path, error) from None


def write_error(path: Path, error: OSError) -> OutputError:
    """Return the error for a file or folder that could not be written and is as it was before."""
    return OutputError(f"{path}: cannot be written ({error.strerror or error}); nothing was left there")


def put_file_in_place(scratch: Path, path: Path, *, sync: bool = True) -> None:
    """Rename a finished file to `path`, with the permissions of the file that it replaces, if there is one.

    Args:
        scratch: the file, closed, on the same file system.
        path: its name from now on.
        sync: force its content onto the disk first.

    Raises:
        OSError: it cannot be renamed.
    """
    _keep_permissions(scratch, path)
    if sync:
        with scratch.open("rb+") as file:
            os.fsync(file.fileno())
    scratch.replace(path)


def _keep_permissions(scratch: Path, path: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.copymode(path, scratch)


def _hidden_name(path: Path) -> str:
    """Return how the temporary names for `path` begin: folders are read without hidden files."""
    name = path.name.encode("utf-8", "ignore")[:_NAME_BYTES].decode("utf-8", "ignore")
    return f".{name}.{os.getpid()}"


def _rename_to_free_name(scratch: Path, path: Path) -> None:
    """Rename a file to a name that must be free.

    Raises:
        FileExistsError: it is taken.
    """
    try:
        path.hardlink_to(scratch)
    except OSError:  # the name is taken, or the file system has no links
        if os.name == "nt":
            scratch.rename(path)  # fails there if the name is taken
            return
        path.open("xb").close()  # takes the name, or fails
        try:
            scratch.replace(path)
        except OSError:
            path.unlink()
            raise


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of `place` at the end; if that fails, nothing is left.

    Raises:
        OSError: it cannot be made or renamed; `place` is then as it was.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{_hidden_name(place)}.") as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        yield new
        put_in_place(new, place)


def put_in_place(new: Path, place: Path) -> None:
    """Rename folder `new` to `place`; what was there is removed only when that is done.

    Raises:
        OSError: it cannot be renamed; `place` is then as it was.
    """
    old = place.with_name(f"{_hidden_name(place)}.{secrets.token_hex(8)}.old")
    try:
        if place.exists():
            place.rename(old)
        new.rename(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.rename(place)
        raise
    if old.exists():
        shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(parent: Path, pattern: str) -> None:
    """Remove folders that runs which were killed have left: those that nothing was put into for a day.

    Args:
        parent: where they are.
        pattern: of their names, such as only runs of one kind use.
    """
    for folder in parent.glob(pattern):
        with suppress(OSError):  # gone by now
            if time.time() - folder.stat().st_mtime > _A_DAY:
                shutil.rmtree(folder, ignore_errors=True)


def is_worked_in(folder: Path) -> bool:
    """Whether this process works in `folder` or below: replacing it would leave the caller nowhere."""
    return Path.cwd().resolve().is_relative_to(folder.resolve())
