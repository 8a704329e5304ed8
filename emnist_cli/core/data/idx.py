"""Read IDX, the file format of MNIST and EMNIST, strictly; `sources.open_source` uses it.

Headers are checked and nothing is assumed. NIST's gzip.zip holds IDX files. They are also read unzipped, and as
torchvision and Kaggle leave them. `read_split` is for scripts that load one partition of a split at once.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.data.chunks import CHUNK, Chunk, Halves, make_chunk
from emnist_cli.core.data.containers import Container, Stream, what_is
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import SPLITS

_NAME = re.compile(r"(?:.*/)?emnist-(\w+)-(train|test)-(images-idx3|labels-idx1)-ubyte(?:\.gz)?")
_AREA = IMAGE_SIZE * IMAGE_SIZE
_UBYTE = 0x08


def find_idx(container: Container, names: Sequence[str]) -> Halves:
    """Return the halves of which `names`, of one folder, have pictures and labels."""
    files: dict[tuple[str, str, str], str] = {}
    # Sorted backwards a name without .gz comes later than with it, and is taken: nothing to decompress.
    for name in sorted(names, reverse=True):
        match = _NAME.fullmatch(name)
        if match and match[1] in SPLITS:
            files[match[1], match[2], match[3]] = name
    return {
        (split, part): _IdxHalf(container, split, name, files[split, part, "labels-idx1"])
        for (split, part, kind), name in files.items()
        if kind == "images-idx3" and (split, part, "labels-idx1") in files
    }


class _IdxHalf:
    def __init__(self, container: Container, split: str, images: str, labels: str) -> None:
        self._container, self._split, self._images, self._labels = container, split, images, labels

    def count(self) -> int:
        with self._opened() as (_, _, count):
            return count

    def chunks(self) -> Iterator[Chunk]:
        with self._opened() as (images, labels, count):
            for first in range(0, count, CHUNK):
                size = min(CHUNK, count - first)
                rows = _read(images, size * _AREA, first * _AREA, count * _AREA).reshape(size, _AREA)
                yield make_chunk(rows, _read(labels, size, first, count), self._split, labels.where, first)
            for stream in (images, labels):
                if stream.read(1):  # also where gzip and zip compare their checksums
                    raise DataError(f"{stream.where}: longer than its header says. Expected: {count:,} items")

    @contextmanager
    def _opened(self) -> Iterator[tuple[Stream, Stream, int]]:
        """Open both files and check their headers; the number is how many pictures they state."""
        with self._container.open(self._images) as images, self._container.open(self._labels) as labels:
            count, *size = read_header(images, rank=3)
            (labelled,) = read_header(labels, rank=1)
            if size != [IMAGE_SIZE, IMAGE_SIZE]:
                raise DataError(f"{images.where}: expected pictures of 28x28. Received: {size[0]}x{size[1]}")
            if count != labelled:
                raise DataError(
                    f"{labels.where}: expected a label for each of {count:,} pictures. Received: {labelled:,}"
                )
            yield images, labels, count


def read_header(stream: Stream, rank: int) -> tuple[int, ...]:
    """Read the header of an IDX file of unsigned bytes.

    Args:
        stream: at its start; afterwards at the first item.
        rank: number of dimensions expected; 1 for labels, 3 for pictures.

    Returns:
        The `rank` dimensions, the first the number of items.

    Raises:
        DataError: the magic number is another one, or the file ends within the header.
    """
    magic = bytes([0, 0, _UBYTE, rank])
    head = stream.read(4 + 4 * rank)
    if head[:4] != magic:
        start = f"0x{head[:4].hex()}" if head[:2] == b"\0\0" else what_is(head + stream.read(4096))
        raise DataError(f"{stream.where}: expected an IDX file, magic number 0x{magic.hex()}. Received: {start}")
    if len(head) < 4 + 4 * rank:
        raise DataError(f"{stream.where}: ends within its header. Received: {len(head)} bytes")
    return tuple(int.from_bytes(head[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank))


def _read(stream: Stream, size: int, before: int, total: int) -> NDArray[np.uint8]:
    data = stream.read(size)
    if len(data) < size:
        raise DataError(
            f"{stream.where}: shorter than its header says. Expected: {total:,} bytes of data. "
            f"Received: {before + len(data):,}"
        )
    return np.frombuffer(data, np.uint8)
