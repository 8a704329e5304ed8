"""Filter out marks on a page that are not characters; `segment` uses it.

Such marks are dust, blots, edges of paper and shadow, and the grain of a table.
"""

import numpy as np

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.pages.characters import CharCandidate, confidence
from emnist_cli.core.pages.crops import ComponentLabels
from emnist_cli.core.pages.ink_map import InkMap
from emnist_cli.core.pages.page_components import PageComponents
from emnist_cli.core.pages.sizes import Numbers
from emnist_cli.core.preprocessing.components import Indices

_TALLEST = 2.6  # of usual characters: a 9 with a long stem
_MOST = 5000  # characters on a page; noise must not take long


def depths(page: InkMap, owner: ComponentLabels) -> Numbers:
    """How dark each part is, in the mean: float64 (n,), share of the paper's light that is missing."""
    flat = owner.ravel()
    ink = np.flatnonzero(flat)
    count = np.bincount(flat[ink])
    total = np.bincount(flat[ink], page.absorbed.ravel()[ink])
    return np.asarray(total[1:] / np.maximum(count[1:], 1))


def choose_depth(parts: PageComponents, depth: Numbers, size: float) -> tuple[Indices, Indices]:
    """Find the parts that may be characters or large parts of some, and small marks that may belong to one.

    Args:
        parts: of the page.
        depth: of each, as `depths` gives it.
        size: how tall the page's characters are.

    Returns:
        Numbers of the one and of the other.
    """
    tall, wide = parts.height, parts.width
    boxes, shape = parts.components.boxes, parts.components.runs.shape
    border = (boxes[:, :2] <= 1).any(axis=1) | (boxes[:, 2:] >= np.array(shape) - 1).any(axis=1)
    fill = parts.components.area / np.maximum(tall * wide, 1)
    main = (tall > 0.4 * size) & (tall < _TALLEST * size) & (wide < 8 * size) & (fill > 0.03)
    main |= (wide > 0.4 * size) & (wide < 2 * size) & (tall > 0.2 * size) & (tall < _TALLEST * size)
    main &= ~((wide < 0.25 * size) & (tall > 1.8 * size))
    main &= ~(border & ((fill > 0.7) | (wide > 2 * size) | (tall < 0.5 * size)))
    if main.any():
        main &= depth > 0.45 * _typical(depth[main], (tall * wide)[main])
    if np.count_nonzero(main) > _MOST:
        main[np.argsort(np.where(main, tall, 0))[:-_MOST]] = False
    area = parts.components.area
    marks = ~main & (tall <= 0.5 * size) & (wide <= 1.2 * size) & (area >= 0.004 * size * size)
    marks &= ~border
    if np.count_nonzero(marks) > _MOST:
        marks[np.argsort(np.where(marks, area, 0))[:-_MOST]] = False
    return np.flatnonzero(main), np.flatnonzero(marks)


def stroke_of(parts: PageComponents, main: Indices) -> float:
    """How thick strokes are, in pixels: the usual length of a run of ink."""
    runs = parts.components.runs
    length = (runs.end - runs.start)[np.isin(parts.components.number, main)]
    return float(np.median(length)) if len(length) else 3.0


def keep_text(lines: list[list[CharCandidate]], size: float, recognizer: Recognizer) -> list[list[CharCandidate]]:
    """Drop lines that are no text: hardly anything in them looks like a character, or few, of an odd size."""
    kept = []
    alone = sum(len(line) > 2 for line in lines) == 0
    for line in lines:
        if not line:
            continue
        sure = confidence(np.stack([c.probabilities for c in line]), recognizer.labels)
        heights = np.array([c.piece.height for c in line])
        fits = (heights > 0.5 * size) & (heights < 1.8 * size)
        enough = 0.5 if len(line) > 2 or alone else 0.8
        if sure.mean() > enough and (alone or fits.mean() > 0.5):
            kept.append(line)
    return kept


def _typical(values: Numbers, weights: Numbers) -> float:
    """Weighted median."""
    order = np.argsort(values)
    sums = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(sums, sums[-1] / 2)])
