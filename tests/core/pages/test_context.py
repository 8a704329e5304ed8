"""What a shape alone does not tell: case by size, digits and letters by their neighbours."""

import string
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.pages.char_boxes import Glyph, Layout, PixelBox, TextLine
from emnist_cli.core.pages.context import read_in_context
from tests.core.pages.written import layout

ALL = tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase)
ALIKE = ("0Oo", "1Il", "2Zz", "5Ss", "8B", "Cc", "Kk", "Pp", "Uu", "Vv", "Ww", "Xx", "Mm", "6b", "9q", "Nn")


def read(found: Layout, labels: Sequence[str]) -> list[str]:
    return [
        " ".join("".join(labels[i] for i in word.argmax(axis=1)) for word in line)
        for line in read_in_context(found, labels)
    ]


def alone(found: Layout, labels: Sequence[str]) -> list[str]:
    """As read without context."""
    return [
        " ".join("".join(labels[int(glyph.probabilities.argmax())] for glyph in word) for word in line.words)
        for line in found.lines
    ]


def errors(read: Sequence[str], truth: Sequence[str]) -> int:
    return sum(a != b for line, true in zip(read, truth, strict=True) for a, b in zip(line, true, strict=True))


def ambiguous(lines: Sequence[str], labels: Sequence[str] = ALL, x_height: float = 0.6, cap: int = 50) -> Layout:
    """Lines whose look-alikes are entirely alike: only size, place and neighbours can tell."""
    found = []
    for i, line in enumerate(lines):
        x, y, words = 0, 100 * i + 100, []
        for text in line.split():
            word = []
            for character in text:
                row = np.full(len(labels), 0.001, np.float32)
                group = next((g for g in ALIKE if character in g), character)
                row[[labels.index(c) for c in group if c in labels]] = 1
                low = character in "acemnorsuvwxzgpqy"
                hang = round(0.4 * cap) if character in "gpqy" else 0
                top = y - round((x_height if low else 1) * cap)
                word.append(Glyph(PixelBox(x, top, x + 30, y + hang), row / row.sum()))
                x += 35
            words.append(tuple(word))
            x += 40
        every = [g.box for w in words for g in w]
        box = PixelBox(every[0].left, min(b.top for b in every), every[-1].right, max(b.bottom for b in every))
        found.append(TextLine(box, tuple(words)))
    return Layout(2000, 2000, tuple(found))


@pytest.mark.parametrize(
    "lines",
    [
        ["0123456789"],
        ["OPQRSTUVWXYZ"],
        ["ABCDEFGHIJKLMN", "OPQRSTUVWXYZ", "0123456789"],
        ["0 1 2 3 4 5 6 7 8 9"],
        ["O P Q R S T U V W X Y Z"],
        ["Scouts pick corn", "Six cows in Oslo"],
        ["SCOUTS PICK CORN"],
        ["Zoom 2000", "Box 15 51"],
        ["Name Otto Koch", "Room 101", "Code A52 X19"],
    ],
    ids=lambda lines: lines[0],
)
@pytest.mark.parametrize("x_height", [0.45, 0.5, 0.6])
def test_size_and_neighbours_tell_what_looks_alike(lines: list[str], x_height: float) -> None:
    assert read(ambiguous(lines, x_height=x_height), ALL) == lines


def test_without_evidence_of_lower_case_a_line_is_in_capitals() -> None:
    for word in ("COSMOS", "VOX", "KUPZ"):
        assert read(ambiguous([word]), ALL) == [word]


def test_other_lines_say_how_large_letters_are() -> None:
    """A line of small letters alone is as high as one of capitals; beside others on the page it is seen to be small."""
    small = ambiguous(["Blatt der Hefte", "vox uns cos", "Hund und Katze"])
    assert read(small, ALL)[1] == "vox uns cos"


@pytest.mark.slow
def test_real_handwriting_is_read_better(recognizer: Recognizer) -> None:
    lines = ["The Quick brown fox", "jumps over 13 lazy dogs", "SIX COWS IN OSLO", "0123456789", "Room 1050 or 2301"]
    before = after = 0
    for donor in range(3):
        found = layout(recognizer, lines, donor)
        before += errors(alone(found, recognizer.labels), lines)
        after += errors(read(found, recognizer.labels), lines)
    assert before > 50, "else this shows nothing"
    assert after < before / 2


