"""Offsets and temperature: from what was drawn to what is written, and as sure as is right."""

import numpy as np
import pytest
from starter import calibrate
from starter.pool import CLASSES

from emnist_cli.core.evaluation.metrics import Answers


def test_offsets_go_half_of_the_way_to_what_is_written() -> None:
    labels = np.repeat(np.arange(62), [40] * 10 + [20] * 26 + [10] * 26)
    by_class = dict(zip((c[0] for c in CLASSES), calibrate.offsets(labels).tolist(), strict=True))
    assert [by_class[c] for c in "09AZaz"] == [by_class[c] for c in "00AAaa"]
    assert by_class["a"] == 0
    assert by_class["A"] == pytest.approx(0.5 * np.log((220_304 / 190_998) / (520 / 260)), abs=1e-6)
    assert by_class["0"] == pytest.approx(0.5 * np.log((402_953 / 190_998) / (400 / 260)), abs=1e-6)


def test_there_is_nothing_to_move_where_as_much_was_drawn_as_is_written() -> None:
    labels = np.repeat([0, 10, 36], [402_953, 220_304, 190_998])
    assert np.abs(calibrate.offsets(labels)).max() < 1e-6


def answered(count: int, sharp: float, seed: int) -> Answers:
    """Answers whose logits are `sharp` times what they should be."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, 62))
    fair = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = np.array([rng.choice(62, p=row) for row in fair])
    given = np.exp(sharp * logits)
    return Answers(CLASSES, truth, (given / given.sum(1, keepdims=True)).astype(np.float32))


def test_the_temperature_undoes_too_sure_answers() -> None:
    assert calibrate.temperature([answered(3000, 2.0, 1)]) == pytest.approx(2, rel=0.15)


def test_each_kind_counts_the_same_however_many_pictures_it_has() -> None:
    sure, unsure = answered(5000, 3.0, 1), answered(250, 1.0, 2)
    assert 1.2 < calibrate.temperature([sure, unsure]) < 2.6
