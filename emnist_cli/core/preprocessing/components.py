"""Find the connected components of a mask from its runs; preprocessing and page reading use it.

It needs numpy only, so `emnist predict` needs no further image library.

Runs of ink in neighboring rows that touch (8-connectivity) are joined into trees. Pointer jumping merges the trees,
which takes a handful of vectorized rounds even on noise. Pixels are visited at most twice: to find the runs, and to
paint the components that are wanted. Everything in between works on runs, which are few.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.imaging.ops import Mask

Indices = NDArray[np.int64]


class Runs(NamedTuple):
    """Horizontal runs of ink, in order of their first pixels.

    Attributes:
        shape: height and width of the mask they are from.
        row: int64 (r,).
        start: int64 (r,), first column.
        end: int64 (r,), exclusive.
    """

    shape: tuple[int, int]
    row: Indices
    start: Indices
    end: Indices

    def select(self, keep: Mask) -> "Runs":
        """Return the runs for which `keep`, bool (r,), is true."""
        return Runs(self.shape, self.row[keep], self.start[keep], self.end[keep])

    def pixels(self) -> Indices:
        """Return the index of each of their pixels in the flattened mask."""
        length = self.end - self.start
        first = self.row * self.shape[1] + self.start
        before = np.cumsum(length) - length
        pixels: Indices = np.arange(length.sum()) + np.repeat(first - before, length)
        return pixels


class Components(NamedTuple):
    """The connected components of a mask.

    Attributes:
        runs: the mask's runs, r of them.
        number: int64 (r,), the component that each run belongs to, from 0.
        area: int64 (n,), pixels.
        boxes: int64 (n, 4) as top, left, bottom, right; bottom and right exclusive.
    """

    runs: Runs
    number: Indices
    area: Indices
    boxes: Indices

    @property
    def labels(self) -> NDArray[np.int32]:
        """Int32 (h, w); 0 is background, components count from 1."""
        painted = np.zeros(self.runs.shape, np.int32)
        painted.ravel()[self.runs.pixels()] = np.repeat(self.number + 1, self.runs.end - self.runs.start)
        return painted

    def mask(self, keep: Mask) -> Mask:
        """Return the pixels of the components for which `keep`, bool (n,), is true."""
        painted = np.zeros(self.runs.shape, np.bool_)
        painted.ravel()[self.runs.select(keep[self.number]).pixels()] = True
        return painted


def find_components(mask: Mask) -> Components:
    """Label the 8-connected components of `mask`, bool (h, w), in order of their first pixel."""
    return join_runs(find_runs(mask))


def find_runs(mask: Mask) -> Runs:
    """Find the horizontal runs of `mask`, bool (h, w)."""
    height, width = mask.shape
    # A blank column between rows, and all in one line: then every second change is a start, the others are ends.
    line = np.zeros(height * (width + 1) + 1, np.bool_)
    line[1:].reshape(height, width + 1)[:, :width] = mask
    changes = np.flatnonzero(line[1:] != line[:-1])
    row, start = np.divmod(changes[::2], width + 1)
    return Runs((height, width), row, start, changes[1::2] - row * (width + 1))


def join_runs(runs: Runs) -> Components:
    """Join runs into their 8-connected components, in order of their first pixel."""
    row, start, end = runs.row, runs.start, runs.end
    root = _join(runs)
    first = np.flatnonzero(root == np.arange(len(root)))  # a component's first run is its root, and is at its top
    rank = np.empty_like(root)
    rank[first] = np.arange(len(first))
    number = rank[root]
    boxes = np.stack([row[first], start[first], row[first] + 1, end[first]], axis=1)
    np.minimum.at(boxes[:, 1], number, start)
    np.maximum.at(boxes[:, 2], number, row + 1)
    np.maximum.at(boxes[:, 3], number, end)
    area = np.bincount(number, weights=end - start, minlength=len(first)).astype(np.int64)
    return Components(runs, number, area, boxes)


def _join(runs: Runs) -> Indices:
    """Give every run the lowest index among the runs it is connected to."""
    stride = runs.shape[1] + 2
    # Runs are sorted by row, then column, so those above that touch are one slice: all that end at or after
    # this one's start (diagonals touch) and start at or before its end.
    start, end = runs.row * stride + runs.start, runs.row * stride + runs.end
    first = np.searchsorted(end, start - stride, side="left")
    last = np.searchsorted(start, end - stride, side="right")
    touching = np.maximum(last - first, 0)
    below = np.repeat(np.arange(len(start)), touching)
    above = np.arange(len(below)) + np.repeat(first - (np.cumsum(touching) - touching), touching)

    root = np.where(touching > 0, first, np.arange(len(start)))
    while True:
        while not np.array_equal(root, jumped := root[root]):
            root = jumped
        one, other = root[below], root[above]
        apart = one != other
        if not apart.any():
            return root
        one, other = one[apart], other[apart]
        np.minimum.at(root, np.maximum(one, other), np.minimum(one, other))
