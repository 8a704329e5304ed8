"""Find the cells of a paper form: areas that straight lines enclose on four straight sides; `form_cells` uses it.

Straight runs of ink, horizontal and vertical, divide the page. The areas between them are holes, some of which are
cells. `form_cells` groups the cells into rows.
"""

from typing import NamedTuple

import numpy as np

from emnist_cli.core.imaging.ops import Mask
from emnist_cli.core.pages.frames import is_side, sides_of
from emnist_cli.core.pages.rules import close_runs, paint
from emnist_cli.core.pages.sizes import Numbers
from emnist_cli.core.preprocessing.components import Components, Indices, Runs, find_components, find_runs

ALIGNED = 0.04
"""Of a cell's height, and three pixels: so far apart are two sides that are one."""

_LEAST = 12  # pixels a side
_WIDEST = 0.4  # of the page's shorter side
_TALL = 3  # strokes high, at least
_FULL = 0.6  # of a cell's bounding box; straight strokes in it are not counted
_LENGTHS = (2, 4, 8)  # times as long as strokes are wide is what may be a side
_MOST = 800  # cells
_BREAK, _GAP = 2, 6  # pixels that may be missing before a run counts as long, and after
_LARGE = 1500  # pixels a side: rows are looked for at half the size
_STRAIGHT = 0.04  # of a cell's shorter side, or three pixels: so far off are straight sides
_GRID = 0.3  # of the cells on a grid have two others below, at least


class Cell(NamedTuple):
    """A cell: bounding box, and how far its sides lean."""

    top: int
    left: int
    bottom: int
    right: int
    upper: float
    lower: float
    lean: float

    def larger(self, factor: int) -> "Cell":
        """The same on a page that is larger."""
        top, left, bottom, right = (factor * side for side in self[:4])
        return self._replace(top=top, left=left, bottom=bottom, right=right)


def find_cells(ink: Mask, stroke: float) -> list[Cell]:
    """Find what lines enclose on a page whose lines are level; nothing on squared paper.

    How long a line must be is tried out: long strokes part cells that are written full, narrow cells have short sides.

    Args:
        ink: bool (h, w).
        stroke: how wide strokes are, in pixels.
    """
    factor = working_factor(ink)
    height, width = (side // factor for side in ink.shape)
    parts = ink[: factor * height, : factor * width].reshape(height, factor, width, factor)
    small: Mask = np.asarray(parts.any(axis=(1, 3)))
    runs, upright = _steady_runs(small), _steady_runs(small.T)
    best, most = None, 0
    for times in _LENGTHS:
        length = max(_LEAST, round(times * stroke)) / factor
        holes = find_components(~(_longer(runs, length) | _longer(upright, length).T))
        numbers = _may_be_cells(holes, _TALL * stroke / factor)
        if (area := int(holes.area[numbers].sum())) > most:
            best, most = (holes, numbers), area
    cells = _straight(*best) if best and not _is_grid(best[0].boxes[best[1]]) else []
    return [cell.larger(factor) for cell in cells]


def working_factor(ink: Mask) -> int:
    """How much smaller the page is on which rows are looked for."""
    return 2 if max(ink.shape) > _LARGE else 1


def _steady_runs(ink: Mask) -> Runs:
    """Level runs of ink, which may climb a little and be broken."""
    grown = ink.copy()
    grown[1:] |= ink[:-1]
    grown[:-1] |= ink[1:]
    return close_runs(find_runs(grown), _BREAK)


def _longer(runs: Runs, length: float) -> Mask:
    return paint(close_runs(runs.select(runs.end - runs.start >= length), _GAP))


def _may_be_cells(holes: Components, least: float) -> Indices:
    """The numbers of those that have the form of cells; none where there are as many as on squared paper."""
    top, left, bottom, right = holes.boxes.T
    tall, wide = bottom - top, right - left
    fits = (
        (tall >= least)
        & (np.minimum(tall, wide) >= _LEAST // 2)
        & (np.maximum(tall, wide) <= _WIDEST * min(holes.runs.shape))
    )
    numbers = np.flatnonzero(fits & (holes.area >= _FULL * tall * wide))
    return numbers if len(numbers) <= _MOST else numbers[:0]


def _straight(holes: Components, numbers: Indices) -> list[Cell]:
    """Those with four straight sides."""
    labels, cells = holes.labels, []
    for number in numbers.tolist():
        top, left, bottom, right = holes.boxes[number].tolist()
        own = labels[top:bottom, left:right] == number + 1
        slopes = [_slope(side) for side in sides_of(own)]
        if None not in slopes:
            upper, lower, one, other = (slope or 0.0 for slope in slopes)
            cells.append(Cell(top, left, bottom, right, upper, -lower, (one - other) / 2))
    return cells


def _slope(own: Mask) -> float | None:
    """The slope of the upper outline; None where it is not straight."""
    outline: Numbers = own.argmax(axis=0).astype(np.float64)
    half = len(outline) // 2
    first, second = float(np.median(outline[:half])), float(np.median(outline[half:]))
    slope = (second - first) / (len(outline) / 2)
    off = np.abs(outline - (first + second) / 2 - slope * (np.arange(len(outline)) - (len(outline) - 1) / 2))
    straight = float((off <= max(3.0, _STRAIGHT * min(own.shape))).mean())
    return slope if is_side(slope, straight) else None


def _is_grid(boxes: Indices) -> bool:
    """Whether cells stand on others that begin and end where they do, and these on more: squared paper.

    It is for `rules`. Strokes part a cell in two, not in three.
    """
    top, left, bottom, right = boxes.T
    off = 2 * (ALIGNED * (bottom - top) + 3)[:, None]
    near = np.abs(left[:, None] - left) + np.abs(right[:, None] - right) < off
    above = near & (np.abs(bottom[:, None] - top) < 0.3 * (bottom - top)[:, None])
    return bool((above & above.any(axis=1)).any(axis=1).mean() > _GRID)
