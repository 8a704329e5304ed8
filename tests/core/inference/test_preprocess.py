"""Geometry of the finished picture, and that nothing changes unseen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from emnist_cli.core.inference import grey
from emnist_cli.core.inference.preprocess import BOX, STROKE, preprocess, stroke_width
from tests import golden
from tests.handwriting import characters, draw, ink_box, picture

Grey = NDArray[np.float32]


def cosine(a: Grey, b: Grey) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def test_golden_pictures() -> None:
    expected = np.asarray(Image.open(golden.SHEET))[28:]
    for i, (name, output) in enumerate(zip(golden.CASES, golden.outputs(), strict=True)):
        difference = np.abs(expected[:, 28 * i : 28 * i + 28].astype(int) - output).max()
        # On one machine nothing may differ; another's Pillow may round otherwise.
        assert difference <= 2, f"{name} differs by {difference}; look at it, then: python -m tests.golden"


def test_the_golden_sheet_shows_the_cases() -> None:
    sheet = np.asarray(golden.sheet())
    assert np.abs(sheet.astype(int) - np.asarray(Image.open(golden.SHEET))).max() <= 2


def test_deterministic_to_the_bit() -> None:
    assert [o.tobytes() for o in golden.outputs()] == [o.tobytes() for o in golden.outputs()]


@settings(max_examples=150, deadline=None)
@given(
    character=st.sampled_from(sorted(characters())),
    donor=st.integers(0, 2),
    width=st.integers(30, 700),
    height=st.integers(30, 700),
    pen=st.floats(0.03, 0.12),
    margin=st.floats(0.12, 0.35),
    light=st.booleans(),
    mode=st.sampled_from(["L", "RGB", "RGBA", "1", "P", "LA", "CMYK", "F", "I;16"]),
)
def test_any_size_mode_and_polarity(
    character: str, donor: int, width: int, height: int, pen: float, margin: float, light: bool, mode: str
) -> None:
    drawn = draw(characters()[character][donor], (width, height), pen, margin)
    drawn = drawn.point(lambda v: 255 - v) if light else drawn
    drawn = Image.fromarray(np.asarray(drawn, np.uint16) * 257) if mode == "I;16" else drawn.convert(mode)
    found = preprocess(grey.from_image(drawn).grey)
    assert found is not None
    assert (found.shape, found.dtype) == ((28, 28), np.float32)
    assert found.min() == 0
    assert found.max() == 1
    top, left, bottom, right = ink_box(found)
    assert BOX - 1 <= max(bottom - top, right - left) <= BOX + 1
    assert abs(top + bottom - 28) <= 2
    assert abs(left + right - 28) <= 2


@pytest.mark.parametrize("character", sorted(characters()))
def test_idempotent(character: str) -> None:
    once = preprocess(golden.grey(character, 1))
    assert once is not None
    again = preprocess(once)
    assert again is not None
    assert cosine(once, again) > 0.98


@pytest.mark.parametrize("character", sorted(characters()))
def test_size_and_place_do_not_matter(character: str) -> None:
    reference = preprocess(golden.grey(character, 1))
    assert reference is not None
    for size, where in ((90, (5, 70)), (400, (200, 30))):
        sheet = Image.new("L", (700, 500), 255)
        sheet.paste(picture(character, 1, size=(size, size)), where)
        found = preprocess(np.asarray(sheet))
        assert found is not None
        assert cosine(reference, found) > 0.88


@pytest.mark.parametrize("pen", [0.004, 0.015, 0.06, 0.15])
def test_strokes_are_brought_to_emnists_range(pen: float) -> None:
    widths = []
    for character in "ACEHKLMNTVWXZ":
        found = preprocess(golden.grey(character, 1, size=(400, 400), pen=pen))
        assert found is not None
        widths.append(stroke_width(found))
    low, high = STROKE
    assert low - 0.3 < np.median(widths) < high + 0.3


@pytest.mark.parametrize("width", [2, 4, 8])
def test_stroke_width_measures_a_bar(width: int) -> None:
    bar = np.zeros((100, 40), np.float32)
    bar[5:95, 10 : 10 + width] = 1
    assert stroke_width(bar) == pytest.approx(width, rel=0.08)


def test_aspect_is_kept() -> None:
    bar = np.ones((300, 300), np.float32)
    bar[50:250, 140:160] = 0
    found = preprocess(bar)
    assert found is not None
    top, left, bottom, right = ink_box(found)
    assert bottom - top >= BOX - 1
    assert right - left <= 6


@pytest.mark.shared
def test_genuine_emnist_comes_through_nearly_unchanged(data) -> None:  # type: ignore[no-untyped-def]
    found = []
    for path in sorted((data / "scans" / "emnist-letters").glob("*.png")):
        grey = np.asarray(Image.open(path).convert("L"), np.float32) / 255
        finished = preprocess(grey)
        assert finished is not None
        found.append(cosine(grey, finished))
    assert len(found) == 188
    assert np.mean(found) >= 0.97
