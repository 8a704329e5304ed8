"""Geometry of the finished picture, and that nothing changes unseen."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from emnist_cli.core.imaging import grayscale
from emnist_cli.core.preprocessing import normalize as module
from emnist_cli.core.preprocessing.normalize import BOX, STROKE, finished, preprocess, preprocess_many, stroke_width
from tests import golden
from tests.handwriting import characters, draw, ink_box, picture

Gray = NDArray[np.float32]


def cosine(a: Gray, b: Gray) -> float:
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


@pytest.mark.slow
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
    found = preprocess(grayscale.from_image(drawn).gray)
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
    once = preprocess(golden.gray(character, 1))
    assert once is not None
    again = preprocess(once)
    assert again is not None
    assert cosine(once, again) > 0.98


@pytest.mark.parametrize("character", sorted(characters()))
def test_size_and_place_do_not_matter(character: str) -> None:
    reference = preprocess(golden.gray(character, 1))
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
        found = preprocess(golden.gray(character, 1, size=(400, 400), pen=pen))
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


def emnist_form(character: str, donor: int = 1) -> Gray:
    """A picture as EMNIST has it."""
    found = preprocess(golden.gray(character, donor))
    assert found is not None
    return found


@pytest.mark.parametrize("character", sorted(characters()))
def test_a_finished_picture_passes_unchanged(character: str) -> None:
    stored = (emnist_form(character) * 255 + 0.5).astype(np.uint8)
    assert stored.max() == 255
    expected = stored / np.float32(255)
    for ink in ("auto", "light"):
        for found in (preprocess(stored, ink), preprocess(expected, ink)):
            assert found is not None
            assert found.dtype == np.float32
            assert np.array_equal(found, expected)


def test_a_finished_picture_is_brought_to_full_brightness() -> None:
    stored = (emnist_form("R") * 180 + 0.5).astype(np.uint8)
    found = preprocess(stored)
    assert found is not None
    assert np.allclose(found, stored / np.float32(180), atol=1e-6)


def test_a_finished_picture_is_searched_where_ink_is_said_to_be_dark() -> None:
    picture = emnist_form("R")
    found = preprocess(picture, "dark")
    assert found is None or np.abs(found - picture).max() > 0.5


def framed(inside: Gray) -> Gray:
    out = np.zeros((28, 28), np.float32)
    out[2:26, [2, 3, 24, 25]] = out[[2, 3, 24, 25], 2:26] = 1
    out[8:20, 8:20] = inside[2:26:2, 2:26:2]
    return out


def marked(picture: Gray, row: int, column: int) -> Gray:
    out = picture.copy()
    out[row, column] = 0.05
    return out


DOUBTFUL: dict[str, Callable[[Gray], Gray]] = {
    "dark ink on white": lambda p: 1 - p,
    "off centre across": lambda p: np.roll(p, 2, axis=1),
    "off centre down": lambda p: np.roll(p, -2, axis=0),
    "faint": lambda p: p * np.float32(0.45),
    "small": lambda p: np.pad(p[3:25:2, 3:25:2], ((8, 9), (8, 9))),
    "thin, in pieces": lambda p: p * (np.indices(p.shape).sum(0) % 3 < 1),
    "bold": lambda p: np.pad(module._grow(p, 3)[2:26, 2:26], 2),
    "gray ground": lambda p: np.maximum(p, np.float32(0.05)),
    "gray within": lambda p: np.pad(np.maximum(p[1:27, 1:27], np.float32(0.01)), 1),
    "a trace at the top": lambda p: marked(p, 0, 14),
    "a trace on the right": lambda p: marked(p, 14, 27),
    "a frame along the border": lambda p: np.pad(p[1:27, 1:27], 1, constant_values=0.6),
    "a frame around a character": framed,
    "black": np.zeros_like,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_is_not_finished_beyond_doubt_is_searched_for_ink(name: str) -> None:
    pictures = [emnist_form(character) for character in "AHKRSXehks"]
    assert finished(np.stack(pictures)).all()
    doubtful = np.stack([DOUBTFUL[name](picture) for picture in pictures])
    assert not finished(doubtful).any()
    assert not finished((doubtful * 255 + 0.5).astype(np.uint8)).any()


@pytest.mark.parametrize("name", ["dark ink on white", "off centre across", "off centre down", "faint"])
def test_what_is_nearly_finished_is_read_the_same(name: str) -> None:
    form = emnist_form("R")
    found = preprocess(DOUBTFUL[name](form))
    assert found is not None
    assert cosine(found, form) > 0.98


def test_one_or_many_is_the_same() -> None:
    form = emnist_form("R")
    grays = [
        form,
        golden.gray("K", 1),
        (form * 255).astype(np.uint8),
        np.zeros((28, 28), np.uint8),
        1 - form,
        np.asarray(picture("e", 1)),
        np.roll(emnist_form("3"), 4, axis=0),
        np.ones((40, 1), np.float32),
        emnist_form("8"),
    ]
    for ink in ("auto", "dark", "light"):
        many, single = preprocess_many(grays, ink), [preprocess(gray, ink) for gray in grays]
        assert [found is None for found in many] == [found is None for found in single]
        assert all(np.array_equal(a, b) for a, b in zip(many, single, strict=True) if a is not None and b is not None)
    assert preprocess_many(grays)[3] is None
    assert preprocess_many([]) == []


@pytest.mark.slow
def test_the_check_does_not_depend_on_company() -> None:
    pictures = np.stack([emnist_form(character, donor) for character in sorted(characters()) for donor in range(3)])
    pictures[::4] = np.roll(pictures[::4], 2, axis=2) * np.float32(0.7)
    together = finished(pictures)
    assert 0 < together.sum() < len(together)
    assert together.tolist() == [bool(finished(one[None])[0]) for one in pictures]


@pytest.mark.parametrize("radius", [0, 1, 2, 5, 9])
def test_growing_is_the_maximum_over_a_disc(radius: int) -> None:
    values = np.random.default_rng(radius).normal(0, 1, (17, 12)).astype(np.float32)
    y, x = np.indices(values.shape)
    grown = module._grow(values, radius)
    for row, column in np.ndindex(values.shape):
        near = (abs(y - row) <= radius) & (abs(x - column) <= radius)
        disc = near & ((y - row) ** 2 + (x - column) ** 2 <= radius**2 + 0.8 * radius)
        assert grown[row, column] == values[disc].max()


@pytest.mark.shared
def test_genuine_emnist_comes_through_nearly_unchanged(data) -> None:  # type: ignore[no-untyped-def]
    found = []
    for path in sorted((data / "scans" / "emnist-letters").glob("*.png")):
        gray = np.asarray(Image.open(path).convert("L"), np.float32) / 255
        finished = preprocess(gray)
        assert finished is not None
        found.append(cosine(gray, finished))
    assert len(found) == 188
    assert np.mean(found) >= 0.97
