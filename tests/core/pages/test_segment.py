"""What stands on a page is found, whatever paper, light and tilt it is seen in."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.pages.char_boxes import Glyph, Layout, PixelBox
from emnist_cli.core.pages.segment import segment
from tests.pages import Gray, Made, character, overlap, turned, write

TEXT = ["Dogs RUN 247", "hats BOX 369", "KEPT quiz 58"]


@pytest.fixture(scope="module")
def page() -> Made:
    return write(TEXT)


def glyphs(layout: Layout) -> list[list[Glyph]]:
    return [[glyph for word in line.words for glyph in word] for line in layout.lines]


def boxes(layout: Layout) -> list[list[PixelBox]]:
    return [[glyph.box for glyph in line] for line in glyphs(layout)]


def assert_found(layout: Layout, made: Made, least: float = 0.5, missed: int = 0) -> None:
    """Every line is found, and in it every box in its place, but for `missed` of the page's boxes."""
    assert len(layout.lines) == len(made.boxes)
    wrong = 0
    for found, expected in zip(boxes(layout), made.boxes, strict=True):
        right = sum(any(overlap(box, other) >= least for other in found) for box in expected)
        wrong += max(len(expected), len(found)) - right
    assert wrong <= missed, boxes(layout)


def shaded(shape: tuple[int, ...], edge: float) -> Gray:
    """Light on the right half of a page; `edge` is how soft the shadow's edge is, in pixels."""
    columns = np.arange(shape[1]) - shape[1] / 2
    return np.tile(0.5 + 0.5 / (1 + np.exp(-columns / edge)), (shape[0], 1)).astype(np.float32)


def ruled(made: Made, *, down: float, across: float | None = None, width: int = 2, gray: float = 0.6) -> Made:
    """Rules every `down` pixels, and upright ones every `across`."""
    image = Image.new("F", made.gray.shape[::-1], 1.0)
    pen = ImageDraw.Draw(image)
    for y in np.arange(down / 2, image.height, down):
        pen.line([(0, y), (image.width, y)], fill=gray, width=width)
    for x in np.arange(across / 2, image.width, across) if across else ():
        pen.line([(x, 0), (x, image.height)], fill=gray, width=width)
    return made.on(np.asarray(image))


def test_lines_words_and_characters_are_found_in_their_places(page: Made, recognizer: Recognizer) -> None:
    layout = segment(page.shade, recognizer)
    assert (layout.height, layout.width) == page.shade.shape
    assert_found(layout, page, least=0.8)
    assert [[len(word) for word in line.words] for line in layout.lines] == [[4, 3, 3], [4, 3, 3], [4, 4, 2]]
    for line, found in zip(layout.lines, boxes(layout), strict=True):
        left, top, right, bottom = zip(*found, strict=True)
        assert line.box == (min(left), min(top), max(right), max(bottom))
        assert found == sorted(found)


def test_most_characters_are_read_right(page: Made, recognizer: Recognizer) -> None:
    layout = segment(page.shade, recognizer)
    every = [glyph.probabilities for line in glyphs(layout) for glyph in line]
    assert all(p.dtype == np.float32 and p.shape == (len(recognizer.labels),) for p in every)
    np.testing.assert_allclose(np.sum(every, axis=1), 1, atol=1e-4)
    read = [recognizer.labels[p.argmax()].upper() for p in every]
    assert np.mean([a == b for a, b in zip(read, "".join(TEXT).replace(" ", "").upper(), strict=True)]) > 0.8


def test_numbers_between_0_and_1_are_read_as_bytes_are(page: Made, recognizer: Recognizer) -> None:
    as_bytes, as_floats = segment(page.shade, recognizer), segment(page.shade.astype(np.float32) / 255, recognizer)
    assert boxes(as_bytes) == boxes(as_floats)


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [-8, -5, -2, 3, 5, 8])
def test_a_tilted_page(degrees: float, page: Made, recognizer: Recognizer) -> None:
    made = turned(page, degrees)
    assert_found(segment(made.shade, recognizer), made)


def test_white_on_black(page: Made, recognizer: Recognizer) -> None:
    assert_found(segment(255 - page.shade, recognizer), page, least=0.8)


@pytest.mark.parametrize("edge", [2.0, 60.0])
def test_a_shadow_over_half_of_the_page(edge: float, page: Made, recognizer: Recognizer) -> None:
    made = page.on(shaded(page.gray.shape, edge))
    assert_found(segment(made.shade, recognizer), made)


