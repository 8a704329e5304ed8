"""The pool of training pictures: how often each is drawn and shown, and that it is the same on every run."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from starter import pool

pytestmark = pytest.mark.slow


class Item(NamedTuple):
    label: str
    value: int


def paint(item: Item, rng: np.random.Generator) -> NDArray[np.uint8] | None:
    if item.value == 13:
        return None
    picture = np.full((28, 28), item.value, np.uint8)
    picture[0] = rng.integers(0, 255, 28)
    return picture


def source(name: str = "unipen", count: int = 20, times: int = 2, weight: int = 1) -> pool.Source:
    items = [Item("0Az"[n % 3], n) for n in range(count)]
    return pool.Source(name, items, paint, np.full(count, times), weight)


def test_every_item_is_drawn_as_often_as_it_should_be(tmp_path: Path) -> None:
    made = pool.make(tmp_path, [source()], seed=1, report=lambda line: None)
    assert np.bincount(made.item).tolist() == [2] * 13 + [0] + [2] * 6  # the 13th cannot be drawn
    assert (made.images[:, 5, 5] == made.item).all()
    assert [pool.CLASSES[i] for i in made.labels] == ["0Az"[n % 3] for n in made.item]
    first, second = made.images[made.item == 4]
    assert not np.array_equal(first, second)


def test_the_seed_decides_what_is_drawn_whatever_else_is(tmp_path: Path) -> None:
    quiet = lambda line: None  # noqa: E731
    alone = pool.make(tmp_path / "a", [source()], 1, quiet)
    among = pool.make(tmp_path / "b", [source("tablet"), source()], 1, quiet)
    other = pool.make(tmp_path / "c", [source()], 2, quiet)
    assert np.array_equal(alone.images, among.images[among.of("unipen")])
    assert not np.array_equal(alone.images, other.images)


def test_what_is_there_is_not_drawn_again(tmp_path: Path) -> None:
    told: list[str] = []
    pool.make(tmp_path, [source()], 1, told.append)
    pool.make(tmp_path, [source(), source("fonts")], 1, told.append)
    assert [line.split(":")[0] for line in told] == ["unipen", "fonts"]


def test_other_items_or_seeds_are_drawn_again(tmp_path: Path) -> None:
    told: list[str] = []
    for again, seed in (
        (source(), 1),
        (source(), 2),
        (source(times=3), 2),
        (source(count=21), 2),
        (source(count=21), 2),
    ):
        made = pool.make(tmp_path, [again], seed, told.append)
    assert len(told) == 4
    assert made.item.max() == 20


def test_what_cannot_be_read_is_drawn_again(tmp_path: Path) -> None:
    whole = pool.make(tmp_path, [source()], 1, lambda line: None)
    (tmp_path / "unipen.npz").write_bytes(b"PK damaged")
    assert np.array_equal(pool.make(tmp_path, [source()], 1, lambda line: None).images, whole.images)


def test_weights_say_how_often_an_epoch_shows_a_picture(tmp_path: Path) -> None:
    made = pool.make(tmp_path, [source(), source("nist", weight=3)], 1, lambda line: None)
    shown = made.shown(made.of("unipen", "nist"))
    assert np.bincount(shown)[made.of("unipen")].tolist() == [1] * 38
    assert np.bincount(shown)[made.of("nist")].tolist() == [3] * 38


def test_rare_classes_are_drawn_more_often() -> None:
    labels = ["e"] * 5000 + ["X"] * 600 + ["q"] * 1400
    times = pool.balanced(labels, 5, np.random.default_rng(0))
    often = {c: float(times[np.array(labels) == c].mean()) for c in "eXq"}
    assert often["q"] == pytest.approx(5, abs=0.2)
    assert often["X"] == pytest.approx(5 * (1400 / 600) ** 0.5, abs=0.2)
    assert often["e"] == pytest.approx(5 * (1400 / 5000) ** 0.5, abs=0.2)
