"""Find boxes drawn around characters, as on paper forms, so that `segment` can remove them."""

from typing import NamedTuple

import numpy as np

from emnist_cli.core.imaging.ops import Mask, bounds
from emnist_cli.core.pages.page_components import PageComponents
from emnist_cli.core.pages.shear import shear
from emnist_cli.core.pages.sizes import Numbers

_MOST = 500  # of the largest parts are looked at
_LEAST = 12  # pixels a side
_STRAIGHT = 0.8  # of a box's side lies within this share of its length or three pixels of a line
_TOLERANCE = 0.04
_MOST_SLOPE = 0.2
_ALIKE = 3  # boxes as tall make a fourth one of what has the form of one, but nothing apart inside


class Frames(NamedTuple):
    """Boxes among the parts of a page.

    Attributes:
        every: bool (n,): straight on four sides, with something large inside.
        plain: bool (n,): those that are nothing else; the others have cells, or something in them touches a side.
    """

    every: Mask
    plain: Mask


def find_frames(parts: PageComponents) -> Frames:
    """Tell which parts are boxes around others."""
    frames, hollow, plain = np.zeros((3, len(parts.left)), np.bool_)
    boxes = parts.components.boxes
    tall, wide = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    largest = np.argsort(-tall * wide)[:_MOST]
    for number in largest[np.minimum(tall, wide)[largest] >= _LEAST].tolist():
        inside = (boxes[:, :2] > boxes[number, :2]).all(axis=1) & (boxes[:, 2:] < boxes[number, 2:]).all(axis=1)
        inside &= tall > 0.25 * min(tall[number], wide[number])
        level = _level(parts, number)
        if level is not None and all(is_side(*_upper_side(side)) for side in sides_of(level)):
            hollow[number], frames[number] = True, inside.any()
            margins = [max(3, side // 5) for side in level.shape]
            middle = level[margins[0] : -margins[0], margins[1] : -margins[1]]
            plain[number] = frames[number] and np.count_nonzero(middle) < 0.02 * np.count_nonzero(level)
    for number in np.flatnonzero(hollow & ~frames).tolist():
        frames[number] = np.count_nonzero(np.abs(tall[frames] - tall[number]) < 0.1 * tall[number]) >= _ALIKE
    return Frames(frames, plain)


def _level(parts: PageComponents, number: int) -> Mask | None:
    """One part, turned so that its upper side is level; None where that is too steep."""
    top, left, bottom, right = parts.components.boxes[number].tolist()
    own = parts.components.mask(np.arange(len(parts.left)) == number)[top:bottom, left:right]
    slope, _ = _upper_side(own)
    if abs(slope) > _MOST_SLOPE:
        return None
    level = shear(own, slope)[0]
    level = shear(level.T, -slope)[0].T
    top, left, bottom, right = bounds(level)
    return level[top:bottom, left:right]


def sides_of(level: Mask) -> tuple[Mask, Mask, Mask, Mask]:
    """A part with each of its sides up."""
    return level, level[::-1], level.T, level.T[::-1]


def is_side(slope: float, straight: float) -> bool:
    """Whether an outline of that slope, so much of which is straight, is that of a drawn side."""
    return abs(slope) < _MOST_SLOPE / 2 and straight >= _STRAIGHT


def _upper_side(own: Mask) -> tuple[float, float]:
    """The slope of the line along the upper outline of ink, and the share of the outline that is near it."""
    outline: Numbers = own.argmax(axis=0).astype(np.float64)
    place = np.arange(len(outline))
    limit = max(3.0, _TOLERANCE * min(own.shape))
    near = np.ones(len(outline), np.bool_)
    slope = 0.0
    off = np.abs(outline)
    for _ in range(4):
        slope, start = (float(term) for term in np.polyfit(place[near], outline[near], 1))
        off = np.abs(outline - start - slope * place)
        near = off <= max(limit, float(np.quantile(off, 0.6)))
    return slope, float((off <= limit).mean())
