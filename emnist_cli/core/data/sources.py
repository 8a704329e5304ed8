"""Open EMNIST's files from any supported source; `builder` and `dataset` use it.

All file formats look the same to the rest of the program. Supported are NIST's gzip.zip and matlab.zip, Kaggle's
crawford/emnist, and folders of the files in them, including the folder that torchvision leaves. The source is
detected from its names and contents, so the user does not have to name it.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.data import csv_source, idx, mat_source
from emnist_cli.core.data.chunks import PARTS, Chunk, Half, Halves
from emnist_cli.core.data.containers import Archive, Container, Folder, what_is
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import SPLITS, find_split

ACCEPTED = (
    "Expected: EMNIST as NIST's gzip.zip or matlab.zip, as Kaggle's archive of csv, or a folder with the files of one"
)

_ONE_OF_MANY = re.compile(r"emnist-\w+-(train|test)(\.csv(\.zip)?|-\w+-idx\d-ubyte(\.gz)?)")
"""Names of files that are useless without those beside them, so naming one means its folder."""


class EmnistSource(Protocol):
    """EMNIST's files in one of the forms in which people have them.

    Attributes:
        path: the file or folder.
        splits: names of the splits of which it has both halves, in the paper's order.
    """

    path: Path
    splits: tuple[str, ...]

    def count(self, split: str, part: str) -> int:
        """Return how many pictures a half of a split has, as its header states."""

    def chunks(self, split: str, part: str) -> Iterator[Chunk]:
        """Yield every picture of a half of a split, in the order of the files, `CHUNK` at a time.

        Args:
            split: name of an EMNIST split.
            part: "train" or "test".

        Raises:
            DataError: a file is missing, damaged, or not what its header says.
        """


class _Files:
    """The halves that were found; a `Source`."""

    def __init__(self, path: Path, halves: Mapping[tuple[str, str], Half]) -> None:
        self.path, self._halves = path, halves
        self.splits = tuple(split for split in SPLITS if (split, "train") in halves)

    def count(self, split: str, part: str) -> int:
        return self._half(split, part).count()

    def chunks(self, split: str, part: str) -> Iterator[Chunk]:
        return self._half(split, part).chunks()

    def _half(self, split: str, part: str) -> Half:
        found = self._halves.get((find_split(split).name, part))
        if found is None:
            raise DataError(f"{self.path}: has no {split} {part}. Received: a source of {', '.join(self.splits)}")
        return found


def open_source(path: Path) -> EmnistSource:
    """Find out what `path` is and open it.

    Raises:
        DataError: it is none of the forms that are known; the message says what it is instead.
    """
    # The later ones win: IDX reads faster than csv, and both without a whole split in memory.
    container = _open_container(path)
    whole: Halves = {}
    lone: Halves = {}
    for find in (mat_source.find_mat, csv_source.find_csv, idx.find_idx):
        for names in _by_folder(container.names):
            found = find(container, names)
            pairs = {split for split, _ in found if all((split, part) in found for part in PARTS)}
            whole |= {key: half for key, half in found.items() if key[0] in pairs}
            lone |= {key: half for key, half in found.items() if key[0] not in pairs}
    if whole:
        return _Files(container.path, whole)
    raise DataError(f"{path}: not a whole split in it. {ACCEPTED}. Received: {_describe(container, lone)}")


def read_split(archive: Path, split: str, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read one half of one split at once, from any form that `open_source` knows.

    Args:
        archive: the archive or folder.
        split: name of an EMNIST split.
        part: "train" or "test".

    Returns:
        Upright pictures, uint8 (n, 28, 28), white ink on black; class ids, int64 (n,), counted from 0.

    Raises:
        DataError: the archive or a file in it is missing or damaged, or counts and labels do not fit.
    """
    source = open_source(archive)
    count = source.count(split, part)
    images, ids = np.empty((count, IMAGE_SIZE, IMAGE_SIZE), np.uint8), np.empty(count, np.int64)
    first = 0
    for chunk in source.chunks(split, part):
        last = first + len(chunk.labels)
        images[first:last], ids[first:last] = chunk
        first = last
    return images, ids


def _open_container(path: Path) -> Container:
    try:
        if _ONE_OF_MANY.fullmatch(path.name) and path.is_file():
            path = path.parent
        if path.is_dir():
            return Folder(path)
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). {ACCEPTED}") from None
    if zipfile.is_zipfile(path):
        return Archive(path)
    if path.suffix == ".mat":
        return Folder(path.parent, (path.name,))
    raise DataError(f"{path}: not EMNIST. {ACCEPTED}. Received: {what_is(head)}")


def _by_folder(names: tuple[str, ...]) -> list[list[str]]:
    """Group names by folder, the nearest last: files of different copies are never mixed, and the nearest wins."""
    groups: dict[PurePosixPath, list[str]] = {}
    for name in names:
        groups.setdefault(PurePosixPath(name).parent, []).append(name)
    return [groups[folder] for folder in sorted(groups, key=lambda f: (len(f.parts), f), reverse=True)]


def _describe(container: Container, lone: Halves) -> str:
    """Say what is in a container that is no source."""
    if lone:
        return f"{', '.join(sorted(f'{split} {part}' for split, part in lone))} without the other half"
    folder = isinstance(container, Folder)
    names = sorted(p.name for p in container.path.iterdir()) if folder else list(container.names)
    if not names:
        return "an empty folder" if folder else "an empty zip archive"
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f"a {'folder' if folder else 'zip archive'} with {', '.join(names[:3])}{more}"
