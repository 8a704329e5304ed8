"""The connected components of a page's ink, measured along its lines; all steps after `ink_map` use them.

The module also estimates how large the page's characters are, and which components are not characters. Coordinates
"along the lines" are columns and rows of the page turned level: a small rotation is done as two shears.
"""

from typing import NamedTuple

import numpy as np

from emnist_cli.core.imaging.ops import Mask
from emnist_cli.core.pages.sizes import Numbers
from emnist_cli.core.preprocessing.components import Components, Indices, find_components

_LEAST = 6  # pixels; nothing smaller can be read
_STEP = 0.05  # of the logarithm of a height
_MOST_LETTERS = 20  # a page with more that large has no room for rules that matter


class PageComponents(NamedTuple):
    """The connected components of a page's ink.

    Attributes:
        components: their pixels.
        left: float64 (n,), extents along the lines.
        top: float64 (n,).
        right: float64 (n,), exclusive.
        bottom: float64 (n,), exclusive.
    """

    components: Components
    left: Numbers
    top: Numbers
    right: Numbers
    bottom: Numbers

    @property
    def width(self) -> Numbers:
        """Extent along the line."""
        return self.right - self.left

    @property
    def height(self) -> Numbers:
        """Extent across the line."""
        return self.bottom - self.top

    @property
    def middle(self) -> Numbers:
        """Middle between top and bottom."""
        return (self.top + self.bottom) / 2

    def select(self, keep: "Indices") -> "PageComponents":
        """Return the extents of some parts, in the order of `keep`; the components stay all of them."""
        return PageComponents(self.components, self.left[keep], self.top[keep], self.right[keep], self.bottom[keep])


class Tilt(NamedTuple):
    """How a page's writing leans.

    Attributes:
        slope: rows that lines go down per column.
        slant: columns that strokes meant to be upright lean to the right, per row.
    """

    slope: float
    slant: float = 0.0

    @property
    def level(self) -> "Tilt":
        """The same slope, without the slant."""
        return Tilt(self.slope)

    def along(self, rows: Numbers | Indices, columns: Numbers | Indices) -> Numbers:
        """How far along its line a pixel is."""
        return columns + self.slope * rows + self.slant * self.across(rows, columns)

    def across(self, rows: Numbers | Indices, columns: Numbers | Indices) -> Numbers:
        """How far down the level page a pixel is."""
        return np.asarray(rows - self.slope * columns, np.float64)


def find_parts(components: Components, tilt: Tilt) -> PageComponents:
    """Measure connected components along the lines."""
    runs, count = components.runs, len(components.area)
    extents = []
    for place in (tilt.along, tilt.across):
        one, other = place(runs.row, runs.start), place(runs.row, runs.end - 1)
        first, last = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(first, components.number, np.minimum(one, other))
        np.maximum.at(last, components.number, np.maximum(one, other))
        extents += [first, last + 1]
    return PageComponents(components, extents[0], extents[2], extents[1], extents[3])


def typical_height(parts: PageComponents, others: Mask) -> float:
    """Estimate how tall the page's characters are: the commonest height, weighted so that dust counts little.

    Args:
        parts: of the page.
        others: bool (n,), those that are known to be no characters.

    Returns:
        Pixels; 0.0 where nothing could be a character.
    """
    height, width = parts.height, parts.width
    boxes, shape = parts.components.boxes, parts.components.runs.shape
    fill = parts.components.area / np.maximum(height * width, 1)
    possible = (height >= _LEAST) & (width < 4 * height) & ~others
    likely = possible & (boxes[:, :2] > 0).all(axis=1) & (boxes[:, 2:] < shape).all(axis=1)
    likely &= (height >= 0.004 * max(shape)) & (height < 12 * width)
    likely &= ((fill < 0.9) | (height > 2.5 * width)) & (fill > 0.04)
    if not likely.any():
        likely = possible
    if not likely.any():
        return 0.0
    logs = np.log(height[likely])
    weights = np.sqrt(height * np.minimum(width + 0.3 * height, height))[likely]
    grid = np.arange(logs.min(), logs.max() + 2 * _STEP, _STEP)
    sums = np.bincount(np.round((logs - grid[0]) / _STEP).astype(np.int64), weights, len(grid))
    bell = np.exp(-0.5 * (np.arange(-12, 13) * _STEP / 0.22) ** 2)
    mode = grid[np.convolve(sums, bell)[12:-12].argmax()]
    return float(np.exp(np.quantile(logs[np.abs(logs - mode) < 0.6], 0.6)))


def tallest_letter(parts: PageComponents) -> float:
    """How tall the tallest part is that has the form of a letter: two holes at most, nothing else in them."""
    boxes, shape = parts.components.boxes, parts.components.runs.shape
    inside = (boxes[:, :2] > 0).all(axis=1) & (boxes[:, 2:] < shape).all(axis=1)
    likely = inside & (parts.height > max(shape) / 20) & (parts.width < 4 * parts.height)
    alone = np.count_nonzero(parts.components.area > 0.0005 * shape[0] * shape[1]) <= 3  # one letter, perhaps an I
    large = np.flatnonzero(likely & (alone | (parts.width > 0.2 * parts.height)))
    for number in large[np.argsort(-parts.height[large])][:_MOST_LETTERS].tolist():
        top, left, bottom, right = boxes[number].tolist()
        nested = (boxes[:, :2] > (top, left)).all(axis=1) & (boxes[:, 2:] < (bottom, right)).all(axis=1)
        own = parts.components.mask(np.arange(len(boxes)) == number)[top:bottom, left:right]
        holes = find_components(~np.pad(own, 1))
        if not (nested & (parts.height > 0.2 * parts.height[number])).any() and (
            np.count_nonzero(holes.area > 0.0002 * own.size) <= 3  # what is around it is one, too
        ):
            return float(parts.height[number])
    return 0.0
