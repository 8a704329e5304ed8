"""Read Kaggle's crawford/emnist, one csv file per partition; `sources` uses it, and `csv_file`.

Each row holds one image: its label, then 784 values. The text of byclass takes 1.5 GB, so it is parsed one block at a
time with array operations. Parsing is as strict as for IDX: 785 fields per row, digits only, values 0..255.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.data.chunks import CHUNK, Chunk, Halves, make_chunk
from emnist_cli.core.data.containers import Container, Folder, Stream
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import SPLITS

_NAME = re.compile(r"(?:.*/)?emnist-(\w+)-(train|test)\.csv(?:\.zip)?")
_FIELDS = 1 + IMAGE_SIZE * IMAGE_SIZE
_BLOCK = 1 << 20
_NEWLINE, _COMMA, _ZERO = b"\n"[0], b","[0], b"0"[0]

Bytes = NDArray[np.uint8]


def find_csv(container: Container, names: Sequence[str]) -> Halves:
    """Return the halves that `names`, of one folder, have as csv, zipped one by one or not."""
    # Sorted backwards a name without .zip comes later than with it, and is taken.
    matches = [match for name in sorted(names, reverse=True) if (match := _NAME.fullmatch(name))]
    return {(m[1], m[2]): _CsvHalf(container, m[1], m[0]) for m in matches if m[1] in SPLITS}


def read_any(path: Path) -> Iterator[Bytes]:
    """Yield the rows of a csv file of any name, a block of some hundreds at a time.

    A first line that names the columns, as MNIST's train.csv has one, is left out.

    Args:
        path: the file; also with gzip, or as NAME.csv.zip with NAME.csv in it.

    Returns:
        uint8 (n, 785), a label and then 784 values.

    Raises:
        DataError: the file cannot be read, or a row is not of that kind; rows are counted from 1, without names.
    """
    with Folder(path.parent, (path.name,)).open(path.name) as stream:
        head = stream.read(_BLOCK).removeprefix(b"\xef\xbb\xbf")
        first, newline, rest = head.partition(b"\n")
        # A letter where a label stands is a mistake, and no name.
        if newline and re.search(rb"[A-Za-z]", first.partition(b",")[2]):
            head = rest
        yield from _read_rows(chain([head], _blocks(stream)), str(path))


def _blocks(stream: Stream) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


class _CsvHalf:
    def __init__(self, container: Container, split: str, name: str) -> None:
        self._container, self._split, self._name = container, split, name

    def count(self) -> int:
        """Count lines; their content is looked at by `chunks` only."""
        lines, block = 0, b"\n"
        with self._container.open(self._name) as stream:
            while more := stream.read(_BLOCK):
                lines += more.count(b"\n")
                block = more
        return lines + (not block.endswith(b"\n"))

    def chunks(self) -> Iterator[Chunk]:
        waiting: list[Bytes] = []
        done = 0
        with self._container.open(self._name) as stream:
            for rows in _read_rows(_blocks(stream), stream.where):
                waiting.append(rows)
                if sum(map(len, waiting)) >= CHUNK:
                    joined = np.concatenate(waiting)
                    yield self._chunk(joined[:CHUNK], stream.where, done)
                    waiting, done = [joined[CHUNK:]], done + CHUNK
            if any(map(len, waiting)):
                yield self._chunk(np.concatenate(waiting), stream.where, done)

    def _chunk(self, rows: Bytes, where: str, first: int) -> Chunk:
        return make_chunk(rows[:, 1:], rows[:, 0], self._split, where, first)


def _read_rows(blocks: Iterable[bytes], where: str) -> Iterator[Bytes]:
    """Yield the rows of a csv, uint8 (n, 785), a block of some hundreds at a time."""
    rest, first = b"", 0
    for more in blocks:
        whole, newline, tail = more.rpartition(b"\n")
        if newline:
            rows = _parse(rest + whole + newline, where, first)
            rest, first = tail, first + len(rows)
            yield rows
        else:
            rest += tail
        if len(rest) > _BLOCK:
            raise DataError(f"{where}: row {first + 1:,} has no end. Expected: {_FIELDS} values a row")
    if rest:
        yield _parse(rest + b"\n", where, first)
    elif not first:
        raise DataError(f"{where}: expected a row for each picture. Received: an empty file")


def _parse(block: bytes, where: str, first: int) -> Bytes:
    """Parse whole lines.

    Args:
        block: the text; its last byte is a newline.
        where: names the file in an error.
        first: how many rows came before, for an error.

    Returns:
        uint8 (n, 785).

    Raises:
        DataError: a row has not 785 values, or one that is no whole number 0..255.
    """
    text = np.frombuffer(block.replace(b"\r\n", b"\n"), np.uint8)
    is_newline = text == _NEWLINE
    ends = np.flatnonzero(is_newline | (text == _COMMA))
    lengths = np.diff(ends, prepend=-1) - 1
    values = np.zeros(len(ends), np.uint16)
    sound = (lengths >= 1) & (lengths <= 3)
    for place, unit in enumerate((1, 10, 100)):
        has = np.flatnonzero(lengths > place)
        digits = text[ends[has] - 1 - place] - np.uint8(_ZERO)  # what is less than "0" wraps around
        values[has] += digits * np.uint16(unit)
        sound[has] &= digits <= 9
    sound &= values <= 255
    last = np.flatnonzero(is_newline[ends])
    widths = np.diff(last, prepend=-1)
    if (widths != _FIELDS).any() or not sound.all():
        _complain(block, widths, np.searchsorted(last, np.flatnonzero(~sound)), where, first)
    return values.astype(np.uint8).reshape(-1, _FIELDS)


def _complain(block: bytes, widths: NDArray[np.int64], unsound: NDArray[np.int64], where: str, first: int) -> None:
    """Raise the DataError for the first bad row of a block."""
    row = int(min([*np.flatnonzero(widths != _FIELDS)[:1], *unsound[:1]]))
    line = block.split(b"\n", row + 1)[row].decode(errors="replace").removesuffix("\r")
    if widths[row] != _FIELDS:
        received = f"{widths[row]} values, {line[:40]!r}"
    else:
        good = re.compile(r"0{0,2}\d|0?[1-9]\d|1\d\d|2[0-4]\d|25[0-5]")
        received = next(repr(value[:40]) for value in line.split(",") if not good.fullmatch(value))
    raise DataError(
        f"{where}: row {first + row + 1:,}: expected a label and 784 values, each 0..255. Received: {received}"
    )