def test_blur_and_noise(page: Made, recognizer: Recognizer) -> None:
    noise = np.random.default_rng(1).normal(0, 0.03, page.gray.shape)
    made = page._replace(gray=(gaussian_filter(0.2 + 0.6 * page.gray, 1.5) + noise).astype(np.float32))
    assert_found(segment(made.shade, recognizer), made)


def test_a_faint_pencil(page: Made, recognizer: Recognizer) -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, page.gray.shape)
    made = page._replace(gray=(0.6 + 0.2 * page.gray + noise).astype(np.float32))
    assert_found(segment(made.shade, recognizer), made)


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [0, 4])
def test_ruled_paper(degrees: float, page: Made, recognizer: Recognizer) -> None:
    made = turned(ruled(page, down=41), degrees)
    assert_found(segment(made.shade, recognizer), made, missed=1)


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [0, 4])
def test_squared_paper(degrees: float, page: Made, recognizer: Recognizer) -> None:
    made = turned(ruled(page, down=37, across=37), degrees)
    assert_found(segment(made.shade, recognizer), made, missed=2)


def test_rules_as_dark_as_the_ink(page: Made, recognizer: Recognizer) -> None:
    made = ruled(page, down=120, across=900, width=3, gray=0.0)  # between the lines of text, and through a word
    assert_found(segment(made.shade, recognizer), made, missed=1)


@pytest.mark.parametrize("degrees", [0, 4])
def test_boxes_of_a_form(degrees: float, recognizer: Recognizer) -> None:
    made = write(["ANNA", "4711"], gap=0.6)
    image = Image.fromarray(made.gray)
    pen = ImageDraw.Draw(image)
    for line in made.boxes:
        for box in line:
            pen.rectangle((box.left - 14, line[0].top - 14, box.right + 14, line[0].bottom + 14), outline=0.1, width=2)
    made = turned(made._replace(gray=np.asarray(image)), degrees)
    assert_found(segment(made.shade, recognizer), made)


def test_a_curved_line_is_one_line(recognizer: Recognizer) -> None:
    made = write(["KEEPTHISLINEONE", "ANDTHISBELOWIT"], bend=0.9, pitch=1.8)
    assert_found(segment(made.shade, recognizer), made)


def test_wide_spaced_letters_are_one_line(recognizer: Recognizer) -> None:
    made = write(["ABCDEFG", "HKLMNPR"], gap=1.6, pitch=2.6)
    assert_found(segment(made.shade, recognizer), made)


def test_dots_belong_to_their_letters(recognizer: Recognizer) -> None:
    made = write(["Kind jail", "hijack Fix"])
    layout = segment(made.shade, recognizer)
    assert_found(layout, made, least=0.8)


def test_pieces_of_a_broken_letter_are_one_character(recognizer: Recognizer) -> None:
    made = write(["THEM", "HEAD"])
    broken = made.gray.copy()
    for line in made.boxes:
        for box in line:
            middle = (box.top + box.bottom) // 2 + 9
            broken[middle : middle + 2, box.left : box.right] = 1
    made = made._replace(gray=broken)
    assert_found(segment(made.shade, recognizer), made)


def test_neighbours_that_touch_are_parted(recognizer: Recognizer) -> None:
    apart, touching = write(["BOARD", "LUNCH"]), write(["BOARD", "LUNCH"], gap=-0.03)
    assert_found(segment(apart.shade, recognizer), apart)
    assert_found(segment(touching.shade, recognizer), touching, missed=4)


def test_specks_and_punctuation_are_no_characters(recognizer: Recognizer) -> None:
    made = write(["MARKS AND", "LETTERS"], gap=0.35)
    image = Image.fromarray(made.gray)
    pen = ImageDraw.Draw(image)
    for x, y in np.random.default_rng(3).uniform(0, 1, (60, 2)) * image.size:
        pen.ellipse((x - 1, y - 1, x + 1, y + 1), fill=0.2)
    for line in made.boxes:
        right, bottom = line[-1].right, line[-1].bottom
        pen.ellipse((right + 20, bottom - 8, right + 28, bottom), fill=0.0)  # a period
        pen.line([(right + 60, bottom - 28), (right + 85, bottom - 28)], fill=0.0, width=5)  # a hyphen
    assert_found(segment(made._replace(gray=np.asarray(image)).shade, recognizer), made)


