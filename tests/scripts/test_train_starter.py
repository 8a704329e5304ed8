"""The recipe's own arithmetic: what is left out, what is listed, and errors that are told in one line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # TensorFlow's own

import train_starter  # noqa: E402
from starter import figures, learn, package, pool, recipe  # noqa: E402

from emnist_cli.core.config import TrainConfig  # noqa: E402
from emnist_cli.core.evaluation.metrics import ScoredPredictions  # noqa: E402
from tests.scripts.test_pool import source  # noqa: E402

NAMES = ("fonts", "unipen", "tablet", "unipen-photo")


@pytest.fixture
def drawn(tmp_path: Path) -> pool.Pool:
    return pool.make(tmp_path / "pool", [source(name, times=2) for name in NAMES], 1, lambda line: None)


def test_suspects_are_left_out_in_every_drawing(drawn: pool.Pool) -> None:
    doubtful = np.zeros(20, bool)
    doubtful[[3, 7]] = True
    kept = train_starter.choose(drawn, doubtful)
    left = set(range(len(drawn.labels))) - set(kept.tolist())
    assert {(drawn.names[drawn.source[i]], int(drawn.item[i])) for i in left} == {
        (name, item) for name in ("unipen", "unipen-photo") for item in (3, 7)
    }
    assert len(left) == 8


def test_characters_are_counted_once_and_every_picture_of_them(drawn: pool.Pool) -> None:
    doubtful = np.arange(20) < 5
    found = package.list_sources(drawn, train_starter.choose(drawn, doubtful))
    # 20 characters, of which one cannot be drawn, five are suspects, each drawn twice and photographed twice.
    assert [(entry["count"], entry["pictures"]) for entry in found] == [(14, 56), (19, 38), (19, 38)]
    assert found[0]["source"] == recipe.ORIGINS["unipen"].text
    assert {entry["licence"] for entry in found[1:]} == {"SIL OFL 1.1", "free to use, cite"}


def answered(count: int, sharp: float, seed: int) -> ScoredPredictions:
    """Answers whose logits are `sharp` times what they should be."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, 62))
    fair = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = np.array([rng.choice(62, p=row) for row in fair])
    given = np.exp(sharp * logits)
    return ScoredPredictions(pool.CLASSES, truth, (given / given.sum(1, keepdims=True)).astype(np.float32))


def test_the_temperature_undoes_too_sure_answers_and_each_kind_counts_the_same() -> None:
    assert package.temperature([answered(3000, 2.0, 1)]) == pytest.approx(2, rel=0.15)
    assert 1.2 < package.temperature([answered(5000, 3.0, 1), answered(250, 1.0, 2)]) < 2.6


def rows(exact: float, folded: float, scans: float) -> list[figures.Row]:
    scan = figures.Row(figures.SCANS["tablet"], 500, scans, scans, scans, 0.02)
    return [scan, figures.Row(figures.BYCLASS, 10_000, exact, exact, folded, 0.02)]


@pytest.mark.parametrize(
    ("small", "lost"),
    [(rows(0.8, 0.9, 0.9), 0), (rows(0.79, 0.9, 0.9), 0.01), (rows(0.8, 0.88, 0.9), 0.02), (rows(0.8, 0.9, 0.6), 0.3)],
)
def test_what_fewer_bits_cost_is_told_by_the_worst(small: list[figures.Row], lost: float) -> None:
    assert package.loss(rows(0.8, 0.9, 0.9), small) == pytest.approx(lost, abs=1e-9)


def test_every_source_has_an_origin() -> None:
    for name in (*NAMES, "tablet-strokes", "nist", "mnist", "emnist", "photos", "forms", "canvas"):
        assert recipe.origin(name) in recipe.ORIGINS


def test_a_second_stage_starts_from_the_first_and_a_run_resumes(drawn: pool.Pool, tmp_path: Path) -> None:
    config = TrainConfig(arch="lenet5", epochs=2, batch_size=32, validation=0)
    chosen = np.arange(len(drawn.labels))
    told: list[int] = []
    first = learn.learn(drawn, chosen, config, tmp_path / "first", lambda epoch: told.append(epoch.epoch))
    again = learn.learn(drawn, chosen, config, tmp_path / "first", lambda epoch: told.append(epoch.epoch))
    assert told == [1, 2]  # what was done is not done again
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(a, b)
    still = TrainConfig(arch="lenet5", epochs=1, batch_size=32, validation=0, learning_rate=1e-9)
    second = learn.learn(drawn, chosen, still, tmp_path / "second", lambda epoch: None, start=tmp_path / "first")
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-5)


def test_what_is_missing_is_told_in_one_line(tmp_path: Path) -> None:
    script = Path(train_starter.__file__)
    result = subprocess.run(
        [sys.executable, script, tmp_path / "nowhere", "--fonts", tmp_path, "--work", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("train_starter: ")
    assert "nowhere" in result.stderr
    assert result.stderr.count("\n") == 1
