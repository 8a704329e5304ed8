"""Find and remove the sides of form cells before `rules` runs; `segment` uses it.

A row consists of cells for one character each, side by side or apart. Cells that stand beside each other make a row.
The row's top and bottom sides continue where characters hide further cells. Ink that runs straight from one to the
other is a side between cells, also where characters touch or cross it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from emnist_cli.core.imaging.ops import Mask
from emnist_cli.core.pages.cells import ALIGNED, Cell, find_cells, working_factor
from emnist_cli.core.pages.shear import shear, unshear
from emnist_cli.core.pages.sizes import Numbers
from emnist_cli.core.preprocessing.components import Indices, find_runs

_LEAST = 3  # cells
_LEVEL = 0.004  # rows per column: less is level
_CLIMB = 0.01  # rows per column, beside the slope of the page
_NEAR = 6  # times a cell's height: so far apart are cells of a row
_THICK = 0.2  # of a cell's height: thicker is no side
_DRAWN = 0.75  # of both sides has ink, from the first cell to the last
_INKED = 0.45  # of the length of two sides has ink: one may be pale
_WHOLE = 0.93  # of a row's height: what is shorter is no side between cells
_MOST_GO_ON = 0.5  # of the sides between cells seem to go on beyond the row
_LINE = 0.4  # of a row of pixels has ink: it is a line
_LEANS = (0, -0.03, 0.03)  # beside how all of a row's cells lean: a camera sees sides fan out
_PART = 0.9  # of a row's height: what is lower and within it is no row of its own
_INSIDE = 4  # pixels within a cell in which its side may begin: cells are found a few pixels too large or too small
_STEP = 0.5  # of a row's height: in such steps it is followed


class CellRow(NamedTuple):
    """A row of cells.

    Attributes:
        left: the first column.
        top: int64 (n,), the upper side at each column.
        bottom: int64 (n,), the lower.
        lean: columns that sides between cells go to the right per row.
    """

    left: int
    top: Indices
    bottom: Indices
    lean: float


def find_form(mask: Mask, slope: float, stroke: float) -> Mask:
    """Find the ink of the sides of rows of cells; strokes that cross an upper or a lower side stay.

    Args:
        mask: ink, bool (h, w).
        slope: rows that lines go down per column.
        stroke: how wide strokes are, in pixels.

    Returns:
        bool (h, w).
    """
    for _ in range(2):
        level, down = shear(mask, slope)
        turned, across = shear(level.T, -slope)
        square = np.ascontiguousarray(turned.T)
        cells = find_cells(square, stroke)
        if len(cells) < _LEAST:
            return np.zeros_like(mask)
        # Drawn lines know better than writing how the page leans.
        more = float(np.median([slope for cell in cells for slope in (cell.upper, cell.lower)]))
        if abs(more) < _LEVEL:
            break
        slope += more
    out = np.zeros_like(square)
    rows = list(_rows(square, cells))
    for row in rows:
        if not any(_is_within(row, other) for other in rows):
            _take_out(square, out, row)
    return unshear(unshear(out.T, across, level.shape[1]).T, down, len(mask))


def _rows(ink: Mask, cells: list[Cell]) -> Iterator[CellRow]:
    """Join cells into rows, and follow these to their ends."""
    rest = sorted(cells, key=lambda cell: cell.left)
    while rest:
        row, rest = [rest[0]], rest[1:]
        for cell in list(rest):
            if _is_beside(row[-1], cell):
                row.append(cell)
                rest.remove(cell)
        if len(row) > 1 and (found := _follow(ink, row)):
            yield found


def _is_beside(one: Cell, other: Cell) -> bool:
    height = one.bottom - one.top
    off = ALIGNED * height + 3 + _CLIMB * (other.left - one.right)
    return (
        -off < other.left - one.right < _NEAR * height
        and abs(one.top - other.top) < off
        and abs(one.bottom - other.bottom) < off
    )


def _is_within(row: CellRow, other: CellRow) -> bool:
    """Whether a row is a part of another: strokes that stand in a line look like a side."""
    first, last = max(row.left, other.left), min(row.left + len(row.top), other.left + len(other.top))
    if first >= last:
        return False
    middle = (first + last) // 2
    top, bottom = (int(side[middle - row.left]) for side in (row.top, row.bottom))
    above, below = (int(side[middle - other.left]) for side in (other.top, other.bottom))
    off = round(ALIGNED * (below - above)) + 3
    return bottom - top < _PART * (below - above) and above - off <= top and bottom <= below + off


def _follow(ink: Mask, cells: list[Cell]) -> CellRow | None:
    """Tell where a row's sides are at each column, and how far it goes; None where they have gaps, as letters have."""
    # The bounding box of a cell reaches as far as the side that climbs does at its end.
    rises = [(cell.upper * (cell.right - cell.left) / 2, cell.lower * (cell.right - cell.left) / 2) for cell in cells]
    middles = [(c.top + abs(up), c.bottom - abs(low)) for c, (up, low) in zip(cells, rises, strict=True)]
    places = np.array([(cell.left, cell.right) for cell in cells]).ravel()
    ends = np.array(middles)[:, :, None] + np.array(rises)[:, :, None] * (-1, 1)
    top, bottom = (_side(places, ends[:, side].ravel(), ink) for side in (0, 1))
    above, below = _inked(ink, top), _inked(ink, bottom)
    left, right = cells[0].left, cells[-1].right
    if min(above[left:right].mean(), below[left:right].mean()) < _DRAWN:
        return None
    inked = (above + below) / 2
    step = max(4, round(_STEP * float(np.median(bottom - top))))
    while left > 0 and inked[max(0, left - step) : left].mean() >= _INKED:
        left = max(0, left - step)
    while right < len(inked) and inked[right : right + step].mean() >= _INKED:
        right = min(len(inked), right + step)
    return CellRow(left, top[left:right], bottom[left:right], float(np.median([cell.lean for cell in cells])))


