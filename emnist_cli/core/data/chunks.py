"""One half of an EMNIST split, read a chunk at a time; the readers of each file format build on it."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import find_split

CHUNK = 8192
"""The most pictures that a source gives at once, which bounds the memory it takes."""

PARTS = ("train", "test")


class Chunk(NamedTuple):
    """Some pictures in a row.

    Attributes:
        images: uint8 (n, 28, 28), upright, white ink on black.
        labels: int64 (n,), class ids counted from 0.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


class Half(Protocol):
    """One half of a split in one form."""

    def count(self) -> int:
        """Return how many pictures it has; a DataError if that cannot be told."""

    def chunks(self) -> Iterator[Chunk]:
        """Yield its pictures as `EmnistSource.chunks` does, with the same errors."""


Halves = dict[tuple[str, str], Half]
"""By split and part."""


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
