"""Where EMNIST's pictures may come from; every form of the files looks the same to the rest of the program.

Known are NIST's gzip.zip and matlab.zip, Kaggle's crawford/emnist, and folders of the files in them, also the one
that torchvision leaves. What something is, its names and contents tell; the user is not asked.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.data.containers import Archive, Container, Folder, what_is
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import SPLITS, find_split

CHUNK = 8192
"""The most pictures that a source gives at once, which bounds the memory it takes."""

PARTS = ("train", "test")

ACCEPTED = (
    "Expected: EMNIST as NIST's gzip.zip or matlab.zip, as Kaggle's archive of csv, or a folder with the files of one"
)

_ONE_OF_MANY = re.compile(r"emnist-\w+-(train|test)(\.csv(\.zip)?|-\w+-idx\d-ubyte(\.gz)?)")
"""Names of files that are useless without those beside them, so naming one means its folder."""


class Chunk(NamedTuple):
    """Some pictures in a row.

    Attributes:
        images: uint8 (n, 28, 28), upright, white ink on black.
        labels: int64 (n,), class ids counted from 0.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


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


class Half(Protocol):
    """One half of a split in one form."""

    def count(self) -> int:
        """Return how many pictures it has; a DataError if that cannot be told."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield its pictures as `Source.chunks` does, with the same errors."""


Halves = dict[tuple[str, str], Half]
"""By split and part."""


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
    # They take Chunk from here. The later win: IDX reads faster than csv, and both without a whole split in memory.
    from emnist_cli.core.data import csv_source, idx, mat_source

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


def make_chunk(rows: NDArray[np.uint8], stored: NDArray[np.uint8], split: str, where: str, first: int) -> Chunk:
    """Undo what EMNIST's files do to pictures and labels; the same in every form of them.

    Args:
        rows: uint8 (n, 784), every picture column after column.
        stored: uint8 (n,), labels as stored: from 1 for letters, from 0 for the others.
        split: name of the split.
        where: names the file in an error.
        first: number of the first picture in its half, from 0, for an error.

    Returns:
        Upright pictures in memory of their own, and class ids from 0.

    Raises:
        DataError: a label is not one of the split's.
    """
    table = find_split(split)
    labels = stored.astype(np.int64) - table.first_id
    strange = np.flatnonzero((labels < 0) | (labels >= len(table.classes)))
    if len(strange):
        i = int(strange[0])
        raise DataError(
            f"{where}: expected labels {table.first_id}..{table.classes[-1].stored_id} of {split}. "
            f"Received: {stored[i]} for picture {first + i + 1:,}"
        )
    images = rows.reshape(-1, IMAGE_SIZE, IMAGE_SIZE).transpose(0, 2, 1)
    return Chunk(np.ascontiguousarray(images), labels)


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
