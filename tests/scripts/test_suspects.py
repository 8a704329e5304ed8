"""Wrong labels are found by networks that have not seen their writers."""

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

from starter import pens, pool, strokes, suspects  # noqa: E402

from tests.handwriting import characters  # noqa: E402


def written(as_label: str = "", writers: int = 6) -> list[strokes.Character]:
    """Return "A", "w" and "7" by several writers; the first writer's "A" is labelled as told."""
    out = []
    for writer in range(writers):
        for label in "Aw7":
            points = [np.asarray(stroke, np.float32) / 100 for stroke in characters()[label][writer % 3]]
            told = as_label if as_label and (writer, label) == (0, "A") else label
            out.append(strokes.Character(points, told, f"writer {writer}", 1.0))
    return out


@pytest.mark.slow
def test_a_wrong_label_is_found_and_right_ones_are_kept(tmp_path: Path) -> None:
    found = written(as_label="w")
    source = pool.Source("unipen", found, pens.draw, np.full(len(found), 24))
    drawn = pool.make(tmp_path / "pool", [source], 1, lambda line: None)
    doubtful = suspects.find(drawn, [c.writer for c in found], tmp_path, seed=1, epochs=80, report=lambda line: None)
    assert np.flatnonzero(doubtful).tolist() == [0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label", "answer", "sure", "suspect"),
    [
        ("A", "w", 0.95, True),
        ("A", "w", 0.6, False),  # the network is not sure itself
        ("A", "A", 0.95, False),
        ("o", "0", 0.99, False),  # nobody could tell
        ("c", "C", 0.99, False),
        ("a", "A", 0.99, True),  # these look different
        ("H", "1lI", 0.3, True),  # a part of a letter: a bar, sure to be one of these
        ("1", "lIi", 0.3, False),
    ],
)
def test_only_a_sure_answer_against_the_label_makes_a_suspect(
    label: str, answer: str, sure: float, suspect: bool, tmp_path: Path
) -> None:
    drawn = pool.make(
        tmp_path / "pool",
        [pool.Source("unipen", [written()[0]._replace(label=label)], pens.draw, np.ones(1, int))],
        1,
        lambda line: None,
    )
    mean = np.zeros((1, 62), np.float32)
    mean[0, pool.CLASSES.index(label)] = 0.001
    mean[0, [pool.CLASSES.index(c) for c in answer]] = sure
    np.savez(tmp_path / "suspects.npz", mean=mean)
    assert suspects.find(drawn, ["writer 0"], tmp_path, seed=1).tolist() == [suspect]
