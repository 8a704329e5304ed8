"""Find and remove printed or ruled lines: ruled and squared paper, tables, boxes; `segment` uses it.

A rule is a long, thin run of ink along the page's lines or across them. A rule's pixels are removed where the ink is
no thicker than the rule. Where a stroke crosses it, the ink is thicker and stays.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from emnist_cli.core.imaging.ops import Mask, dilate
from emnist_cli.core.pages.ink_map import InkMap
from emnist_cli.core.pages.shear import shear, unshear
from emnist_cli.core.preprocessing.components import Runs, find_runs, join_runs

_REACH = 25  # pixels along a rule that are looked at together
_FAN = 0.08  # slopes that much apart are looked at one by one
_INK = 200  # stands for ink where shares of it are counted in 8 bits


class RuleMasks(NamedTuple):
    """The ink of rules along one direction, bool (h, w) each.

    Attributes:
        thin: where no stroke crosses.
        whole: the same with short gaps filled.
        free: long runs of it: no stroke is near.
    """

    thin: Mask
    whole: Mask
    free: Mask


def find_rules(page: InkMap, slope: float, length: float) -> Mask:
    """Find the pixels of rules that no stroke crosses.

    Args:
        page: the page.
        slope: rows that lines go down per column.
        length: pixels; what is shorter may be a stroke.

    Returns:
        bool (rows, columns).
    """
    level = _fan(page.trace, page.mask, slope, length)
    upright = RuleMasks(*(mask.T for mask in _fan(page.trace.T, page.mask.T, -slope, length)))
    rules, free = level.thin | upright.thin, level.free | upright.free
    if not rules.any():
        return rules
    # A stroke that runs along a paler rule stays.
    usual = float(np.median(page.absorbed[free if free.any() else rules]))
    return (rules | (level.whole & upright.whole)) & (page.absorbed < 1.5 * usual + page.stain)


def _fan(trace: Mask, mask: Mask, slope: float, length: float) -> RuleMasks:
    """The rules along rows of about that slope: on a sheet seen in perspective they fan out."""
    found = _along(trace, mask, slope, length)
    if found.thin.any():
        for more in (-_FAN, _FAN):
            other = _along(trace, mask, slope + more, length)
            found = RuleMasks(*(one | two for one, two in zip(found, other, strict=True)))
    return found


def _along(trace: Mask, mask: Mask, slope: float, length: float) -> RuleMasks:
    """The rules along rows of one slope."""
    level, shift = shear(trace, slope)
    ink, _ = shear(mask, slope)
    if not (level.sum(axis=1) >= length / 2).any():
        return RuleMasks(*np.zeros((3, *mask.shape), np.bool_))
    grown = level.copy()
    grown[1:] |= level[:-1]
    grown[:-1] |= level[1:]
    # A rule goes on where noise hides it or a stroke crosses; a row of letters has more gaps.
    steady = ndimage.uniform_filter1d(grown.view(np.uint8) * np.uint8(_INK), _REACH, axis=1) >= 0.8 * _INK
    runs = find_runs(steady)
    rules = join_runs(runs.select(runs.end - runs.start >= max(12, length / 6)))
    top, left, bottom, right = rules.boxes.T
    extent = right - left
    thickness = rules.area / np.maximum(extent, 1) - 2
    keep = (extent >= length) & (thickness < np.maximum(extent / 18, 2)) & (bottom - top < 0.12 * extent + 6)
    band = rules.mask(keep) & ink
    if not band.any():
        return RuleMasks(*np.zeros((3, *mask.shape), np.bool_))
    depth = _run_lengths(ink.T).T
    most = 1.6 * float(np.quantile(depth[band], 0.35)) + 1
    thin = dilate(band & (depth <= most), 1) & ink & (depth <= most)
    closed = close_runs(find_runs(thin), round(1.5 * most))
    whole, free = paint(closed), paint(closed.select(closed.end - closed.start > length / 3)) & thin
    return RuleMasks(*(unshear(part, shift, len(mask)) for part in (thin, whole, free)))


def paint(runs: Runs) -> Mask:
    """The pixels of runs."""
    out = np.zeros(runs.shape, np.bool_)
    out.ravel()[runs.pixels()] = True
    return out


def close_runs(runs: Runs, most: int) -> Runs:
    """Join runs of a row that are at most so many pixels apart."""
    apart = (runs.row[1:] != runs.row[:-1]) | (runs.start[1:] - runs.end[:-1] > most)
    first, last = np.append(True, apart)[: len(runs.row)], np.append(apart, True)[: len(runs.row)]
    return Runs(runs.shape, runs.row[first], runs.start[first], runs.end[last])


def _run_lengths(mask: Mask) -> NDArray[np.int32]:
    """For each pixel of ink the length of its run along the row; 0 elsewhere. int32 (h, w)."""
    runs = find_runs(mask)
    out = np.zeros(mask.shape, np.int32)
    length = runs.end - runs.start
    out.ravel()[runs.pixels()] = np.repeat(length, length)
    return out
