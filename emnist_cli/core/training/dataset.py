"""EMNIST as arrays: prepared with tensorflow-datasets once, then read from a cache of plain arrays."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pictures(NamedTuple):
    """One half of a split.

    Attributes:
        images: uint8 (n, 28, 28), upright, white ink on black; read-only, mapped from disk.
        labels: int64 (n,), class ids counted from 0.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def load(split: str, part: str, data_dir: Path) -> Pictures:
    """Read one half of a split from the cache; imports no TensorFlow where the cache is there.

    Args:
        split: name of an EMNIST split.
        part: "train" or "test".
        data_dir: the data folder, see `data_folder`.

    Raises:
        DataError: it is not there; the message says which command gets it.
    """
    raise NotImplementedError


def data_folder(asked: Path | None) -> Path:
    """Return the folder that data is kept in: as asked for, else the user's data folder."""
    raise NotImplementedError
