"""Reading IDX, the file format of MNIST and EMNIST, strictly: headers are checked, nothing is assumed.

EMNIST's archive stores every picture transposed (rows and columns swapped) and the letters split with
labels 1..26; `read_split` undoes both. Called by the training script and by whatever loads EMNIST.
"""

import gzip
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import find_split

_UBYTE = 0x08


def parse(data: bytes, name: str, rank: int) -> NDArray[np.uint8]:
    """Decode one IDX file of unsigned bytes.

    Args:
        data: the whole file, uncompressed.
        name: what to call it in an error.
        rank: number of dimensions expected; 1 for labels, 3 for pictures.

    Returns:
        A read-only uint8 array with the shape that the header states.

    Raises:
        DataError: the magic number or the length does not match.
    """
    header = 4 + 4 * rank
    if len(data) < header or data[:4] != bytes([0, 0, _UBYTE, rank]):
        raise DataError(f"{name}: not an IDX file of {rank}-dimensional bytes. Received: starts with {data[:4]!r}")
    shape = tuple(int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank))
    expected = header + int(np.prod(shape))
    if len(data) != expected:
        raise DataError(f"{name}: the header {shape} needs {expected:,} bytes. Received: {len(data):,} bytes")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def read_split(archive: Path, split: str, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read one half of one split from an archive laid out like NIST's gzip.zip.

    Args:
        archive: the zip file.
        split: name of an EMNIST split.
        part: "train" or "test".

    Returns:
        Upright pictures, uint8 (n, 28, 28), white ink on black; class ids, int64 (n,), counted from 0.

    Raises:
        DataError: the archive or a file in it is missing or damaged, or counts and labels do not fit.
    """
    images = parse(*_member(archive, f"gzip/emnist-{split}-{part}-images-idx3-ubyte.gz"), rank=3)
    labels = parse(*_member(archive, f"gzip/emnist-{split}-{part}-labels-idx1-ubyte.gz"), rank=1)
    table = find_split(split)
    ids = labels.astype(np.int64) - table.first_id
    if len(images) != len(labels) or images.shape[1:] != (28, 28):
        raise DataError(f"{archive}: {split} {part} has pictures {images.shape} and {len(labels)} labels")
    if len(ids) and not 0 <= ids.min() <= ids.max() < len(table.classes):
        raise DataError(f"{archive}: {split} {part} has labels {labels.min()}..{labels.max()}")
    return np.ascontiguousarray(images.transpose(0, 2, 1)), ids


def _member(archive: Path, name: str) -> tuple[Any, str]:
    try:
        with zipfile.ZipFile(archive) as file:
            return gzip.decompress(file.read(name)), name
    except (OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{archive}: cannot read {name} ({error})") from None
