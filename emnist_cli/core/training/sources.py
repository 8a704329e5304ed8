"""Where EMNIST's pictures may come from; every form of the files looks the same to the rest of the program."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

CHUNK = 8192
"""The most pictures that a source gives at once, which bounds the memory it takes."""


class Chunk(NamedTuple):
    """Some pictures in a row.

    Attributes:
        images: uint8 (n, 28, 28), upright, white ink on black.
        labels: int64 (n,), class ids counted from 0.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


class Source(Protocol):
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


def open_source(path: Path) -> Source:
    """Find out what `path` is and open it.

    Raises:
        DataError: it is none of the forms that are known; the message says what it is instead.
    """
    raise NotImplementedError
