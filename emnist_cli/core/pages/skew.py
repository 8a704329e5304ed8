"""Estimate the tilt of a page's lines and the slant of its letters from profiles of the ink, for `segment`."""

import numpy as np

from emnist_cli.core.pages.page_components import Tilt
from emnist_cli.core.pages.sizes import Numbers
from emnist_cli.core.preprocessing.components import Components, Indices, Runs

MAX_SLOPE = 0.21
"""Pages are tilted by at most this, about 12 degrees; for more, a page needs to be turned first."""

_MAX_SLANT = 0.6  # 31 degrees
_MOST_RUNS = 60_000


def estimate_slope(runs: Runs) -> float:
    """Find the slope at which the ink's profile over the page's height has the sharpest peaks.

    Postl, "Detection of linear oblique structures and skew scan in digitized documents", ICPR 1986: the sum of squared
    differences of the profile. Coarse steps with a broad profile first, then fine ones around the best.

    Args:
        runs: of the ink.

    Returns:
        Rows that a line goes down per column.
    """
    step = 1 + len(runs.row) // _MOST_RUNS
    row, middle = runs.row[::step].astype(np.float64), (runs.start + runs.end)[::step] / 2
    weight = (runs.end - runs.start)[::step].astype(np.float64)
    if len(row) < 2:
        return 0.0
    best = 0.0
    for cells, width in ((200, MAX_SLOPE), (400, 0.02), (800, 0.008)):
        slopes = best + np.linspace(-width, width, 2 * round(width * cells / 2) + 1)
        slopes = slopes[abs(slopes) <= MAX_SLOPE]
        energies = [_energy(row - slope * middle, weight, max(runs.shape) / cells) for slope in slopes]
        # Few characters peak at any slope by chance: the straighter one is likelier.
        best = float(slopes[np.argmax(np.array(energies) * (1 - 0.5 * (slopes / MAX_SLOPE) ** 2))])
    return best


def estimate_slant(components: Components, chosen: Indices, slope: float, size: float) -> float:
    """Find the slant at which upright strokes fall into the fewest columns of their parts.

    Args:
        components: of the page.
        chosen: numbers of those that may be characters.
        slope: of the lines.
        size: how tall characters are.

    Returns:
        Columns that upright strokes lean to the right, per row.
    """
    runs = components.runs
    keep = np.isin(components.number, chosen) & (runs.end - runs.start < size / 3)
    keep[np.flatnonzero(keep)[_MOST_RUNS:]] = False
    if not keep.any():
        return 0.0
    part = components.number[keep]
    middle, row = ((runs.start + runs.end) / 2)[keep], runs.row[keep]
    slants = np.linspace(-_MAX_SLANT, _MAX_SLANT, 25)
    energies = []
    for slant in slants:
        along = Tilt(slope, float(slant)).along(row, middle)
        column = np.floor(along / max(1.0, size / 30)).astype(np.int64)
        _, counts = np.unique(part * 2**32 + (column - column.min()), return_counts=True)
        energies.append(float((counts.astype(np.float64) ** 2).sum()))
    return float(slants[np.argmax(np.array(energies) * (1 - 0.2 * abs(slants / _MAX_SLANT)))])


def _energy(height: Numbers, weight: Numbers, cell: float) -> float:
    """How sharp the profile over the page's height is, in cells of so many pixels."""
    index = ((height - height.min()) / cell).astype(np.int64)
    profile = np.bincount(index + 1, weight, index.max() + 3)
    return float((np.diff(profile) ** 2).sum())
