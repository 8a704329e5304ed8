"""Find the image files that the paths of a command line stand for; `parallel` and the commands use it.

Folders are entered and globs expanded lazily. Nothing is ever dropped: a path that does not exist is yielded with its
error, and becomes a row like any other.
"""

import fnmatch
import glob
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from emnist_cli.core.errors import ImageError
from emnist_cli.core.files.name_order import Entry, by_bytes, sorted_on_disk
from emnist_cli.core.files.patterns import path_matches

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".pfm"}
)
"""What a picture in a folder is recognized by; a file that is named itself is read whatever its name."""

IN_MEMORY = 10_000
"""A folder of so many entries and more is sorted on disk, so that memory does not grow with it."""

_FILE, _FOLDER, _OTHER = range(3)  # what the folder itself tells of an entry; links are among the others


class ImageRef(NamedTuple):
    """A picture to read, or a path that leads to none.

    Attributes:
        path: as the user would name it; "-" for stdin.
        problem: why there is nothing to read; usually None.
        data: its content, where that has been read already; usually None.
    """

    path: str
    problem: ImageError | None = None
    data: bytes | None = None


_Pictures = Generator[ImageRef, None, None]


def find_pictures(
    paths: Iterable[str],
    recursive: bool = False,
    on_skip: Callable[[str], None] = lambda path: None,
    suffixes: frozenset[str] = SUFFIXES,
) -> Iterator[ImageRef]:
    """Yield the pictures that `paths` stand for, folders sorted by the bytes of the names.

    Args:
        paths: files, folders, glob patterns, or "-".
        recursive: enter folders within folders; links to folders are not followed.
        on_skip: called with each file in a folder that is not a picture by its name.
        suffixes: what the names of pictures in folders end with.
    """
    search = _Search(recursive, on_skip, suffixes=suffixes)
    for path in paths:
        yield from search.find(path)


def count_pictures(
    paths: Iterable[str], recursive: bool = False, stop: Callable[[], bool] = lambda: False
) -> int | None:
    """Count what `find_pictures` would yield, without sorting it.

    Args:
        paths: as for `find_pictures`.
        recursive: as for `find_pictures`.
        stop: asked at every path and every entry of a folder; the count ends when it is true.

    Returns:
        How many there are, or None when it was stopped.
    """
    search = _Search(recursive, lambda path: None, stop)
    with suppress(_Stopped):
        return sum(1 for path in paths for _ in search.find(path))
    return None


def is_picture_name(name: str, suffixes: frozenset[str] = SUFFIXES) -> bool:
    """Tell whether a file in a folder is a picture to read, by its name."""
    return os.path.splitext(name)[1].lower() in suffixes  # noqa: PTH122 - several times as fast as pathlib


class _Stopped(Exception):
    """Nobody wants the count any more."""


