"""Level slanted masks and undo it without loss; `form_cells`, `frames` and `rules` use it.

Whole columns are moved.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.imaging.ops import Mask

Shifts = NDArray[np.int64]


def shear(mask: Mask, slope: float) -> tuple[Mask, Shifts]:
    """Move columns up or down so that lines of `slope` become level.

    Args:
        mask: bool (h, w).
        slope: rows that a line goes down per column.

    Returns:
        The level mask, as much higher as it needs; and int64 (w,), by how much each column was moved down.
    """
    height, width = mask.shape
    shift = -np.round(slope * np.arange(width)).astype(np.int64)
    shift -= shift.min()
    out = np.zeros((height + int(shift.max()), width), np.bool_)
    for start, end in _alike(shift):
        out[shift[start] : shift[start] + height, start:end] = mask[:, start:end]
    return out, shift


def unshear(level: Mask, shift: Shifts, height: int) -> Mask:
    """Move columns back to where they were in a mask of `height` rows."""
    out = np.zeros((height, len(shift)), np.bool_)
    for start, end in _alike(shift):
        out[:, start:end] = level[shift[start] : shift[start] + height, start:end]
    return out


def _alike(shift: Shifts) -> list[tuple[int, int]]:
    """Neighbouring columns that are moved by the same, as slices."""
    edges = [0, *(np.flatnonzero(np.diff(shift)) + 1).tolist(), len(shift)]
    return list(pairwise(edges))
