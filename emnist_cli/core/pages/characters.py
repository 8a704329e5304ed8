"""Group the ink of a line into characters; `segment` uses it.

Parts are joined and touching neighbors are cut where the shape and the recognizer say so. The method is
over-segmentation and dynamic programming (Casey and Lecolinet, "A survey of methods and strategies in character
segmentation", IEEE PAMI 18(7), 1996, section 4): wide segments are cut at every possible place, neighboring segments
are joined wherever they may belong together, the recognizer rates each group, and the best sequence of groups is
kept.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.imaging.ops import Gray
from emnist_cli.core.pages.crops import ComponentLabels, classify
from emnist_cli.core.pages.ink_map import InkMap
from emnist_cli.core.pages.segments import Piece, gap, union

# Characters of one shape, whatever their size and place. Where two are that alike, the recognizer cannot be sure which
# it sees, and still be sure that it sees a character.
_ALIKE = ("0Oo", "1Il", "2Zz", "5Ss", "9gq", "6Gb", "vVuU", "Cc", "Kk", "Pp", "Ww", "Xx", "Yy", "Mm", "Jj", "hn", "ij")
_MOST_PIECES = 7  # of one character


class CharCandidate(NamedTuple):
    """A character as found.

    Attributes:
        piece: its ink.
        probabilities: float32 (labels,).
    """

    piece: Piece
    probabilities: Gray


def find_characters(
    page: InkMap, owner: ComponentLabels, rows: list[list[Piece]], size: float, recognizer: Recognizer
) -> list[list[CharCandidate]]:
    """Decide for every line which pieces make up a character.

    Args:
        page: the page.
        owner: int32, number of the piece that each pixel of the reduced page belongs to.
        rows: for each line its pieces, left to right.
        size: how tall characters are.
        recognizer: of characters.
    """
    spans = [(row, first, last) for row, pieces in enumerate(rows) for first, last in _spans(pieces, size)]
    groups = [union(rows[row][first:last]) for row, first, last in spans]
    answers = classify(page, owner, [(group.box, group.numbers) for group in groups], recognizer)
    sure = confidence(answers, recognizer.labels)
    starts = np.searchsorted([row for row, _, _ in spans], np.arange(len(rows) + 1)).tolist()
    out = []
    for pieces, own in zip(rows, (range(*ends) for ends in pairwise(starts)), strict=True):
        chosen = _best_row(pieces, [(spans[i][1], spans[i][2], float(sure[i]), i) for i in own], size)
        out.append([CharCandidate(groups[i], answers[i]) for i in chosen])
    return out


def _spans(pieces: list[Piece], size: float) -> list[tuple[int, int]]:
    """The groups of neighbouring pieces that might be one character."""
    reach = min(max(0.7 * _usual_gap(pieces, size), 0.08 * size), 0.3 * size)
    found = []
    for first, group in enumerate(pieces):
        found.append((first, first + 1))
        for last in range(first + 2, min(first + _MOST_PIECES, len(pieces)) + 1):
            following = pieces[last - 1]
            if following.cut is None and gap(group, following) > reach:
                break
            group = union([group, following])
            if group.width > 1.5 * max(size, 0.8 * group.height):
                break
            found.append((first, last))
    return found


def _usual_gap(pieces: list[Piece], size: float) -> float:
    """The middle one of the gaps between pieces that were never one."""
    gaps = [gap(a, b) for a, b in pairwise(pieces) if b.cut is None]
    return float(np.median(gaps)) if len(gaps) > 3 else 0.15 * size


def confidence(answers: Gray, labels: tuple[str, ...]) -> NDArray[np.float64]:
    """How sure the recognizer is of a shape: characters of one shape count together."""
    shape = {c: group[0] for group in _ALIKE for c in group}
    names = [shape.get(label, label) for label in labels]
    unique = list(dict.fromkeys(names))
    matrix = np.zeros((len(labels), len(unique)), np.float32)
    for i, name in enumerate(names):
        matrix[i, unique.index(name)] = 1
    return np.asarray((answers @ matrix).max(axis=1), np.float64)


def _best_row(pieces: list[Piece], spans: list[tuple[int, int, float, int]], size: float) -> list[int]:
    """The cheapest way to make a line's pieces into characters; the chosen spans' numbers."""
    narrow = min(max(0.3 * _usual_gap(pieces, size), 0.02 * size), 0.1 * size)
    apart = [0.0] + [_cost_apart(a, b, narrow, size) for a, b in pairwise(pieces)]
    best = [0.0] + [np.inf] * len(pieces)
    came: list[tuple[int, int]] = [(0, -1)] * (len(pieces) + 1)
    for first, last, sure, number in sorted(spans):
        cost = best[first] + max(apart[first], 0.0) + sum(max(-odds, 0.0) for odds in apart[first + 1 : last])
        cost += _cost_shape(union(pieces[first:last]), sure, size)
        if cost < best[last]:
            best[last], came[last] = cost, (first, number)
    chosen, at = [], len(pieces)
    while at > 0:
        at, number = came[at]
        chosen.append(number)
    return chosen[::-1]


def _cost_apart(one: Piece, other: Piece, narrow: float, size: float) -> float:
    """Log-odds that two neighbours belong together, by the gap or the cut between them alone."""
    if other.cut is not None:
        return 0.4 + 0.8 * max(0.0, other.cut - 1)
    return float(np.clip((narrow - gap(one, other)) / (0.05 * size), -4, 2))


def _cost_shape(piece: Piece, sure: float, size: float) -> float:
    """How unlikely a piece is to be a character, by its shape and the recognizer."""
    cost = -float(np.log(max(sure, 0.03)))
    cost += 2.5 * max(0.0, piece.width / max(size, piece.height) - 1)
    if piece.height < 0.45 * size and piece.width < 0.45 * size:
        cost += 1.5
    return cost
