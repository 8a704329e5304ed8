"""Read files from URIs with fsspec, for the Ray engine and its workers.

URIs such as s3://, gs://, hdfs://, zip://...::... and file:/// are supported. A protocol that fsspec has no package
for may be known to pyarrow.
"""

import functools
import re
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from emnist_cli.core.errors import ImageError, MissingError
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.imaging.decode import MAX_BYTES, read_bytes

_URI = re.compile(r"((?:[A-Za-z][\w+.-]*::)*[A-Za-z][\w+.-]+://)(.*?)(::.*)?", re.DOTALL)
"""Protocols, path, and what the path is within: "zip://", "a/b.png", "::s3://bucket/scans.zip"."""

_AT_ONCE = 8
_ALONE = threading.Lock()  # archives have one position in one file


class UriLocation(NamedTuple):
    """Where a URI leads.

    Attributes:
        system: an fsspec file system.
        path: in it.
    """

    system: Any
    path: str


def is_uri(path: str) -> bool:
    """Tell whether a path names its protocol."""
    return _URI.fullmatch(path) is not None


def find_location(uri: str) -> UriLocation:
    """Find the file system of a URI.

    Raises:
        MissingError: a package has to be installed for it.
        Exception: whatever the file system has to say.
    """
    from fsspec.core import url_to_fs

    try:
        return UriLocation(*url_to_fs(uri))
    except ImportError as error:
        place = _find_in_pyarrow(uri)
        if place is None:
            raise MissingError(f"{uri}: {reason(error)}") from None
        return place


def _find_in_pyarrow(uri: str) -> UriLocation | None:
    from fsspec.implementations.arrow import ArrowFSWrapper

    before, inner, _ = split(uri)
    host, slash, path = inner.partition("/")
    try:
        system, root = _open_in_pyarrow(before + host)
    except (ValueError, ImportError):  # a protocol that it does not know, or was built without
        return None
    return UriLocation(ArrowFSWrapper(system), root.rstrip("/") + slash + path)


@functools.lru_cache(8)
def _open_in_pyarrow(root: str) -> tuple[Any, str]:
    """Open what all files of a bucket share; doing so asks the server."""
    from pyarrow.fs import FileSystem

    opened: tuple[Any, str] = FileSystem.from_uri(root)
    return opened


def fetch_all(found: Iterable[ImageRef]) -> list[ImageRef]:
    """Read what is named by a URI, several at a time where most of that is waiting; leave the others as they are."""
    # Resolved by this thread alone: fsspec opens everything anew in each.
    places = [(item, _try_place(item)) for item in found]
    if all(place is None for _, place in places):
        return [item for item, _ in places]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(_fetch, *zip(*places, strict=True)))


def _try_place(found: ImageRef) -> UriLocation | ImageError | None:
    if found.problem or found.data is not None or not is_uri(found.path):
        return None
    try:
        return find_location(found.path)
    except Exception as error:
        return problem_of(error)


def _fetch(found: ImageRef, place: UriLocation | ImageError | None) -> ImageRef:
    if place is None:
        return found
    try:
        return found._replace(problem=place) if isinstance(place, ImageError) else found._replace(data=_read(place))
    except ImageError as error:
        return found._replace(problem=error)
    except MemoryError:
        return found._replace(problem=ImageError("not enough memory to read it"))
    except Exception as error:
        return found._replace(problem=problem_of(error))


def _read(place: UriLocation) -> bytes:
    if is_local(place.system):
        return read_bytes(place.path)
    with _turn(place.system), place.system.open(place.path, "rb") as file:
        size: int | None = getattr(file, "size", None)
        if size is None or size <= MAX_BYTES:
            data: bytes = file.read(MAX_BYTES + 1) if size is None else file.read()
            if len(data) <= MAX_BYTES:
                return data
    raise ImageError(f"more than {MAX_BYTES // 2**20} MiB, which no picture that is read here has")


def _turn(system: Any) -> AbstractContextManager[object]:
    """Let one thread at a time have what is not made for several."""
    from fsspec.implementations.arrow import ArrowFSWrapper

    return nullcontext() if system.async_impl or isinstance(system, ArrowFSWrapper) else _ALONE


def is_local(system: Any) -> bool:
    """Tell whether a file system is this machine's own."""
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(system, LocalFileSystem)


def split(uri: str) -> tuple[str, str, str]:
    """Return what stands before the path in a URI, the path, and what stands behind it."""
    match = _URI.fullmatch(uri)
    assert match
    return match[1], match[2], match[3] or ""


def join(uri: str, name: str) -> str:
    """Name what is in a folder that has a URI."""
    before, inner, behind = split(uri)
    return f"{before}{inner}{'/' if inner and not inner.endswith('/') else ''}{name}{behind}"


def problem_of(error: Exception) -> ImageError:
    """Say what kept a picture from being read as the local engine does."""
    if isinstance(error, FileNotFoundError):
        return ImageError("no such file or folder")
    return ImageError(f"cannot be read: {reason(error)}")


def reason(error: Exception) -> str:
    """Say in one line what a file system has to say."""
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return str(text).splitlines()[0]