@pytest.mark.parametrize(
    "drop", [lambda x: 0.1 * x, lambda x: -0.1 * x, lambda x: (x - 650) ** 2 / 7000], ids=["down", "up", "bent"]
)
def test_a_line_need_not_be_level(drop: Callable[[float], float]) -> None:
    lines = ["Scouts pick sour corn in cosy woods", "and so do cows"]
    moved = [
        TextLine(line.box, tuple(tuple(lowered(glyph, round(drop(glyph.box.left))) for glyph in w) for w in line.words))
        for line in ambiguous(lines).lines
    ]
    assert read(Layout(2000, 2000, tuple(moved)), ALL) == lines


def lowered(glyph: Glyph, rows: int) -> Glyph:
    left, top, right, bottom = glyph.box
    return glyph._replace(box=PixelBox(left, top + rows, right, bottom + rows))


def test_what_is_sure_is_not_changed() -> None:
    """A digit among letters stays one where the shape leaves no doubt."""
    row = np.full(62, 1e-5, np.float32)
    row[7] = 1
    found = ambiguous(["HARVEST"])
    glyphs = list(found.lines[0].words[0])
    glyphs[3] = glyphs[3]._replace(probabilities=row / row.sum())
    line = found.lines[0]._replace(words=(tuple(glyphs),))
    assert read(found._replace(lines=(line,)), ALL) == ["HAR7EST"]


@pytest.mark.parametrize("charset", ["digits", "upper", "lower", "0-9A-F"])
def test_only_allowed_answers(recognizer: Recognizer, charset: str) -> None:
    allowed = recognizer.variant(charset=charset)
    decided = read_in_context(layout(allowed, ["Room 10"]), allowed.labels)
    assert [word.shape for word in decided[0]] == [(4, len(allowed.labels)), (2, len(allowed.labels))]


def test_letters_of_both_cases_may_have_any_size(recognizer: Recognizer) -> None:
    folded = recognizer.variant(fold_case=True)
    lines = ["Six cows", "0123456789"]
    capitals = [line.upper() for line in lines]
    found = ambiguous(capitals, folded.labels)
    small = ambiguous(lines)
    words = [
        tuple(
            tuple(g._replace(box=b.box) for g, b in zip(u, v, strict=True))
            for u, v in zip(x.words, y.words, strict=True)
        )
        for x, y in zip(found.lines, small.lines, strict=True)
    ]
    sized = tuple(line._replace(words=w) for line, w in zip(found.lines, words, strict=True))
    assert read(found._replace(lines=sized), folded.labels) == capitals


def test_an_empty_page() -> None:
    assert read_in_context(Layout(100, 100, ()), ALL) == []


_side = st.integers(1, 500)
_glyph = st.tuples(st.integers(0, 3000), st.integers(0, 3000), _side, _side, st.integers(0, 61), st.floats(0, 1))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.lists(_glyph, min_size=1, max_size=5), min_size=1, max_size=4), max_size=4))
def test_probabilities_whatever_is_found(
    lines: list[list[list[tuple[int, int, int, int, int, float]]]],
) -> None:
    def glyph(left: int, top: int, width: int, height: int, label: int, share: float) -> Glyph:
        row = np.full(62, (1 - share) / 62, np.float32)
        row[label] += share
        return Glyph(PixelBox(left, top, left + width, top + height), row)

    words = [tuple(tuple(glyph(*g) for g in word) for word in line) for line in lines]
    found = Layout(3500, 3500, tuple(TextLine(line[0][0].box, line) for line in words))
    decided = read_in_context(found, ALL)
    assert [[len(word) for word in line] for line in decided] == [[len(word) for word in line] for line in lines]
    for word in (word for line in decided for word in line):
        assert np.isfinite(word).all()
        assert np.allclose(word.sum(axis=1), 1, atol=1e-4)
