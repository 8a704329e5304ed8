"""Store prepared splits as plain numpy files, for `dataset` and `emnist data`.

The files open in milliseconds and need no TensorFlow. A cache folder holds `train-images.npy`, `train-labels.npy`,
the same two files for test, and `cache.json`, which describes their contents and their origin. `cache.json` is
written last: a folder without it is not a cache.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import find_split

RECORD = "cache.json"
_VERSION = 1


@dataclass(frozen=True)
class Origin:
    """Where a split came from.

    Attributes:
        path: the file or folder that was read.
        bytes: its size, or that of all files in it.
        changed: when it was last changed, in nanoseconds since 1970.
        sha256: of a file; "" for a folder.
    """

    path: str
    bytes: int
    changed: int
    sha256: str

    def same_file(self, other: "Origin") -> bool:
        """Whether both tell of one unchanged file, by what can be seen without reading it."""
        return (self.path, self.bytes, self.changed) == (other.path, other.bytes, other.changed)


@dataclass(frozen=True)
class CacheRecord:
    """What `cache.json` says.

    Attributes:
        split: name of the split.
        counts: pictures of each part.
        class_counts: of each part, pictures of each class in order of id.
        origin: where it came from.
        files: path within the data folder -> {"bytes", "sha256"}; those of tensorflow-datasets too.
    """

    split: str
    counts: Mapping[str, int]
    class_counts: Mapping[str, tuple[int, ...]]
    origin: Origin
    files: Mapping[str, Mapping[str, Any]]

    @property
    def as_published(self) -> bool:
        """Whether both parts have as many pictures as the published archive."""
        split = find_split(self.split)
        return (self.counts["train"], self.counts["test"]) == (split.train, split.test)


def read_record(folder: Path) -> CacheRecord | None:
    """Return what is cached in `folder`; None where there is nothing, or something of another version."""
    try:
        found = json.loads((folder / RECORD).read_bytes())
        if found.pop("version") != _VERSION:
            return None
        class_counts = {part: tuple(counts) for part, counts in found["class_counts"].items()}
        return CacheRecord(**{**found, "class_counts": class_counts, "origin": Origin(**found["origin"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def read_cache(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Open one part.

    Returns:
        Pictures, uint8 (n, 28, 28), mapped from disk and read-only; class ids, int64 (n,).

    Raises:
        DataError: a file is missing or shorter than it says.
    """
    try:
        images = np.load(folder / f"{part}-images.npy", mmap_mode="r")
        labels = np.load(folder / f"{part}-labels.npy")
        if images.shape != (len(labels), IMAGE_SIZE, IMAGE_SIZE) or images.dtype != np.uint8:
            raise ValueError(f"{part} has pictures {images.dtype} {images.shape} for {len(labels)} labels")
    except (OSError, EOFError, ValueError) as error:  # EOFError: a file of no bytes
        raise DataError(f"{folder}: damaged ({error}); get the split again with: emnist data import PATH") from None
    return np.asarray(images), labels.astype(np.int64)


def write_part(folder: Path, part: str, count: int, chunks: Iterator[tuple[Any, Any]]) -> NDArray[np.int64]:
    """Write one part as it comes, in little memory.

    Args:
        folder: where to; must exist.
        part: "train" or "test".
        count: pictures that will come.
        chunks: (uint8 (n, 28, 28), integers (n,)) until there are `count`.

    Returns:
        Pictures of each class id, int64.

    Raises:
        DataError: another number of pictures came.
    """
    written = 0
    totals = np.zeros(256, np.int64)
    with (folder / f"{part}-images.npy").open("wb") as images, (folder / f"{part}-labels.npy").open("wb") as labels:
        _write_header(images, (count, IMAGE_SIZE, IMAGE_SIZE))
        _write_header(labels, (count,))
        for x, y in chunks:
            images.write(np.ascontiguousarray(x, np.uint8).data)
            labels.write(np.ascontiguousarray(y, np.uint8).data)
            totals += np.bincount(y, minlength=256)
            written += len(x)
    if written != count:
        raise DataError(f"{folder}: expected {count:,} pictures of {part}. Received: {written:,}")
    return totals


def write_record(
    root: Path, folder: Path, split: str, class_counts: Mapping[str, NDArray[np.int64]], origin: Origin
) -> None:
    """Write `cache.json`, which makes a cache of the files already there.

    Args:
        root: of the data folder; every file below it belongs to the split.
        folder: of the cache, below `root`.
        split: name of the split.
        class_counts: of each part, as `write_part` returns them.
        origin: where the split came from.
    """
    classes = len(find_split(split).classes)
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.parent.name.startswith("."))
    record = CacheRecord(
        split,
        {part: int(totals.sum()) for part, totals in class_counts.items()},
        {part: tuple(int(n) for n in totals[:classes]) for part, totals in class_counts.items()},
        origin,
        {p.relative_to(root).as_posix(): {"bytes": p.stat().st_size, "sha256": sha256_of(p)} for p in files},
    )
    (folder / RECORD).write_text(json.dumps({"version": _VERSION, **asdict(record)}, indent=1), encoding="utf-8")


def find_damage(root: Path, record: CacheRecord) -> list[str]:
    """Return the names of the files that are not what the record says."""
    return [name for name, file in record.files.items() if not _is_whole(root / name, file)]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def _is_whole(path: Path, file: Mapping[str, Any]) -> bool:
    return path.is_file() and path.stat().st_size == file["bytes"] and sha256_of(path) == file["sha256"]


def _write_header(file: Any, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
