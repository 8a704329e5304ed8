"""Find the images that URIs stand for; the Ray engine uses it.

Folders are entered and patterns expanded as `files.discovery` does it on a disk.
"""

import fnmatch
import glob
from collections.abc import Callable, Iterator
from typing import Any

from emnist_cli.core.errors import ImageError, MissingError
from emnist_cli.core.files.discovery import ImageRef, find_pictures, is_picture_name
from emnist_cli.core.files.patterns import path_matches
from emnist_cli.core.files.uris import find_location, is_local, join, problem_of, reason, split

OnSkip = Callable[[str], None]


def find_uris(uri: str, recursive: bool, on_skip: OnSkip) -> Iterator[ImageRef]:
    """Yield the pictures that a URI stands for, named by their own URIs; arguments as of `discovery.find_pictures`.

    The entries of one folder are in memory at once.

    Raises:
        MissingError: a package has to be installed for it.
    """
    try:
        system, path = find_location(uri)
        if is_local(system):
            yield from _find_here(system, path, recursive, on_skip)
        elif (kind := _kind(system, path)) == "directory":
            yield from _in_folder(system, path, uri, recursive, on_skip)
        elif kind is None and glob.has_magic(split(uri)[1]):
            found = _matches(uri, recursive, on_skip)
            yield next(found, ImageRef(uri, ImageError("no file matches this pattern")))
            yield from found
        else:
            yield ImageRef(uri)
    except MissingError:
        raise
    except Exception as error:  # every file system has its own
        yield ImageRef(uri, problem_of(error))


def _find_here(system: Any, path: str, recursive: bool, on_skip: OnSkip) -> Iterator[ImageRef]:
    for found in find_pictures([path], recursive, lambda skipped: on_skip(system.unstrip_protocol(skipped))):
        yield found._replace(path=system.unstrip_protocol(found.path))


def _kind(system: Any, path: str) -> str | None:
    """Return "directory", or something else for a file, or None where there is nothing."""
    try:
        return str(system.info(path)["type"])
    except FileNotFoundError:
        return None


def _in_folder(system: Any, folder: str, uri: str, recursive: bool, on_skip: OnSkip) -> Iterator[ImageRef]:
    hint = "" if recursive else "; --recursive looks in its folders too"
    found = _walk(system, folder, uri, recursive, on_skip)
    yield next(found, ImageRef(uri, ImageError(f"no pictures in this folder (.png, .jpg, .tif, ...){hint}")))
    yield from found


def _walk(system: Any, folder: str, uri: str, recursive: bool, on_skip: OnSkip) -> Iterator[ImageRef]:
    """Depth first, by name."""
    try:
        entries = list_folder(system, folder)
    except Exception as error:
        yield ImageRef(uri, ImageError(f"cannot be listed: {reason(error)}"))
        return
    for name, path, kind in entries:
        inner = join(uri, name)
        if name.startswith("."):
            continue
        if kind == "directory":
            if recursive:
                yield from _walk(system, path, inner, recursive, on_skip)
        elif not is_picture_name(name):
            on_skip(inner)
        else:
            yield ImageRef(inner)


def list_folder(system: Any, folder: str) -> list[tuple[str, str, str]]:
    """Return name, path and kind of what is in a folder, sorted by the bytes of the names."""
    entries = []
    for info in system.ls(folder, detail=True):
        path = str(info["name"]).rstrip("/")
        if path.strip("/") != folder.strip("/"):  # stores keep an empty object in place of a folder
            entries.append((path.rsplit("/", 1)[-1], path, str(info["type"])))
    return sorted(entries, key=_by_bytes)


def _by_bytes(entry: tuple[str, str, str]) -> bytes:
    return entry[0].encode("utf-8", "surrogatepass")


def _by_path(match: tuple[str, str, str]) -> bytes:
    return split(match[0])[1].encode("utf-8", "surrogatepass")


def _matches(uri: str, recursive: bool, on_skip: OnSkip) -> Iterator[ImageRef]:
    """As glob has it: files whatever their name, folders entered; ** is for the pictures in any number of folders."""
    before, inner, behind = split(uri)
    parts = inner.split("/")
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    base = before + "/".join(parts[:fixed]) + behind
    system, folder = find_location(base)
    if "**" in parts:
        start = len(split(join(base, ""))[1])
        for found in _walk(system, folder, base, True, lambda path: None):
            inside = split(found.path)[1][start:].split("/")
            if not found.problem and path_matches(inside, parts[fixed:], fnmatch.fnmatchcase):
                yield found
        return
    for match, path, kind in sorted(_expand(system, folder, base, parts[fixed:]), key=_by_path):
        if kind == "directory":
            yield from _in_folder(system, path, match, recursive, on_skip)
        else:
            yield ImageRef(match)


def _expand(system: Any, folder: str, uri: str, pattern: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield URI, path and kind of all that matches a pattern without **."""
    for name, path, kind in list_folder(system, folder):
        hidden = name.startswith(".") and not pattern[0].startswith(".")
        if hidden or not fnmatch.fnmatchcase(name, pattern[0]):
            continue
        if len(pattern) == 1:
            yield join(uri, name), path, kind
        elif kind == "directory":
            yield from _expand(system, path, join(uri, name), pattern[1:])
