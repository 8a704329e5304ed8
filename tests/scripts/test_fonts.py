"""Pictures from handwriting fonts. Pillow's own font stands in for them: the fonts are not in the repository."""

import string
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from starter import fonts

from emnist_cli.core.preprocessing.normalize import BOX, stroke_width


def glyph(label: str) -> fonts.Glyph:
    """Draw a character as `fonts.glyphs` would, capitals about 96 high."""
    canvas = Image.new("L", (300, 300))
    ImageDraw.Draw(canvas).text((90, 90), label, fill=255, font=ImageFont.load_default(size=132))
    ink = np.asarray(canvas.crop(canvas.getbbox()), np.float32) / np.float32(255)
    return fonts.Glyph(ink, label, "default", max(ink.shape) / 96)


def box(picture: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(picture.max(1) > 20), np.flatnonzero(picture.max(0) > 20)
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


@pytest.mark.parametrize("label", string.digits + string.ascii_letters)
def test_pictures_have_the_form_of_emnist(label: str) -> None:
    for seed in range(5):
        picture = fonts.vary(glyph(label), np.random.default_rng(seed))
        assert picture.shape == (28, 28)
        assert picture.dtype == np.uint8
        assert picture.max() == 255
        top, left, bottom, right = box(picture)
        assert abs(max(bottom - top, right - left) - BOX) <= 1
        assert abs(top + bottom - 28) <= 1
        assert abs(left + right - 28) <= 1


def test_stroke_widths_spread_over_those_of_emnist() -> None:
    widths = [
        stroke_width(fonts.vary(glyph(label), np.random.default_rng(seed)).astype(np.float32) / np.float32(255))
        for label in "CLOSTVXcos"
        for seed in range(20)
    ]
    assert min(widths) > 1.4
    assert max(widths) < 5.8
    assert np.percentile(widths, 10) < 2.6
    assert np.percentile(widths, 90) > 4


def test_small_letters_are_drawn_with_the_pen_of_the_capitals() -> None:
    def usual(label: str) -> float:
        pictures = [fonts.vary(glyph(label), np.random.default_rng(seed)) for seed in range(40)]
        return float(np.median([stroke_width(p.astype(np.float32) / np.float32(255)) for p in pictures]))

    assert usual("s") > 1.15 * usual("S")


def test_the_dot_of_an_i_stays_apart() -> None:
    apart = 0
    for seed in range(40):
        rows = fonts.vary(glyph("i"), np.random.default_rng(seed)).max(1)[3:25]
        apart += int(rows.min()) < 0.7 * 255
    assert apart >= 36


def test_a_narrow_bay_is_not_filled() -> None:
    ink = np.ones((96, 24), np.float32)
    ink[:-8, 8:16] = 0
    for seed in range(60):
        picture = fonts.vary(fonts.Glyph(ink, "U", "none", 1.0), np.random.default_rng(seed))
        row = picture[10]
        across = np.flatnonzero(row > 150)
        assert row[across[0] : across[-1]].min() < 0.6 * 255


def test_the_generator_alone_decides() -> None:
    first, again, other = (fonts.vary(glyph("R"), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_glyph_is_left_as_it_is() -> None:
    drawn = glyph("R")
    before = drawn.density.copy()
    fonts.vary(drawn, np.random.default_rng(0))
    assert np.array_equal(drawn.density, before)


def test_a_missing_font_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    names = list(fonts.FONTS)
    for name in names[:-1]:
        (tmp_path / f"{name}.woff").touch()
    with pytest.raises(ValueError, match=f"npm pack @fontsource/{names[-1]}"):
        next(fonts.glyphs(tmp_path))


def test_glyphs_of_a_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Pillow carries its font inside; FreeType tells what a file is by its content, whatever it is called.
    source = ImageFont.load_default(size=20)
    assert isinstance(source, ImageFont.FreeTypeFont)
    (tmp_path / "one.woff").write_bytes(source.font_bytes)
    monkeypatch.setattr(fonts, "FONTS", {"one": "Qq"})
    monkeypatch.setattr(fonts, "CHARACTERS", "HoQq\u4e00\u0020")  # the font lacks the last but one
    drawn = list(fonts.glyphs(tmp_path))
    assert [g.label for g in drawn] == ["H", "o"]
    high, small = drawn
    assert abs(high.density.shape[0] - 96) <= 1
    assert abs(high.size - 1) < 0.02
    assert 0.6 < small.size < 0.85
    for g in drawn:
        assert g.font == "one"
        assert g.density.dtype == np.float32
        assert 0.9 < g.density.max() <= 1
        for edge in (g.density[0], g.density[-1], g.density[:, 0], g.density[:, -1]):
            assert edge.max() > 0


def test_what_is_left_out_are_characters() -> None:
    for left_out in fonts.FONTS.values():
        assert set(left_out) <= set(fonts.CHARACTERS)
        assert len(set(left_out)) == len(left_out)
