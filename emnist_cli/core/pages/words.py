"""Group the characters of a line into words by the gaps between them; `segment` uses it."""

from itertools import pairwise

import numpy as np

from emnist_cli.core.pages.characters import CharCandidate
from emnist_cli.core.pages.segments import gap
from emnist_cli.core.pages.sizes import Numbers


def split_words(characters: list[CharCandidate], size: float) -> list[list[CharCandidate]]:
    """Part a line where gaps are wide, measured by the line's own.

    Args:
        characters: of one line, left to right.
        size: how tall the page's characters are.
    """
    gaps = np.array([gap(a.piece, b.piece) for a, b in pairwise(characters)])
    words, limit = [characters[:1]], _limit(gaps, size)
    for character, space in zip(characters[1:], gaps, strict=True):
        if space > limit:
            words.append([])
        words[-1].append(character)
    return words


def _limit(gaps: Numbers, size: float) -> float:
    """The gap above which a word ends: between the two populations, if there are two.

    The split is Otsu's ("A threshold selection method from gray-level histograms", IEEE SMC 9(1), 1979): the one
    with the greatest variance between the two.
    """
    if len(gaps) < 2:
        return 0.9 * size
    ordered = np.sort(np.maximum(gaps, 0))
    count = np.arange(1, len(ordered))
    below = np.cumsum(ordered)[:-1] / count
    above = np.cumsum(ordered[::-1])[-2::-1] / count[::-1]
    spread = above - below
    at = int((spread * np.sqrt(count * count[::-1])).argmax())
    if spread[at] > max(0.35 * size, 1.7 * below[at]) and ordered[at + 1] - ordered[at] > 0.1 * size:
        return float((ordered[at] + ordered[at + 1]) / 2)
    return max(0.9 * size, 2.5 * float(np.median(ordered)))
