"""Generate variations of each training image, for the input pipeline and the parity samples.

A variation is how the same hand, pen, paper and scanner might have produced the same character.

It works on whole batches in the graph, beside the training step. It is a pure function of its seed, so a run can be
repeated. The geometry follows Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied
to visual document analysis" (ICDAR 2003): affine and elastic in one resampling. Images are never mirrored: b and d,
or 2 and S, would trade places. The operations are TensorFlow's, not keras.ops: keras.random takes no tensor as a
seed, and tf.data runs them.
"""

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from emnist_cli.core.config import IMAGE_SIZE

_MIDDLE = (IMAGE_SIZE - 1) / 2
_GRID = 5  # control points a side of every smooth field
_CALM = (0.1, 0.15)  # this share of the pictures varies so much less, so that clean ones are still seen

_hats = np.maximum(1 - np.abs(np.linspace(0, _GRID - 1, IMAGE_SIZE) - np.arange(_GRID)[:, None]), 0)
_SPREAD = np.kron(_hats, _hats).astype(np.float32)  # bilinear from the grid to the pixels; keeps linear fields exact

# JPEG's luminance table (ITU-T T.81, table K.1), and its transform of 8x8 blocks for a whole picture at once.
_TABLE = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
_LUMINANCE = np.fromstring(_TABLE, np.float32, sep=" ").reshape(8, 8)
_BLOCKS = -(-IMAGE_SIZE // 8)
_cosines = np.cos(np.arange(8)[:, None] * (2 * np.arange(8) + 1) * math.pi / 16) / 2
_cosines[0] /= math.sqrt(2)
_dct = np.kron(np.eye(_BLOCKS), _cosines)
_edge_repeated = np.eye(IMAGE_SIZE)[np.minimum(np.arange(8 * _BLOCKS), IMAGE_SIZE - 1)]
_FORWARD = (_dct @ _edge_repeated).astype(np.float32)
_BACK = _dct.T[:IMAGE_SIZE].astype(np.float32)


def augment(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return a variation of each picture.

    Args:
        images: float32 (n, 28, 28, 1) in [0, 1], white ink on black.
        seed: integers (2,); the same seed gives the same variations.

    Returns:
        float32 (n, 28, 28, 1) in [0, 1].
    """
    seeds = tf.unstack(tf.random.split(seed, 10), num=10)
    n = tf.shape(images)[0]
    strength = tf.where(tf.random.stateless_uniform((n, 1, 1), seeds[0]) < _CALM[0], _CALM[1], 1.0)
    out = _some(images[..., 0], 0.08 * strength, seeds[1], cut_edge)
    out = _resample(out, _sources(n, strength, seeds[2]))
    out = _change_pen(out, strength, seeds[3])
    out = _some(out, 0.07 * strength, seeds[4], wear)
    out = _some(out, 0.08 * strength, seeds[5], add_flaw)
    out = _some(out, 0.3 * strength, seeds[6], change_gamma)
    out = _some(out, 0.1 * strength, seeds[9], coarsen)
    out = _scan(out, strength, seeds[7])
    out = _some(out, 0.15 * strength, seeds[8], lambda some, own: jpeg(some, _Dice(some, own, 1)(20, 80)))
    return tf.ensure_shape(out[..., None], images.shape)


class _Dice:
    """A number for each picture at every throw, (n, 1, 1); drawn all at once, as every draw has its price."""

    def __init__(self, images: tf.Tensor, seed: tf.Tensor, throws: int) -> None:
        drawn = tf.random.stateless_uniform((throws, tf.shape(images)[0], 1, 1), seed)
        self._left = iter(tf.unstack(drawn, num=throws))

    def __call__(self, low: float, high: float) -> tf.Tensor:
        return low + (high - low) * next(self._left)


def _some(
    images: tf.Tensor, share: tf.Tensor, seed: tf.Tensor, change: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    """Change pictures with probability `share` (n, 1, 1); the rest costs nothing."""
    chosen = tf.where(tf.random.stateless_uniform(tf.shape(images)[:1], seed) < share[:, 0, 0])
    changed = change(tf.gather_nd(images, chosen), tf.random.fold_in(seed, 1))
    return tf.tensor_scatter_nd_update(images, chosen, changed)


def cut_edge(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Blank up to a sixth of the ink's extent, 4 pixels of 24, at one side, as where a scan ends too early.

    A picture that would lose more than a tenth of its ink stays as it is: without its dot, an i is a bar.
    """
    dice = _Dice(images, seed, 2)
    side, depth = tf.cast(dice(0, 4), tf.int32), dice(0.04, 1 / 6)
    pixels = tf.range(IMAGE_SIZE, dtype=tf.float32)
    cut = images
    for axis in (1, 2):
        inked = tf.reduce_max(images, axis=3 - axis) > 0.1
        first = tf.reduce_min(tf.where(inked, pixels, IMAGE_SIZE), axis=1, keepdims=True)
        last = tf.reduce_max(tf.where(inked, pixels, -1.0), axis=1, keepdims=True)
        lost = depth[..., 0] * (last - first + 1)
        before = tf.where(side[..., 0] == axis, lost, 0.0)
        after = tf.where(side[..., 0] == (axis + 2) % 4, lost, 0.0)
        kept = tf.cast((pixels >= tf.round(first + before)) & (pixels <= tf.round(last - after)), tf.float32)
        cut *= tf.expand_dims(kept, 3 - axis)
    left, whole = (tf.reduce_sum(x, axis=(1, 2), keepdims=True) for x in (cut, images))
    return tf.where(left < 0.9 * whole, images, cut)


def _sources(n: tf.Tensor, strength: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Where each pixel looks in its picture: float32 (n, 2, 784) as y, x; affine and elastic on one coarse grid."""
    dice = _Dice(strength, seed, 4)
    bell = tf.random.stateless_normal((n, 2, _GRID * _GRID + 1), tf.random.fold_in(seed, 1))
    angle = tf.clip_by_value(7 * bell[:, 0, -1:, None], -20, 20) * strength * (math.pi / 180)
    slant = tf.clip_by_value(0.15 * bell[:, 1, -1:, None], -0.35, 0.35) * strength
    size = 1 + dice(-0.1, 0.2) * strength
    stretch = 1 + dice(-0.12, 0.14) * strength
    axis = tf.linspace(-_MIDDLE, _MIDDLE, _GRID)
    y, x = axis[None, :, None], axis[None, None, :]
    cos, sin = tf.cos(angle) * size, tf.sin(angle) * size
    source_y = (cos * y - sin * x) * stretch + dice(-2, 2) * strength
    source_x = (sin * y + cos * x) / stretch + slant * y + dice(-2, 2) * strength
    affine = tf.reshape(tf.stack([source_y, source_x], axis=1), (-1, 2, _GRID * _GRID))
    where = affine + bell[..., :-1] * strength + _MIDDLE
    return tf.reshape(tf.reshape(where, (-1, _GRID * _GRID)) @ _SPREAD, (-1, 2, IMAGE_SIZE * IMAGE_SIZE))


def _resample(images: tf.Tensor, where: tf.Tensor) -> tf.Tensor:
    """Bilinear lookup of `images` at `where`; outside the picture is paper."""
    side = IMAGE_SIZE + 2
    flat = tf.reshape(tf.pad(images, [[0, 0], [1, 1], [1, 1]]), (-1, side * side))
    where = tf.clip_by_value(where + 1, 0.0, side - 1.001)
    corner = tf.floor(where)
    dy, dx = tf.unstack(where - corner, axis=1)
    top, left = tf.unstack(tf.cast(corner, tf.int32), axis=1)
    index = top * side + left

    def at(offset: int) -> tf.Tensor:
        return tf.gather(flat, index + offset, batch_dims=1)

    upper = at(0) * (1 - dx) + at(1) * dx
    lower = at(side) * (1 - dx) + at(side + 1) * dx
    return tf.reshape(upper * (1 - dy) + lower * dy, tf.shape(images))


def _change_pen(images: tf.Tensor, strength: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Thicken or thin strokes by up to a pixel; let some pens run dry or press unevenly across the picture."""
    dice = _Dice(images, seed, 3)
    amount = dice(-0.5, 0.5) * strength
    thick = tf.nn.max_pool2d(images[..., None], 3, 1, "SAME")[..., 0]
    thin = -tf.nn.max_pool2d(-images[..., None], 2, 1, "SAME")[..., 0]
    images += tf.nn.relu(amount) * (thick - images) + tf.nn.relu(-amount) * (thin - images)
    faded = tf.where(dice(0, 1) < 0.2, dice(0.1, 0.4), 0.0) * strength
    grid = tf.random.stateless_uniform((tf.shape(images)[0], _GRID * _GRID), tf.random.fold_in(seed, 1))
    return images * tf.reshape(1 - (faded[..., 0] * grid) @ _SPREAD, tf.shape(images))


def wear(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Make strokes grainy, as pencil or felt on rough paper, or paler along their middle, as a ball pen's."""
    dice = _Dice(images, seed, 2)
    grain = tf.random.stateless_uniform(tf.shape(images), tf.random.fold_in(seed, 1))
    hollow = -tf.nn.max_pool2d(-images[..., None], 3, 1, "SAME")[..., 0]
    where = tf.where(dice(0, 1) < 0.5, tf.cast(grain < 0.3, tf.float32), hollow)
    return images * (1 - where * dice(0.2, 0.6))


def add_flaw(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Erase a small box, or add a speck of dirt, or a ruled line near an edge, where it is no stroke of a letter."""
    dice = _Dice(images, seed, 10)
    pixels = tf.range(IMAGE_SIZE, dtype=tf.float32)

    def span(middle: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        return tf.clip_by_value(length / 2 + 0.5 - tf.abs(pixels - middle), 0.0, 1.0)

    kind = dice(0, 1)
    scale = tf.where(kind < 0.4, 1.0, 0.45)
    rows, columns = (span(dice(5, 22), dice(2, 5) * scale) for _ in range(2))
    box = tf.linalg.matrix_transpose(rows) * columns
    line = span(tf.abs(tf.where(dice(0, 1) < 0.5, 0.0, IMAGE_SIZE - 1.0) - dice(0, 3)), dice(0.5, 1.5))
    line = tf.where(dice(0, 1) < 0.3, line, tf.linalg.matrix_transpose(line)) * tf.ones_like(images)
    ink = tf.where(kind < 0.75, box, line) * dice(0.4, 1.0)
    return tf.where(kind < 0.4, images * (1 - box), tf.maximum(images, ink))


def change_gamma(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Raise density to a power between 0.6 and 1.6."""
    return images ** tf.exp(_Dice(images, seed, 1)(math.log(0.6), math.log(1.6)))


def coarsen(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Reduce to 9 to 15 pixels a side and enlarge again, as a character is that was very small in its scan.

    The same size for all: a size for each would have to go through them one by one.
    """
    side = tf.random.stateless_uniform((), seed, 9, 16, tf.int32)
    small = tf.image.resize(images[..., None], (side, side), method="area")
    large = tf.image.resize(small, (IMAGE_SIZE, IMAGE_SIZE), method="bicubic")[..., 0]
    return tf.clip_by_value(large, 0.0, 1.0)


def _scan(images: tf.Tensor, strength: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Vary sharpness and contrast, add noise."""
    dice = _Dice(images, seed, 3)
    blurred = tf.nn.avg_pool2d(images[..., None], 3, 1, "SAME")[..., 0]
    images += dice(-0.2, 0.6) * strength * (blurred - images)
    images = tf.clip_by_value(images * (1 + dice(-0.2, 0.4) * strength), 0.0, 1.0)
    noise = tf.random.stateless_normal(tf.shape(images), tf.random.fold_in(seed, 1))
    return tf.clip_by_value(images + noise * (dice(0, 0.04) * strength), 0.0, 1.0)


def jpeg(images: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
    """Return what JPEG leaves of float32 (n, 28, 28) in [0, 1] at `quality` (n, 1, 1), 1 to 100 as libjpeg has it."""
    scale = tf.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    table = tf.clip_by_value(tf.floor((np.tile(_LUMINANCE, (_BLOCKS, _BLOCKS)) * scale + 50) / 100), 1, 255)
    levels = tf.round(_FORWARD @ (images * 255 - 128) @ _FORWARD.T / table) * table
    return tf.clip_by_value((_BACK @ levels @ _BACK.T + 128) / 255, 0.0, 1.0)