@pytest.mark.slow
def test_the_table_around_a_sheet_is_no_text(page: Made, recognizer: Recognizer) -> None:
    rng = np.random.default_rng(2)
    height, width = page.gray.shape
    grain = gaussian_filter(rng.normal(0, 0.1, (height + 300, 1)) + rng.normal(0, 0.03, (height + 300, width + 300)), 2)
    scene = (0.25 + grain).astype(np.float32)
    scene[150:-150, 150:-150] = 0.9 * page.gray
    moved = [[PixelBox(*(side + 150 for side in box)) for box in line] for line in page.boxes]
    made = turned(Made(scene, moved), 2)
    assert_found(segment(made.shade, recognizer), made)


@pytest.mark.slow
@pytest.mark.parametrize("height", [16, 24, 150, 400])
def test_any_size_of_writing(height: int, recognizer: Recognizer) -> None:
    made = write(["BAKED", "FOR 26"], height)
    assert_found(segment(made.shade, recognizer), made, missed=1 if height < 20 else 0)


def test_boxes_of_a_large_page_are_in_its_own_pixels(page: Made, recognizer: Recognizer) -> None:
    large = np.kron(page.shade, np.ones((3, 3), np.uint8))
    assert max(large.shape) > 2400
    made = page._replace(boxes=[[PixelBox(*(3 * side for side in box)) for box in line] for line in page.boxes])
    assert_found(segment(large, recognizer), made, least=0.8)


@pytest.mark.slow
@pytest.mark.parametrize("label", ["A", "g", "8", "I", "E", "i"])
@pytest.mark.parametrize("height", [40, 200])
def test_a_page_of_one_character(label: str, height: int, recognizer: Recognizer) -> None:
    made = Made(1 - np.pad(character(label, height, donor=1), 2 * height), [[]])
    left, top, right, bottom = 2 * height, 2 * height, made.gray.shape[1] - 2 * height, made.gray.shape[0] - 2 * height
    made.boxes[0].append(PixelBox(left, top, right, bottom))
    assert_found(segment(made.shade, recognizer), made)


@pytest.mark.slow
def test_a_page_of_many_characters(recognizer: Recognizer) -> None:
    made = write(["THE FIVE BOXING WIZARDS JUMP QUICKLY 1234567890"] * 12, 26)
    assert_found(segment(made.shade, recognizer), made, missed=25)  # of 492


def noise(shape: tuple[int, int]) -> NDArray[np.uint8]:
    return np.random.default_rng(0).normal(200, 12, shape).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "shade",
    [
        np.full((300, 400), 255, np.uint8),
        np.zeros((300, 400), np.uint8),
        np.full((300, 400), 0.5, np.float32),
        noise((900, 1200)),
        (np.linspace(0.3, 1, 400) * np.ones((300, 1))).astype(np.float32),
        shaded((600, 800), 3.0),
        np.full((1, 1), 7, np.uint8),
    ],
    ids=["white", "black", "gray", "noise", "slope of light", "shadow", "one pixel"],
)
def test_an_empty_page_has_no_lines(shade: NDArray[np.uint8] | Gray, recognizer: Recognizer) -> None:
    assert segment(shade, recognizer) == Layout(shade.shape[1], shade.shape[0], ())


def test_empty_ruled_paper_has_no_lines(recognizer: Recognizer) -> None:
    empty = Made(np.full((700, 1000), 0.9, np.float32), [])
    for made in (ruled(empty, down=50), ruled(empty, down=40, across=40), turned(ruled(empty, down=50), 3)):
        assert segment(made.shade, recognizer).lines == ()


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=70), elements=st.integers(0, 255)))
def test_any_picture_is_taken(recognizer: Recognizer, shade: NDArray[np.uint8]) -> None:
    layout = segment(shade, recognizer)
    for box in (box for line in boxes(layout) for box in line):
        assert 0 <= box.left < box.right <= shade.shape[1] and 0 <= box.top < box.bottom <= shade.shape[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dots", "checkers", "stripes", "bars"])
def test_patterns_are_taken(kind: str, recognizer: Recognizer) -> None:
    rows, columns = np.indices((500, 700))
    pattern = {
        "dots": np.random.default_rng(0).random((500, 700)) < 0.02,
        "checkers": (rows // 12 + columns // 12) % 2 == 0,
        "stripes": rows // 9 % 2 == 0,
        "bars": columns // 7 % 3 == 0,
    }[kind]
    layout = segment(np.where(pattern, 0, 255).astype(np.uint8), recognizer)
    assert (layout.width, layout.height) == (700, 500)