class _Search:
    """Follows paths: in order, or, where there is a `stop`, as the entries come and until that is true."""

    def __init__(
        self,
        recursive: bool,
        on_skip: Callable[[str], None],
        stop: Callable[[], bool] | None = None,
        suffixes: frozenset[str] = SUFFIXES,
    ) -> None:
        self._recursive, self._on_skip, self._stop, self._suffixes = recursive, on_skip, stop, suffixes

    def find(self, path: str) -> _Pictures:
        """Yield what one path stands for."""
        self._ask()
        if path != "-" and os.path.isdir(path):  # noqa: PTH112 - true also for names that pathlib would change
            yield from self._in_folder(path)
        elif glob.has_magic(path) and not os.path.lexists(path):
            yield from _or_else(self._matches(path), ImageRef(path, ImageError("no file matches this pattern")))
        else:
            yield ImageRef(path)

    def _in_folder(self, folder: str) -> _Pictures:
        hint = "" if self._recursive else "; --recursive looks in its folders too"
        problem = ImageError(f"no pictures in this folder (.png, .jpg, .tif, ...){hint}")
        yield from _or_else(self._walk(folder, self._recursive, self._on_skip), ImageRef(folder, problem))

    def _matches(self, pattern: str) -> _Pictures:
        folder, name = os.path.split(pattern)
        if "**" in Path(pattern).parts:
            yield from self._deep_matches(Path(pattern).parts)
        elif not name or glob.has_magic(folder):  # folders that match are few: glob may list them at once
            for path in sorted(glob.glob(pattern), key=os.fsencode):  # noqa: PTH207
                yield from self._match(path, _OTHER)
        else:
            with closing(self._list(folder, name)) as entries:
                for entry in entries:
                    if not isinstance(entry, ImageRef):
                        yield from self._match(os.path.join(folder, entry[0]), entry[1])  # noqa: PTH118

    def _match(self, path: str, kind: int) -> _Pictures:
        """A file that matches is taken whatever its name; a folder is entered, a link to one too."""
        if kind == _FOLDER or (kind == _OTHER and os.path.isdir(path)):  # noqa: PTH112
            yield from self._in_folder(path)
        else:
            yield ImageRef(path)

    def _deep_matches(self, pattern: tuple[str, ...]) -> _Pictures:
        """What a pattern with ** finds; unlike glob's, the search cannot go round in circles of links."""
        fixed = next(i for i, part in enumerate(pattern) if glob.has_magic(part))
        base = str(Path(*pattern[:fixed]))
        start = len(os.path.join(base, ""))  # noqa: PTH118
        with closing(self._walk(base, True, lambda path: None)) as pictures:
            for path, problem, *_ in pictures:
                if not problem and path_matches(path[start:].split(os.sep), pattern[fixed:]):  # noqa: PTH206
                    yield ImageRef(path if fixed else path[start:])

    def _walk(self, folder: str, recursive: bool, on_skip: Callable[[str], None]) -> _Pictures:
        """Depth first, by name; with a stack, since folders can be nested deeper than calls."""
        stack = [(folder, self._list(folder))]
        try:
            while stack:
                folder, entries = stack[-1]
                entry = next(entries, None)
                if entry is None:
                    stack.pop()
                elif isinstance(entry, ImageRef):
                    yield entry
                else:
                    name, kind = entry
                    path = os.path.join(folder, name)  # noqa: PTH118
                    if kind == _FOLDER:
                        if recursive:
                            stack.append((path, self._list(path)))
                    elif not is_picture_name(name, self._suffixes):
                        on_skip(path)
                    elif kind == _FILE or not _is_pipe(path):
                        yield ImageRef(path)
        finally:
            for _, entries in stack:
                entries.close()

    def _list(self, folder: str, pattern: str = "*") -> Generator[Entry | ImageRef, None, None]:
        """Yield the entries that match; a folder that cannot be listed is found as a problem."""
        try:
            with os.scandir(folder or os.curdir) as entries:
                matching = self._matching(entries, pattern)
                few = list(islice(matching, IN_MEMORY))
                found, are_few = chain(few, matching), len(few) < IN_MEMORY
                del few  # which would stay for as long as the folder is read
                if self._stop:
                    yield from found
                elif are_few:
                    yield from sorted(found, key=by_bytes)
                else:
                    yield from sorted_on_disk(found)
        except OSError as error:
            yield ImageRef(folder, ImageError(f"cannot be listed: {error.strerror or error}"))

    def _matching(self, entries: "Iterator[os.DirEntry[str]]", pattern: str) -> Iterator[Entry]:
        """As glob has it, a hidden name matches only what begins with a dot, too."""
        for entry in entries:
            self._ask()
            if entry.name.startswith(".") and not pattern.startswith("."):
                continue
            if pattern == "*" or fnmatch.fnmatch(entry.name, pattern):
                yield entry.name, _kind(entry)

    def _ask(self) -> None:
        if self._stop and self._stop():
            raise _Stopped


def _or_else(pictures: _Pictures, otherwise: ImageRef) -> _Pictures:
    with closing(pictures):
        yield next(pictures, otherwise)
        yield from pictures


def _kind(entry: "os.DirEntry[str]") -> int:
    """Tell what an entry is without asking the system about it, where its folder has that on record."""
    try:
        if entry.is_file(follow_symlinks=False):
            return _FILE
        return _FOLDER if entry.is_dir(follow_symlinks=False) else _OTHER
    except OSError:
        return _OTHER


def _is_pipe(path: str) -> bool:
    """Whether it is no file, so that opening it could wait for ever. A broken link is not: it gets its row."""
    return os.path.exists(path) and not os.path.isfile(path)  # noqa: PTH110, PTH113
