"""Find the lines, words and characters of a photographed or scanned page, as the first stage of `emnist read`.

The steps: `ink_map` separates ink from paper. `skew` measures how the writing leans. `rules`, `form_cells` and
`frames` find what is ruled and boxed. `page_components` measures the connected components of the remaining ink.
`noise_filter` drops what is not a character. `lines` groups the rest. `oversegment` cuts and stacks what stands in a
line. `characters` decides with the recognizer's help what belongs together. `words` divides lines at wide gaps.
"""

from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.imaging.ops import Mask
from emnist_cli.core.pages.char_boxes import Glyph, Layout, PixelBox, TextLine
from emnist_cli.core.pages.characters import CharCandidate, find_characters
from emnist_cli.core.pages.crops import ComponentLabels
from emnist_cli.core.pages.form_cells import find_form
from emnist_cli.core.pages.frames import find_frames
from emnist_cli.core.pages.ink_map import InkMap, close_gaps, find_page_ink, page_stroke_width
from emnist_cli.core.pages.lines import find_lines, slope_of
from emnist_cli.core.pages.noise_filter import choose_depth, depths, keep_text, stroke_of
from emnist_cli.core.pages.oversegment import Views, make_pieces
from emnist_cli.core.pages.page_components import PageComponents, Tilt, find_parts, tallest_letter, typical_height
from emnist_cli.core.pages.rules import find_rules
from emnist_cli.core.pages.segments import around
from emnist_cli.core.pages.skew import estimate_slant, estimate_slope
from emnist_cli.core.pages.words import split_words
from emnist_cli.core.preprocessing.components import Indices, find_components, find_runs


class Writing(NamedTuple):
    """The writing on a page.

    Attributes:
        parts: connected pieces of ink.
        owner: int32, 1 + the number of the part that each pixel of the reduced page belongs to; 0 for none.
        slope: of the lines, rows per column.
        size: how tall characters are, in pixels of the reduced page.
        lines: numbers of each line's parts.
        marks: numbers of the small parts that may belong to a character.
    """

    parts: PageComponents
    owner: ComponentLabels
    slope: float
    size: float
    lines: list[Indices]
    marks: Indices


def segment(shade: NDArray[np.uint8] | NDArray[np.float32], recognizer: Recognizer) -> Layout:
    """Find the lines, words and characters of a page.

    Args:
        shade: the upright page, 0 black; uint8 in [0, 255] or float32 in [0, 1], (h, w).
        recognizer: says what each character may be.

    Returns:
        What was found, boxes in pixels of `shade`; no lines where nothing is written.
    """
    height, width = shade.shape
    page = find_page_ink(shade)
    slope = estimate_slope(find_runs(page.mask))
    parts = find_parts(find_components(page.mask), Tilt(slope))
    mask = page.mask & ~find_rules(page, slope, max(max(page.mask.shape) / 8, 2.5 * tallest_letter(parts)))
    stroke = page_stroke_width(page.mask)
    form = find_form(page.mask, slope, stroke)
    mask &= ~(form if form.any() else find_form(page.trace, slope, stroke))
    boxes = np.zeros_like(mask)
    for ink in (page.mask, page.trace):
        components = find_components(ink)
        frames = find_frames(find_parts(components, Tilt(slope)))
        boxes |= components.mask(frames.every)
        mask &= ~components.mask(frames.plain)
    writing = _find_writing(page, mask, slope, boxes)
    if writing:
        slope, size = writing.slope, writing.size
        mask &= ~find_rules(page, slope, max(2.5 * size, 40))
        if boxes.any():
            mask &= ~find_rules(page._replace(trace=boxes, mask=boxes & page.mask), slope, 1.1 * size)
        writing = _find_writing(page, close_gaps(mask), slope, np.zeros_like(boxes))
    if not writing:
        return Layout(width, height, ())
    lines = keep_text(_find_characters(page, writing, recognizer), writing.size, recognizer)
    return Layout(width, height, tuple(_finish(line, writing.size, page) for line in lines))


def _find_writing(page: InkMap, mask: Mask, slope: float, boxes: Mask) -> Writing | None:
    """Group the ink of `mask` into lines, and see by them how they slope; None where nothing is written.

    The ink of `boxes` says nothing of how tall characters are.
    """
    components = find_components(mask)
    owner = components.labels
    depth = depths(page, owner)
    boxed = np.bincount(owner[boxes], minlength=len(depth) + 1)[1:] > 0
    for _ in range(2):
        parts = find_parts(components, Tilt(slope))
        size = typical_height(parts, boxed) or typical_height(parts, boxed & False)
        if not size:
            return None
        main, marks = choose_depth(parts, depth, size)
        chosen = parts.select(main)
        lines = find_lines(chosen, size)
        slope += slope_of(chosen, lines, size)
    return Writing(parts, owner, slope, size, [main[line] for line in lines], marks) if lines else None


def _find_characters(page: InkMap, writing: Writing, recognizer: Recognizer) -> list[list[CharCandidate]]:
    """Decide for each line what its characters are."""
    parts, owner, size = writing.parts, writing.owner, writing.size
    every = np.concatenate(writing.lines)
    tilt = Tilt(writing.slope, estimate_slant(parts.components, every, writing.slope, size))
    views = Views(find_parts(parts.components, tilt.level), find_parts(parts.components, tilt), tilt)
    stroke, fresh = stroke_of(parts, every), count(len(parts.left) + 1)
    homes = _nearest_lines(parts, writing.lines, writing.marks)
    rows = [
        make_pieces(views, line, writing.marks[homes == i], owner, fresh, size, stroke)
        for i, line in enumerate(writing.lines)
    ]
    return find_characters(page, owner, rows, size, recognizer)


def _nearest_lines(parts: PageComponents, lines: list[Indices], marks: Indices) -> Indices:
    """For each mark the line of the nearest part."""
    of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    places = np.stack([(parts.left + parts.right) / 2, parts.middle], axis=1)
    return np.asarray(of[cKDTree(places[np.concatenate(lines)]).query(places[marks])[1]], np.int64)


def _finish(line: list[CharCandidate], size: float, page: InkMap) -> TextLine:
    """Turn a line's characters into words of glyphs, in pixels of the page."""
    height, width = page.shade.shape

    def whole(box: PixelBox) -> PixelBox:
        left, top, right, bottom = (side * page.factor for side in box)
        return PixelBox(left, top, min(right, width), min(bottom, height))

    words = tuple(tuple(Glyph(whole(c.piece.box), c.probabilities) for c in word) for word in split_words(line, size))
    return TextLine(around([glyph.box for word in words for glyph in word]), words)
