"""Read NIST's matlab.zip, one .mat file per split with both partitions; `sources.open_source` uses it.

These files (MATLAB's format 5) cannot be read in parts. The images of a whole split stay in memory while one
partition is read, which takes 640 MB for byclass.
"""

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.data.chunks import CHUNK, PARTS, Chunk, Halves, make_chunk
from emnist_cli.core.data.containers import Container, Stream, what_is
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import SPLITS

_NAME = re.compile(r"(?:.*/)?emnist-(\w+)\.mat")
_AREA = IMAGE_SIZE * IMAGE_SIZE
_HEADER = 128
_COMPRESSED = 15
_BLOCK = 1 << 16
"""Bytes decompressed at once; deflate makes at most a thousand times as many of them."""


def find_mat(container: Container, names: Sequence[str]) -> Halves:
    """Return the halves that the .mat files among `names` have."""
    matches = [match for name in names if (match := _NAME.fullmatch(name)) and match[1] in SPLITS]
    files = [_MatFile(container, match[1], match[0]) for match in matches]
    return {(file.split, part): _MatHalf(file, part) for file in files for part in PARTS}


class _MatFile:
    def __init__(self, container: Container, split: str, name: str) -> None:
        self.split, self.where = split, f"{container.path}: {name}"
        self._container, self._name = container, name
        self._counts: dict[str, int] = {}

    def count(self, part: str) -> int:
        """Count pictures; the first time the whole file is read for that."""
        if not self._counts:
            self.load(part)
        return self._counts[part]

    def load(self, part: str) -> tuple[Any, Any]:
        """Read pictures, uint8 (n, 784), column by column in memory, and labels, (n, 1), as stored."""
        if not self._counts:  # once is enough
            with self._container.open(self._name) as stream:
                _verify(stream)
        with self._container.open(self._name) as stream:
            halves = {half: self._checked(*arrays) for half, arrays in _load(stream).items()}
        self._counts = {half: len(labels) for half, (_, labels) in halves.items()}
        return halves[part]

    def _checked(self, images: Any, labels: Any) -> tuple[Any, Any]:
        if images.dtype != np.uint8 or images.shape != (len(labels), _AREA) or labels.shape != (len(labels), 1):
            raise DataError(
                f"{self.where}: expected images uint8 (n, {_AREA}) and labels (n, 1). "
                f"Received: {images.dtype} {images.shape} and {labels.shape}"
            )
        if not ((labels >= 0) & (labels <= 255) & (labels == labels.astype(np.uint8))).all():
            raise DataError(f"{self.where}: expected whole numbers as labels. Received: others")
        return images, labels


class _MatHalf:
    def __init__(self, file: _MatFile, part: str) -> None:
        self._file, self._part = file, part

    def count(self) -> int:
        return self._file.count(self._part)

    def chunks(self) -> Iterator[Chunk]:
        images, labels = self._file.load(self._part)
        for first in range(0, len(labels), CHUNK):
            rows = np.ascontiguousarray(images[first : first + CHUNK])
            stored = labels[first : first + CHUNK, 0].astype(np.uint8)
            yield make_chunk(rows, stored, self._file.split, self._file.where, first)


def _load(stream: Stream) -> dict[str, tuple[Any, Any]]:
    """Let scipy read a .mat file, and take from it pictures and labels of the two halves.

    Raises:
        DataError: there is no EMNIST in it.
    """
    from scipy.io import loadmat  # slow to import, and only this form needs it

    try:
        dataset = loadmat(stream.file, variable_names=["dataset"])["dataset"][0, 0]
        return {part: (dataset[part][0, 0]["images"], dataset[part][0, 0]["labels"]) for part in PARTS}
    except Exception as error:  # on damaged files scipy's parser fails in every way there is
        raise DataError(
            f"{stream.where}: expected EMNIST's `dataset` with `train` and `test`. Received: "
            f"{type(error).__name__} ({error})"
        ) from None


def _verify(stream: Stream) -> None:
    """Read a .mat file to its end for the checksums in it, which scipy does not compare.

    Raises:
        DataError: not MATLAB's format 5, cut short, or damaged.
    """
    head = stream.read(_HEADER)
    if head.startswith(b"MATLAB 7.3"):
        raise DataError(f"{stream.where}: saved by MATLAB with -v7.3, which cannot be read; save it with -v7")
    order = {b"IM": "<", b"MI": ">"}.get(head[126:])
    if not order:
        raise DataError(f"{stream.where}: expected a MATLAB 5 file. Received: {what_is(head)}")
    while tag := stream.read(8):
        if len(tag) < 8:
            raise DataError(f"{stream.where}: cut short. Expected: the header of an array")
        kind, size = struct.unpack(f"{order}II", tag)
        inflate = zlib.decompressobj()
        for start in range(0, size, _BLOCK):
            wanted = min(_BLOCK, size - start)
            data = stream.read(wanted)
            if len(data) < wanted:
                raise DataError(f"{stream.where}: cut short. Expected: {size - start - len(data):,} bytes more")
            if kind == _COMPRESSED:
                _inflate(inflate, data, stream.where)
        if kind == _COMPRESSED and not inflate.eof:
            raise DataError(f"{stream.where}: damaged, compressed data without an end")


def _inflate(inflate: Any, data: bytes, where: str) -> None:
    try:
        inflate.decompress(data)
    except zlib.error as error:
        raise DataError(f"{where}: damaged ({error})") from None
