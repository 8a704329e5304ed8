"""What training may do to a picture: vary it, each one differently, and leave it readable."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

import emnist_cli
from emnist_cli.core.networks.augmentation import add_flaw, augment, change_gamma, coarsen, cut_edge, jpeg, wear
from emnist_cli.core.preprocessing.normalize import preprocess
from emnist_cli.core.runtimes.litert import LiteRtRuntime
from tests.handwriting import characters, ink_box, picture

pytestmark = pytest.mark.slow

STARTER = Path(emnist_cli.__file__).parent / "bundles" / "starter" / "model.tflite"

Batch = NDArray[np.float32]
Change = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@cache
def real() -> Batch:
    """Three donors' 62 characters as the network sees them: (186, 28, 28)."""
    found = [preprocess(np.asarray(picture(c, donor))) for donor in range(3) for c in sorted(characters())]
    return np.stack([one for one in found if one is not None])


def vary(pictures: Batch, *seed: int) -> Batch:
    out: Batch = augment(tf.constant(pictures[..., None]), tf.constant(seed, tf.int64)).numpy()
    assert out.shape == (*pictures.shape, 1)
    assert out.dtype == np.float32
    return out[..., 0]


def ink(pictures: Batch) -> Batch:
    total: Batch = pictures.sum(axis=(1, 2))
    return total


def answers(pictures: Batch) -> NDArray[np.int64]:
    found: NDArray[np.int64] = LiteRtRuntime(STARTER, threads=1).run(pictures).argmax(1)
    return found


def test_the_seed_alone_decides() -> None:
    one = vary(real(), 4, 9)
    assert np.array_equal(one, vary(real(), 4, 9))
    assert not np.array_equal(one, vary(real(), 4, 10))
    assert not np.array_equal(one, vary(real(), 5, 9))


def test_a_graph_of_any_batch_gives_the_same() -> None:
    traced = tf.function(augment, input_signature=[tf.TensorSpec((None, 28, 28, 1)), tf.TensorSpec((2,), tf.int64)])
    for size in (1, 7, 186):
        some = real()[:size]
        out = traced(some[..., None], tf.constant([4, 9], tf.int64)).numpy()[..., 0]
        assert np.allclose(out, vary(some, 4, 9), atol=1e-4)


def test_values_stay_in_range() -> None:
    for pictures in (real(), np.zeros_like(real()), np.ones_like(real())):
        out = vary(pictures, 1, 2)
        assert 0 <= out.min() <= out.max() <= 1


def test_the_precision_policy_does_not_matter() -> None:
    expected = vary(real(), 1, 2)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        assert np.array_equal(vary(real(), 1, 2), expected)
    finally:
        keras.config.set_dtype_policy("float32")


def test_every_picture_of_a_batch_varies_in_its_own_way() -> None:
    out = vary(np.repeat(real()[:1], 64, axis=0), 3, 3).reshape(64, -1)
    apart = np.abs(out[:, None] - out[None]).mean(-1)
    assert apart[~np.eye(64, dtype=bool)].min() > 0.003


def test_some_pictures_pass_with_little_change() -> None:
    changes = np.concatenate([np.abs(vary(real(), 8, step) - real()).mean(axis=(1, 2)) for step in range(8)])
    assert 0.05 < (changes < 0.03).mean() < 0.2, "a tenth is meant to"
    assert np.median(changes) > 0.06


def test_blank_pictures_stay_nearly_blank() -> None:
    """A few get a speck or a line; the rest only noise."""
    out = np.concatenate([vary(np.zeros_like(real()), 6, step) for step in range(4)])
    assert (out.mean(axis=(1, 2)) < 0.05).mean() > 0.97
    assert (out.max(axis=(1, 2)) < 0.4).mean() > 0.9


def test_the_amount_of_ink_stays_within_reason() -> None:
    share = np.concatenate([ink(vary(real(), 2, step)) for step in range(8)]) / np.tile(ink(real()), 8)
    assert 0.2 < share.min() < share.max() < 4
    low, middle, high = np.percentile(share, (5, 50, 95))
    assert 0.4 < low < 0.8 < middle < 1.25 < high < 2.6


def test_variations_are_still_read_as_the_same_character() -> None:
    """The starter agrees with its answer for the picture as it was on most of them."""
    own = answers(real())
    same = np.mean([answers(vary(real(), 5, step)) == own for step in range(4)])
    assert same > 0.7


def test_a_picture_is_never_mirrored() -> None:
    """It is nearer to its own variations, on average, than its mirror images are."""
    mean = np.mean([vary(real(), 11, step) for step in range(16)], axis=0)
    for axis in (1, 2):
        far = np.abs(np.flip(real(), axis) - mean).mean(axis=(1, 2))
        near = np.abs(real() - mean).mean(axis=(1, 2))
        lopsided = np.abs(np.flip(real(), axis) - real()).mean(axis=(1, 2)) > 0.1
        assert lopsided.sum() > 50
        assert (near < far)[lopsided].all()


@pytest.mark.parametrize(
    ("change", "least"), [(cut_edge, 0.83), (wear, 0.8), (add_flaw, 0.8), (change_gamma, 0.93), (coarsen, 0.75)]
)
def test_each_change_alone_leaves_most_answers(change: Change, least: float) -> None:
    """Thresholds lie some points under what was measured, every picture being changed."""
    out = np.stack([change(tf.constant(real()), tf.constant([5, step])).numpy() for step in range(3)])
    assert 0 <= out.min() <= out.max() <= 1
    changed = np.abs(out - real()).max(axis=(2, 3)) > 0.01
    assert changed.mean() > 0.6
    own = answers(real())
    assert np.mean([answers(one) == own for one in out]) > least


def test_a_cut_takes_a_strip_at_one_side_and_little_ink() -> None:
    cut = cut_edge(tf.constant(real()), tf.constant([1, 1])).numpy()
    share = ink(cut) / ink(real())
    assert 0.9 <= share.min() < 0.97
    sides = set()
    for before, after in zip(real(), cut, strict=True):
        lost = (before > 0) & (after == 0)
        assert np.array_equal(after[~lost], before[~lost]), "what is left is as it was"
        top, left, bottom, right = ink_box(before)
        inner = ink_box(after)
        strips = (inner[0] - top, inner[1] - left, bottom - inner[2], right - inner[3])
        assert max(strips) <= 6, "4 pixels, and what ink happens to end there"
        sides.add(int(np.argmax(strips)))
    assert sides == {0, 1, 2, 3}


def test_nothing_is_cut_from_a_blank_picture() -> None:
    assert not cut_edge(tf.zeros((5, 28, 28)), tf.constant([1, 1])).numpy().any()


@pytest.mark.parametrize("quality", [20, 35, 50, 80])
def test_jpeg_does_as_pillow_does(quality: int) -> None:
    """Pixel by pixel to a level or two of 255, where the compression itself changes many times that."""
    levels = np.round(real() * 255).astype(np.uint8)
    expected = []
    for one in levels:
        file = io.BytesIO()
        Image.fromarray(one).save(file, "JPEG", quality=quality)
        expected.append(np.asarray(Image.open(file)))
    ours = jpeg(tf.constant(levels / np.float32(255)), tf.fill((len(levels), 1, 1), float(quality))).numpy() * 255
    error = np.abs(ours - np.stack(expected)).mean()
    assert error < 1
    assert np.abs(levels - np.stack(expected).astype(float)).mean() > 2 * error
