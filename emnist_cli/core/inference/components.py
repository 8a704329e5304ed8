"""Connected components of a mask, by runs: numpy only, so that `emnist predict` needs no image library more.

Runs of ink in neighbouring rows that touch (8-connectivity) are joined by letting the smallest number spread
with pointer jumping, which takes a handful of vectorized rounds even on noise.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Components(NamedTuple):
    """The connected components of a mask.

    Attributes:
        labels: int32 (h, w); 0 is background, components count from 1.
        area: int64 (n,), pixels.
        boxes: int64 (n, 4) as top, left, bottom, right; bottom and right exclusive.
    """

    labels: NDArray[np.int32]
    area: NDArray[np.int64]
    boxes: NDArray[np.int64]

    def mask(self, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the pixels of the components for which `keep`, bool (n,), is true."""
        chosen: NDArray[np.bool_] = np.concatenate([[False], keep])[self.labels]
        return chosen


def find_components(mask: NDArray[np.bool_]) -> Components:
    """Label the 8-connected components of `mask`, bool (h, w), in order of their first pixel."""
    height, width = mask.shape
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(edges == 1)
    end = np.nonzero(edges == -1)[1]  # exclusive
    root = _join(row, start, end, width)
    _, number = np.unique(root, return_inverse=True)
    count = int(number.max()) + 1 if len(number) else 0

    area = np.bincount(number, weights=end - start, minlength=count).astype(np.int64)
    boxes = np.empty((count, 4), np.int64)
    boxes[:, :2], boxes[:, 2:] = max(height, width), 0
    np.minimum.at(boxes[:, 0], number, row)
    np.minimum.at(boxes[:, 1], number, start)
    np.maximum.at(boxes[:, 2], number, row + 1)
    np.maximum.at(boxes[:, 3], number, end)

    change = np.zeros((height, width + 1), np.int32)
    change[row, start] = number + 1
    change[row, end] -= (number + 1).astype(np.int32)
    return Components(np.cumsum(change, axis=1, dtype=np.int32)[:, :width], area, boxes)


def _join(row: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Give every run the lowest index among the runs it is connected to."""
    runs = len(row)
    stride = width + 2
    # Runs are sorted by row, then column, so those above that touch are one slice: all that end at or after
    # this one's start (diagonals touch) and start at or before its end.
    first = np.searchsorted(row * stride + end, (row - 1) * stride + start, side="left")
    last = np.searchsorted(row * stride + start, (row - 1) * stride + end, side="right")
    touching = np.maximum(last - first, 0)
    below = np.repeat(np.arange(runs), touching)
    above = np.arange(len(below)) - np.repeat(np.cumsum(touching) - touching, touching) + np.repeat(first, touching)

    root = np.arange(runs)
    while True:
        lowest = np.minimum(root[below], root[above])
        new = root.copy()
        np.minimum.at(new, root[below], lowest)
        np.minimum.at(new, root[above], lowest)
        new = np.minimum(new, new[new])
        if np.array_equal(new, root):
            return root
        root = new
