"""Which pictures are trained on, in which order, by whom."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # TensorFlow's own

import tensorflow as tf  # noqa: E402

from emnist_cli.core.config import TrainConfig  # noqa: E402
from emnist_cli.core.data.dataset import LabelledImages  # noqa: E402
from emnist_cli.core.training.input_pipeline import hold_out, training_batches, validation_batches  # noqa: E402

ONE = tf.distribute.get_strategy()


@pytest.fixture(scope="module")
def numbered() -> LabelledImages:
    """A hundred pictures, each telling its number by its brightness, of four classes of unequal size."""
    images = np.zeros((100, 28, 28), np.uint8) + np.arange(100, dtype=np.uint8)[:, None, None]
    return LabelledImages(images, np.array([0] * 60 + [1] * 30 + [2] * 9 + [3], np.int64))


def numbers(x: NDArray[np.float32]) -> list[int]:
    return np.round(x[:, 0, 0, 0] * 255).astype(int).tolist()


def take(data: tf.data.Dataset, count: int) -> list[list[int]]:
    return [numbers(x.numpy()) for x, _, _ in data.take(count)]


def test_the_same_share_of_every_class_is_held_out(numbered: LabelledImages) -> None:
    train, held = hold_out(numbered.labels, TrainConfig(validation=0.1))
    assert Counter(numbered.labels[held].tolist()) == {0: 6, 1: 3, 2: 1}
    assert sorted([*train, *held]) == list(range(100))


def test_the_seed_decides_what_is_held_out(numbered: LabelledImages) -> None:
    first, same, other = (hold_out(numbered.labels, TrainConfig(seed=seed)).validation.tolist() for seed in (1, 1, 2))
    assert first == same != other


def test_a_limit_counts_the_held_out_too(numbered: LabelledImages) -> None:
    train, held = hold_out(numbered.labels, TrainConfig(limit=40, validation=0.25))
    assert len({*train, *held}) == 40
    assert 8 <= len(held) <= 12


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_of_every_class_some_are_learned_from_and_some_held_out(share: float) -> None:
    labels = np.repeat(np.arange(6), [1, 2, 3, 4, 5, 50])
    train, held = hold_out(labels, TrainConfig(validation=share))
    assert set(labels[train]) == set(range(6))
    assert set(labels[held]) == set(range(1, 6))


def test_nothing_is_held_out_if_so_asked(numbered: LabelledImages) -> None:
    train, held = hold_out(numbered.labels, TrainConfig(validation=0))
    assert (len(train), len(held)) == (100, 0)


def test_an_epoch_has_every_picture_once_in_another_order_each_time(numbered: LabelledImages) -> None:
    config = TrainConfig(batch_size=20, augment=False)
    epochs = take(training_batches(numbered, np.arange(100), config, 0, ONE), 10)
    first, second = list(chain(*epochs[:5])), list(chain(*epochs[5:]))
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second


@pytest.mark.parametrize("augment", [False, True])
def test_a_run_that_goes_on_sees_the_batches_it_would_have_seen(numbered: LabelledImages, augment: bool) -> None:
    config = TrainConfig(batch_size=16, augment=augment, epochs=4)
    whole = list(training_batches(numbered, np.arange(50), config, 0, ONE).take(9).as_numpy_iterator())
    rest = list(training_batches(numbered, np.arange(50), config, 5, ONE).take(4).as_numpy_iterator())
    for before, after in zip(whole[5:], rest, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_labels_go_with_their_pictures(numbered: LabelledImages) -> None:
    for x, y, weight in training_batches(numbered, np.arange(100), TrainConfig(augment=False), 0, ONE).take(3):
        assert np.array_equal(numbered.labels[numbers(x.numpy())], y.numpy())
        assert x.numpy().max() <= 1
        assert weight.numpy().all()


def test_the_last_validation_batch_is_filled_up_without_weight(numbered: LabelledImages) -> None:
    chosen = np.arange(10, 35)
    batches = list(validation_batches(numbered, chosen, 10, ONE).take(3).as_numpy_iterator())
    weights = np.concatenate([weight for _, _, weight in batches])
    assert weights.tolist() == [1.0] * 25 + [0.0] * 5
    assert list(chain(*(numbers(x) for x, _, _ in batches)))[:25] == chosen.tolist()


def test_two_devices_share_every_batch(numbered: LabelledImages) -> None:
    devices = tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        pytest.fail("tests/conftest.py must split the CPU into two devices before TensorFlow starts")
    both = tf.distribute.MirroredStrategy([d.name for d in devices[:2]])
    config = TrainConfig(batch_size=20, augment=False)
    alone = take(training_batches(numbered, np.arange(100), config, 0, ONE), 3)
    shared = iter(training_batches(numbered, np.arange(100), config, 0, both))
    for expected in alone:
        x, _, _ = next(shared)
        parts = [numbers(part.numpy()) for part in both.experimental_local_results(x)]
        assert [len(part) for part in parts] == [10, 10]
        assert list(chain(*parts)) == expected
