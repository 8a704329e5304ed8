"""From what a user names on the command line to the files meant: folders are entered, globs expanded, lazily.

Nothing is ever dropped: a path that leads nowhere is yielded with its problem, and becomes a row like any other.
"""

import fnmatch
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
    deep = "**" in Path(pattern).parts
    matches = _deep_matches(Path(pattern).parts) if deep else sorted(glob.glob(pattern))  # noqa: PTH207
    if not matches:
        yield Found(pattern, ImageError("no file matches this pattern"))
    for match in matches:
        if Path(match).is_dir():
            yield from _in_folder(match, recursive, on_skip)
        else:
            yield Found(match)


def _deep_matches(pattern: tuple[str, ...]) -> list[str]:
    """The pictures that a pattern with ** finds; unlike glob's, the search cannot go round in circles of links."""
    fixed = next(i for i, part in enumerate(pattern) if glob.has_magic(part))
    base = Path(*pattern[:fixed])
    paths = (Path(found.path) for found in _walk(str(base), True, lambda path: None) if not found.problem)
    return [str(path) for path in paths if _fits(path.relative_to(base).parts, pattern[fixed:])]


def _fits(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether the parts of a path match those of a pattern; ** stands for any number of folders, at the end for all."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return len(pattern) == 1 or any(_fits(parts[i:], pattern[1:]) for i in range(len(parts)))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _in_folder(folder: str, recursive: bool, on_skip: Callable[[str], None]) -> Iterator[Found]:
    empty = True
    for found in _walk(folder, recursive, on_skip):
        empty = False
        yield found
    if empty:
        hint = "" if recursive else "; --recursive looks in its folders too"
        yield Found(folder, ImageError(f"no pictures in this folder (.png, .jpg, .tif, ...){hint}"))


def _walk(folder: str, recursive: bool, on_skip: Callable[[str], None]) -> Iterator[Found]:
    """Depth first, by name; with a stack, since folders can be nested deeper than calls."""
    stack = [_list(folder)]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
        elif isinstance(entry, Found):
            yield entry
        elif entry.name.startswith("."):
            continue
        elif entry.is_dir(follow_symlinks=False):
            if recursive:
                stack.append(_list(entry.path))
        elif not is_picture_name(entry.name):
            on_skip(entry.path)
        elif not _is_pipe(entry):
            yield Found(entry.path)


def _list(folder: str) -> "Iterator[os.DirEntry[str] | Found]":
    """A folder's entries by name; one that cannot be listed is found as a problem."""
    try:
        with os.scandir(folder) as entries:
            return iter(sorted(entries, key=lambda entry: entry.name))
    except OSError as error:
        return iter([Found(folder, ImageError(f"cannot be listed: {error.strerror}"))])


def is_picture_name(name: str) -> bool:
    """Tell whether a file in a folder is a picture to read, by its name."""
    return Path(name).suffix.lower() in SUFFIXES


def _is_pipe(entry: "os.DirEntry[str]") -> bool:
    """Whether it is no file, so that opening it could wait for ever. A broken link is not: it gets its row."""
    try:
        return not stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False
