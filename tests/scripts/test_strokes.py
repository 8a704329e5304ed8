"""Pen strokes: read, brought to one size, drawn in EMNIST's form and photographed."""

import json
from pathlib import Path

import numpy as np
import pytest
from starter import pens, strokes

from emnist_cli.core.preprocessing.normalize import STROKE, preprocess, stroke_width
from tests.handwriting import characters, ink_box


def write_unipen(path: Path, written: list[tuple[str, str, str, float]]) -> Path:
    """Write an archive like UNIPEN's: (label, writer, part, how large) for each of the repository's characters."""
    points, lengths, counts = [], [], []
    for label, _, _, large in written:
        mine = [np.asarray(stroke) * large + 1000 for stroke in characters()[label][0]]
        counts.append(len(mine))
        lengths += [len(stroke) for stroke in mine]
        points += mine
    table = {"label": [w[0] for w in written], "writer": [w[1] for w in written], "part": [w[2] for w in written]}
    np.savez(path, points=np.concatenate(points).astype(np.int32), stroke_len=lengths, strokes=counts, **table)
    return path


def test_unipens_parts_are_kept_apart(tmp_path: Path) -> None:
    path = write_unipen(
        tmp_path / "u.npz", [("A", "ann", "train", 3), ("b", "bob", "test", 3), ("C", "ann", "train", 3)]
    )
    assert [(c.label, c.writer) for c in strokes.read_unipen(path, "train")] == [("A", "ann"), ("C", "ann")]
    assert [c.label for c in strokes.read_unipen(path, "test")] == ["b"]


def test_strokes_are_brought_to_one_size(tmp_path: Path) -> None:
    path = write_unipen(tmp_path / "u.npz", [("A", "ann", "train", 3), ("A", "bob", "train", 30)])
    for character in strokes.read_unipen(path, "train"):
        everything = np.concatenate(character.strokes)
        assert everything.min() == 0
        assert np.ptp(everything, axis=0).max() == pytest.approx(1)
        assert len(character.strokes) == len(characters()["A"][0])


def test_size_is_told_by_the_writers_own_capitals(tmp_path: Path) -> None:
    written = [
        (c, writer, "train", large * (0.6 if c.islower() else 1.0))
        for writer, large in (("ann", 3), ("bob", 20))
        for c in "ABDEGocs"
    ]
    found = strokes.read_unipen(write_unipen(tmp_path / "u.npz", written), "train")
    for character in found:
        assert character.size == pytest.approx(0.6 if character.label.islower() else 1.0, rel=0.05), character.label


def test_chars74k_strokes_are_read_by_writer(tmp_path: Path) -> None:
    table = {c: {w: characters()[c][0] for w in ("1", "2", "3")} for c in "Aq"}
    (tmp_path / "t.json").write_text(json.dumps(table))
    found = strokes.read_tablet(tmp_path / "t.json", {"1", "3"})
    assert [(c.label, c.writer) for c in found] == [("A", "1"), ("A", "3"), ("q", "1"), ("q", "3")]


def character(label: str, size: float = 1.0, donor: int = 0) -> strokes.Character:
    points = [np.asarray(stroke, np.float32) for stroke in characters()[label][donor]]
    low, side = np.concatenate(points).min(axis=0), np.ptp(np.concatenate(points), axis=0).max()
    return strokes.Character([(p - low) / side for p in points], label, "ann", size)


@pytest.mark.parametrize("label", list("Ag3iwI"))
def test_a_drawing_has_emnists_form(label: str) -> None:
    for seed in range(20):
        picture = pens.draw(character(label), np.random.default_rng(seed))
        assert picture.shape == (28, 28)
        assert picture.dtype == np.uint8
        assert picture.max() == 255
        top, left, bottom, right = ink_box(picture / np.float32(255))
        assert 23 <= max(bottom - top, right - left) <= 27
        assert abs(top + bottom - 28) <= 3
        assert abs(left + right - 28) <= 3


def test_a_drawing_is_what_preprocessing_leaves_of_it() -> None:
    # Drawn large on paper and prepared, the same strokes give nearly the picture that is drawn at once.
    apart = []
    for label in characters():
        picture = pens.draw(character(label), np.random.default_rng(3)) / np.float32(255)
        large = np.kron(picture, np.ones((8, 8), np.float32))
        prepared = preprocess(np.pad(1 - large, 40, constant_values=1))
        assert prepared is not None
        apart.append(float(np.abs(prepared - picture).mean()))
    assert np.mean(apart) < 0.05


def test_small_characters_are_drawn_with_thicker_strokes() -> None:
    def width(size: float) -> float:
        drawn = [pens.draw(character("o", size), np.random.default_rng(seed)) for seed in range(60)]
        return float(np.mean([stroke_width(picture / np.float32(255)) for picture in drawn]))

    assert width(0.6) > 1.2 * width(1.0)


def test_stroke_widths_are_those_that_preprocessing_gives() -> None:
    for label in "ABcdefg012":
        for seed in range(10):
            drawn = pens.draw(character(label), np.random.default_rng(seed)) / np.float32(255)
            assert STROKE[0] - 0.6 <= stroke_width(drawn) <= STROKE[1] + 1.6, (label, seed)


def test_the_generator_decides_everything() -> None:
    for make in (pens.draw, pens.photograph):
        first, again, other = (make(character("R"), np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert first is not None
        assert other is not None
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)


def test_photographs_are_found_again() -> None:
    labels = list(characters())
    made = [pens.photograph(character(c), np.random.default_rng(seed)) for seed, c in enumerate(labels)]
    assert sum(picture is None for picture in made) <= 3
    assert all(picture.shape == (28, 28) and picture.max() == 255 for picture in made if picture is not None)
