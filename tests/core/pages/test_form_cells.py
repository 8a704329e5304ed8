"""The sides of a form's cells are taken out, and no stroke with them."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageDraw

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.imaging.ops import Mask, dilate
from emnist_cli.core.pages.form_cells import find_form
from emnist_cli.core.pages.segment import segment
from tests.core.pages.test_segment import assert_found, ruled
from tests.pages import Made, turned, write

LINES = ["GB82WEST1234", "KLARAHEPBURN", "27041969XYZ2"]
PEN = 6.0  # pixels, of characters 60 pixels tall


class Form(NamedTuple):
    """Characters, and the cells around them: bool (h, w) each, and both on one page."""

    ink: Mask
    sides: Mask
    made: Made


def form(
    lines: list[str], *, gap: float = 0.5, margin: int = 12, width: int = 3, apart: int = 0, gray: float = 0.2
) -> Form:
    """A row of cells for each line; sides between cells stand midway between characters.

    Args:
        lines: without spaces.
        gap: between characters, in heights.
        margin: between a row's sides and the tallest character, in pixels.
        width: of the sides, in pixels.
        apart: pixels between two cells; at 0 they share their sides.
        gray: of the sides; 0 is black.
    """
    made = write(lines, gap=gap)
    drawn = Image.new("F", made.gray.shape[::-1], 1.0)
    pen = ImageDraw.Draw(drawn)
    for line in made.boxes:
        middles = [(one.right + other.left) // 2 for one, other in pairwise(line)]
        top, bottom = min(b.top for b in line) - margin, max(b.bottom for b in line) + margin
        for left, right in pairwise([line[0].left - margin, *middles, line[-1].right + margin]):
            place = (left + apart // 2, top, right - apart // 2, bottom)
            pen.rectangle(place, outline=gray, width=width)
    paper = np.asarray(drawn)
    return Form(made.gray < 0.5, paper < 1, made.on(paper))


FORMS = {
    "shared": form(LINES),
    "apart": form(LINES, apart=8),
    "touching": form(LINES, gap=0.12, margin=6),
    "apart and touching": form(LINES, gap=0.24, margin=6, apart=6),
    "thick": form(LINES, width=7),
    "thin": form(LINES, width=1),
    "pale": form(LINES, gray=0.75),
}


@pytest.mark.parametrize("name", [name for name in FORMS if name != "pale"])
def test_sides_go_and_strokes_stay(name: str) -> None:
    ink, sides, made = FORMS[name]
    gone = find_form(made.gray < 0.5, 0.0, PEN)
    only = sides & ~dilate(ink, 2)
    assert np.count_nonzero(gone & only) > 0.97 * np.count_nonzero(only)
    strokes = ink & ~dilate(sides, 2)
    assert np.count_nonzero(gone & strokes) < 0.01 * np.count_nonzero(strokes)


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [0, -3])
@pytest.mark.parametrize("name", list(FORMS))
def test_characters_in_cells_are_found(name: str, degrees: float, recognizer: Recognizer) -> None:
    made = turned(FORMS[name].made, degrees)
    assert_found(segment(made.shade, recognizer), made, missed=4 if "touching" in name else 0)


def test_cells_that_characters_hide_are_found_by_the_others() -> None:
    ink, sides, made = form(["ABHHBHEHBHHA"], gap=0.02, margin=1)
    gone = find_form(made.gray < 0.5, 0.0, PEN)
    only = sides & ~dilate(ink, 2)
    assert np.count_nonzero(gone & only) > 0.9 * np.count_nonzero(only)


@pytest.mark.parametrize("name", ["text", "rules", "squares", "two cells"])
def test_what_is_no_form_stays_whole(name: str) -> None:
    made = write(["EFH B D 8 HELLO", "TITLE FELT 1110", "OLEOLE BEETHOVEN"])
    made = {
        "text": made,
        "rules": ruled(made, down=120, width=3, gray=0.0),
        "squares": ruled(made, down=37, across=37, gray=0.0),
        "two cells": form(["AB"]).made,
    }[name]
    assert not find_form(made.gray < 0.5, 0.0, PEN).any()


RANGES = ((12, 90), (12, 90), (1, 9), (0, 12), (0, 150))
"""How wide, tall, thick and far apart across and down cells are, in pixels."""


@pytest.mark.parametrize("seed", range(40))
def test_nothing_drawn_is_too_much(seed: int) -> None:
    """Rectangles anywhere, over each other and over the border, and noise: only ink is taken out."""
    rng = np.random.default_rng(seed)
    width, height = (int(side) for side in rng.integers(20, 700, 2))
    image = Image.new("1", (width, height))
    pen = ImageDraw.Draw(image)
    wide, tall, thick, apart, below = (int(rng.integers(least, most)) for least, most in RANGES)
    for x in range(int(rng.integers(-20, 20)), width, wide + apart):
        for y in range(int(rng.integers(-20, 20)), height, tall + below):
            pen.rectangle((x, y, x + wide, y + tall), outline=1, width=thick)
    ink = np.asarray(image) ^ (rng.random((height, width)) < rng.choice([0, 0, 0, 0.01, 0.2]))
    gone = find_form(ink, rng.uniform(-0.02, 0.02), rng.uniform(0.5, 8))
    assert gone.shape == ink.shape
    assert not (gone & ~ink).any()
