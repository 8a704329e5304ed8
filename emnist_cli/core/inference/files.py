"""From what a user names on the command line to the files meant: folders are entered, globs expanded, lazily.

Nothing is ever dropped: a path that leads nowhere is yielded with its problem, and becomes a row like any other.
"""

import glob
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from emnist_cli.core.errors import ImageError

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".pfm"}
)
"""What a picture in a folder is recognized by; a file that is named itself is read whatever its name."""


class Found(NamedTuple):
    """A picture to read, or a path that leads to none.

    Attributes:
        path: as the user would name it; "-" for stdin.
        problem: why there is nothing to read; usually None.
    """

    path: str
    problem: ImageError | None = None


def find_pictures(
    paths: Iterable[str], recursive: bool = False, on_skip: Callable[[str], None] = lambda path: None
) -> Iterator[Found]:
    """Yield the pictures that `paths` stand for, folders sorted by name.

    Args:
        paths: files, folders, glob patterns, or "-".
        recursive: enter folders within folders; links to folders are not followed.
        on_skip: called with each file in a folder that is not a picture by its name.
    """
    for path in paths:
        if path == "-":
            yield Found(path)
        elif os.path.isdir(path):  # noqa: PTH112 - true also for names that pathlib would change
            yield from _in_folder(path, recursive, on_skip)
        elif not os.path.lexists(path) and glob.has_magic(path):
            yield from _matches(path, recursive, on_skip)
        else:
            yield Found(path)


def _matches(pattern: str, recursive: bool, on_skip: Callable[[str], None]) -> Iterator[Found]:
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - keeps the user's spelling
    if not matches:
        yield Found(pattern, ImageError("no file matches this pattern"))
    for match in matches:
        if Path(match).is_dir():
            yield from _in_folder(match, recursive, on_skip)
        else:
            yield Found(match)


def _in_folder(folder: str, recursive: bool, on_skip: Callable[[str], None]) -> Iterator[Found]:
    empty = True
    for found in _walk(folder, recursive, on_skip):
        empty = False
        yield found
    if empty:
        hint = "" if recursive else "; --recursive looks in its folders too"
        yield Found(folder, ImageError(f"no pictures in this folder (.png, .jpg, .tif, ...){hint}"))


def _walk(folder: str, recursive: bool, on_skip: Callable[[str], None]) -> Iterator[Found]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Found(folder, ImageError(f"cannot be listed: {error.strerror}"))
        return
    for entry in listed:
        if entry.is_dir(follow_symlinks=False):
            if recursive:
                yield from _walk(entry.path, recursive, on_skip)
        elif is_picture_name(entry.name):
            if not _is_pipe(entry):
                yield Found(entry.path)
        elif not entry.name.startswith("."):
            on_skip(entry.path)


def is_picture_name(name: str) -> bool:
    """Tell whether a file in a folder is a picture to read, by its name; hidden files are not."""
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES


def _is_pipe(entry: "os.DirEntry[str]") -> bool:
    """Whether it is no file, so that opening it could wait for ever. A broken link is not: it gets its row."""
    try:
        return not stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False
