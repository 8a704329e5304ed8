"""Find the ink in a grayscale image of one character, in any light and on any paper; preprocessing uses it.

The module knows nothing of EMNIST's format; `preprocessing.normalize` brings the ink found here into it.
"""

from typing import NamedTuple

import numpy as np

from emnist_cli.core.imaging.ops import Gray, Mask, bounds, dilate, quantile
from emnist_cli.core.preprocessing.background import estimate_paper, measure_paper
from emnist_cli.core.preprocessing.cleanup import keep_character

MIN_DEPTH = 0.07
"""Ink absorbs at least this share of the light that its paper returns; fainter marks are paper."""

CLEARLY = 0.2, 5.5
"""Ink is in the mean at least so deep, or so many times as deep as noise; less is the texture of the paper."""


class Ink(NamedTuple):
    """The ink of a character.

    Attributes:
        density: float32 (h, w) in [0, 1]; 1 full ink, 0 paper; whatever is not the character is 0.
        mask: bool (h, w), where density is more than about half.
    """

    density: Gray
    mask: Mask


def find_ink(gray: Gray, dark: bool) -> Ink | None:
    """Separate the character from paper, shadows, rules and specks.

    Args:
        gray: float32 (h, w) in [0, 1]; a few hundred pixels a side at most.
        dark: whether ink is darker than paper.

    Returns:
        The ink, or None where there is none.
    """
    bright = gray if dark else 1 - gray
    light = estimate_paper(bright)
    depth: Gray = light - bright
    depth /= np.maximum(light, np.float32(0.05))
    offset, noise = measure_paper(depth)
    depth -= np.float32(offset)
    candidates = depth[depth > max(MIN_DEPTH, 4 * noise)]
    if candidates.size < 3:
        return None
    level = quantile(candidates, 0.8)
    threshold = max(0.45 * level, MIN_DEPTH, 4 * noise)
    mask = keep_character(depth > threshold)
    if mask is None:
        return None
    top, left, bottom, right = bounds(mask)
    around = slice(max(0, top - 2), bottom + 2), slice(max(0, left - 2), right + 2)  # elsewhere nothing is left
    near, depth = mask[around], depth[around]
    if float(depth[near].mean()) < min(CLEARLY[0], CLEARLY[1] * noise):
        return None
    low = min(3 * noise, 0.4 * level)
    depth = (depth - low) / (level - low)
    density = np.zeros(mask.shape, np.float32)
    density[around] = np.clip(depth, 0, 1, out=depth) * dilate(near, 2)
    return Ink(density, mask)
