"""Model how large characters are and where they stand on a line, for `context`.

Size and place distinguish c from C, and p from P. Sizes are in units of the cap height, as measured on the writers of
UNIPEN and Chars74k: medians, and the spread of the logarithms about them. The cap height and x-height of a given line
are not known, so all possible ones are tried.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class _Shape(NamedTuple):
    """Size and place of a type of characters.

    Attributes:
        characters: that have it.
        cap: how far they go up from the line they stand on, in cap heights; or
        x: in x-heights.
        hang: how far they go below it, in cap heights.
        spread: standard deviation of the logarithm of their height.
    """

    characters: str
    cap: float
    x: float
    hang: float
    spread: float


_DESCENT = 0.42
_SHAPES = (
    _Shape("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1.0, 0.0, 0.0, 0.13),
    _Shape("0123456789", 0.95, 0.0, 0.0, 0.18),
    _Shape("bdfhkl", 1.0, 0.0, 0.0, 0.18),
    _Shape("it", 0.88, 0.0, 0.0, 0.2),
    _Shape("acemnorsuvwxz", 0.0, 1.0, 0.0, 0.17),
    _Shape("gpqy", 0.0, 1.0, _DESCENT, 0.2),
    _Shape("j", 0.85, 0.0, _DESCENT, 0.25),
)

ANY = len(_SHAPES)
"""The shape of what may have any size."""

HANGING = [i for i, shape in enumerate(_SHAPES) if shape.hang]
"""Shapes that go below the line."""

_CAP_HEIGHTS = np.geomspace(0.6, 2.6, 24)  # in units of the line's median height
_X_HEIGHTS = np.array([0.42, 0.5, 0.59, 0.7, 0.83])  # in cap heights
_CAPS, _XS = np.repeat(_CAP_HEIGHTS, len(_X_HEIGHTS)), np.tile(_X_HEIGHTS, len(_CAP_HEIGHTS))
_X_WEIGHT = np.exp(-0.5 * (np.log(_XS / 0.59) / 0.22) ** 2)

X_PRIOR: Numbers = _X_WEIGHT / _X_WEIGHT.sum() * len(_CAP_HEIGHTS)
"""How likely the x-height of each of a line's possible sizes is, beside the others of its cap height."""

_SPREAD_BELOW = 0.14  # standard deviation of where a character stands
_SPREAD_LINE = 0.3  # of where a line of a single character is
_STRAY = 0.02  # density of a size and place that follows none of this
_ANYWHERE = 0.5  # of those that may have any

_MOST_SLOPE, _MOST_BEND = 0.1, 0.004  # what a line is expected to have at most; the latter in its characters' heights
_DOUBT = 0.02
_BENT_FROM = 12  # characters on a line that can be told to be bent


def shape_of(character: str) -> int:
    """Return which shape a character has."""
    return next((i for i, shape in enumerate(_SHAPES) if character in shape.characters), ANY)


def explain_sizes(boxes: Numbers, hanging: Numbers) -> tuple[Numbers, Numbers]:
    """Return how well each shape explains each character's size and place, for each size that the line may have.

    Args:
        boxes: float64 (n, 4), left, top, right, bottom of the line's characters, from left to right.
        hanging: float64 (n,), probability that it goes below the line.

    Returns:
        Densities (n, shapes with `ANY`, sizes), and the logarithm of the cap height in pixels (sizes,).
    """
    heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1)
    usual = float(np.median(heights))
    depth = (boxes[:, 3] - _baseline(boxes, hanging, usual))[:, None, None]
    cap = usual * _CAPS
    up, x, hang, spread = np.array([[s.cap, s.x, s.hang, s.spread] for s in _SHAPES]).T[:, :, None]
    size = np.log(heights[:, None, None] / (cap * (up + hang + x * _XS))) / spread
    below = (depth / cap - hang) / np.hypot(_SPREAD_BELOW, _SPREAD_LINE / len(boxes))
    density = np.exp(-0.5 * (size**2 + below**2)) * (min(s.spread for s in _SHAPES) / spread) + _STRAY
    anywhere = np.full((len(boxes), 1, len(cap)), _ANYWHERE)
    return np.concatenate([density, anywhere], axis=1), np.log(cap)


def _baseline(boxes: Numbers, hanging: Numbers, height: float) -> Numbers:
    """Fit the line that characters stand on, which may slope and bend a little; return its row at each of them.

    Least squares, again and again with weights that what stands off the line loses (Cauchy's).
    """
    middle, bottom = (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]
    x = (middle - middle.mean()) / height
    terms = np.stack([np.ones_like(x), x, x**2])[: 3 if len(x) >= _BENT_FROM else 2]
    doubt = np.diag([0.0, _DOUBT / _MOST_SLOPE**2, _DOUBT / _MOST_BEND**2][: len(terms)])
    sure = 1.02 - hanging
    weight, row = sure, bottom
    for _ in range(5):
        normal = (terms * weight) @ terms.T + doubt
        row = np.linalg.solve(normal, (terms * weight) @ bottom / height) @ terms * height
        weight = sure / (1 + ((bottom - row) / (0.12 * height)) ** 2)
    return np.asarray(row)