def _side(places: Indices, rows: Numbers, ink: Mask) -> Indices:
    """The row of a side at each column of the page, from its rows at some places, which it goes on from."""
    columns = np.arange(ink.shape[1])
    rise = float(np.polyfit(places, rows, 1)[0])
    side = np.interp(columns, np.maximum.accumulate(places), rows)
    side += rise * (np.minimum(columns - places[0], 0) + np.maximum(columns - places[-1], 0))
    return np.asarray(np.round(side).clip(0, len(ink) - 1), np.int64)


def _inked(ink: Mask, side: Indices) -> Numbers:
    """Whether there is ink near a side, for each column: 1 or 0."""
    reach = 3 * working_factor(ink)
    rows = (side + np.arange(-reach, reach + 1)[:, None]).clip(0, len(ink) - 1)
    return np.asarray(ink[rows, np.arange(len(side))].any(axis=0), np.float64)


def _take_out(ink: Mask, out: Mask, row: CellRow) -> None:
    """Mark in `out` the ink of a row's sides."""
    height = len(ink)
    most = max(3, round(_THICK * float(np.median(row.bottom - row.top))))
    # The first and the last side stand beside the row's cells.
    top, bottom = (np.pad(side, most, "edge") for side in (row.top, row.bottom))
    columns = np.arange(row.left - most, row.left - most + len(top))
    tall = int((bottom - top).max()) + 1
    down = np.linspace(0, 1, tall)[:, None]
    rows = np.round(top + down * (bottom - top)).astype(np.int64).clip(0, height - 1)
    beyond = max(6, most // 2)
    for number, lean in enumerate(row.lean + np.array(_LEANS)):
        aside = np.round(columns + lean * tall * (down - 0.5)).astype(np.int64).clip(0, ink.shape[1] - 1)
        band = ink[rows, aside]
        bars = _bars(band, most + 6)
        if not number and _go_on(ink, columns, (top - beyond, bottom + beyond), bars):
            return
        for start, end in bars:
            there = np.s_[:, max(start - 1, 0) : end + 1]
            gone = _bar(band[there])
            out[rows[there][gone], aside[there][gone]] = True
    _mark(ink, out, top, columns, most)
    _mark(ink[::-1], out[::-1], height - bottom, columns, most)


def _go_on(ink: Mask, columns: Indices, sides: tuple[Indices, Indices], bars: list[tuple[int, int]]) -> bool:
    """Whether most upright strokes go on beyond a row: then they are letters' between the lines of ruled paper.

    `sides` are above the row and below it; where a line is there, of another row, they tell nothing.
    """
    on = np.zeros(len(bars), np.bool_)
    for side in sides:
        beyond = ink[side.clip(0, len(ink) - 1), columns.clip(0, ink.shape[1] - 1)]
        if beyond.mean() < _LINE:
            on |= np.array([beyond[max(start - 2, 0) : end + 2].any() for start, end in bars], np.bool_)
    return bool(bars) and bool(on.mean() > _MOST_GO_ON)


def _bars(band: Mask, most: int) -> list[tuple[int, int]]:
    """Columns between which a row's upper side is joined to its lower one, where these are few."""
    near = band.copy()
    for step in (1, 2):
        near[:, step:] |= band[:, :-step]
        near[:, :-step] |= band[:, step:]
    runs = find_runs((near.mean(axis=0) >= _WHOLE)[None])
    runs = runs.select(runs.end - runs.start <= most)
    return list(zip(runs.start.tolist(), runs.end.tolist(), strict=True))


def _bar(strip: Mask) -> Mask:
    """The ink of an upright side, which may lean, also where a stroke crosses: the next cell has another character."""
    place, row = np.arange(strip.shape[1]), np.arange(len(strip))
    count = strip.sum(axis=1)
    width = float(np.median(count[count > 0]))
    good = (count > 0) & (count <= 1.3 * width + 1)
    middle = strip @ place / np.maximum(count, 1)
    line = np.full(len(strip), np.median(middle[good]))
    for _ in range(2):
        if np.count_nonzero(good) < len(strip) / 4:
            break  # too few rows tell how it leans
        slope, start = np.polyfit(row[good], middle[good], 1)
        line = start + slope * row
        good &= np.abs(middle - line) <= 2
    return np.asarray(strip & (np.abs(place - line[:, None]) <= width / 2 + 1))


def _mark(page: Mask, marks: Mask, side: Indices, columns: Indices, most: int) -> None:
    """Mark the ink of an upper side, unless a stroke goes through it there."""
    rows = side - np.arange(-_INSIDE, most + _INSIDE)[:, None]
    there = (rows >= 0) & (rows < len(page)) & (columns >= 0) & (columns < page.shape[1])
    rows, columns = rows.clip(0, len(page) - 1), columns.clip(0, page.shape[1] - 1)
    window = page[rows, columns] & there
    share: Numbers = window.mean(axis=1)
    inked = np.flatnonzero(share >= 0.5)
    if not len(inked):
        return
    first = int(inked[0])
    last = first + int(np.argmin(np.append(share[first:] >= 0.5, False))) - 1
    if first > 2 * _INSIDE or last >= len(share) - 3:
        return  # none there, or too thick
    first, last = max(first - 2, 0), last + 2  # its fringes, too
    crossed = window[max(first - 2, 0)] & window[min(last + 2, len(share) - 1)]
    strip = window & ~crossed
    strip[:first] = strip[last + 1 :] = False
    marks[rows[strip], np.broadcast_to(columns, strip.shape)[strip]] = True
