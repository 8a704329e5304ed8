"""Read a csv file with a label and 784 values per row into arrays, for `csv_layout` and the option --csv.

The values go to a scratch file as they are parsed, so that a file of any length takes little memory.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.data.csv_source import read_any
from emnist_cli.core.data.partial import writing
from emnist_cli.core.errors import UsageError


class CsvRows(NamedTuple):
    """What a csv file holds, as it stands there.

    Attributes:
        images: uint8 (n, 28, 28), in the order of the values, so transposed where the file has them column after
            column; read-only, mapped from a scratch file that ends with the process.
        labels: uint8 (n,).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def read_csv(
    path: Path,
    check: Callable[[NDArray[np.uint8]], None] = lambda labels: None,
    on_progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> CsvRows:
    """Read every row of a csv file.

    Args:
        path: the file, see `csv_source.read_any`.
        check: called with the labels of some rows at a time; what it raises ends the reading.
        on_progress: called with the rows done, and None: how many there are, nobody knows before.

    Raises:
        UsageError: there is no such file.
        DataError: a row is not a label and 784 values, each 0..255, or the scratch file cannot be written.
    """
    if not path.is_file():
        raise UsageError(f"--csv: expected a csv file. Received: {path}")
    labels: list[NDArray[np.uint8]] = []
    done = 0
    place = Path(tempfile.gettempdir())
    with writing(place), tempfile.TemporaryFile() as scratch:  # reading fails with DataErrors of its own
        for rows in read_any(path):
            check(rows[:, 0])
            labels.append(rows[:, 0].copy())  # a view would keep the whole block
            scratch.write(np.ascontiguousarray(rows[:, 1:]).data)
            done += len(rows)
            on_progress(done, None)
        scratch.flush()
        images = np.memmap(scratch, np.uint8, "r", shape=(done, IMAGE_SIZE, IMAGE_SIZE))
    return CsvRows(images, np.concatenate(labels))
