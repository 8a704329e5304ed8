"""Other ways the same hand might have written the same character, drawn at random for every picture.

Works on whole batches in the graph, beside the training step, and is a pure function of its seed, so that
a run can be repeated. The geometry follows Simard, Steinkraus and Platt, "Best practices for convolutional
neural networks applied to visual document analysis" (ICDAR 2003): affine and elastic in one resampling.
"""

import math

import tensorflow as tf

from emnist_cli.core.config import IMAGE_SIZE

_GRID = 5  # control points a side of the elastic field


def augment(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return a variation of each picture.

    Args:
        images: float32 (n, 28, 28, 1) in [0, 1], white ink on black.
        seed: int32 (2,); the same seed gives the same variations.

    Returns:
        float32 (n, 28, 28, 1) in [0, 1].
    """
    seeds = tf.unstack(tf.random.split(seed, 4), num=4)
    images = _resample(images, _affine_field(tf.shape(images)[0], seeds[0]) + _elastic_field(images, seeds[1]))
    images = _change_thickness(images, seeds[2])
    return _degrade(images, seeds[3])


def _uniform(n: tf.Tensor, seed: tf.Tensor, index: int, low: float, high: float) -> tf.Tensor:
    return tf.random.stateless_uniform((n, 1, 1), tf.random.fold_in(seed, index), low, high)


def _affine_field(n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Where each output pixel looks in its picture: float32 (n, 28, 28, 2) as y, x."""
    angle = _uniform(n, seed, 0, -15, 15) * (math.pi / 180)
    slant = _uniform(n, seed, 1, -0.25, 0.25)
    size = _uniform(n, seed, 2, 0.9, 1.2)
    stretch = _uniform(n, seed, 3, 0.88, 1.14)
    middle = (IMAGE_SIZE - 1) / 2
    axis = tf.range(IMAGE_SIZE, dtype=tf.float32) - middle
    y, x = axis[None, :, None], axis[None, None, :]
    cos, sin = tf.cos(angle) * size, tf.sin(angle) * size
    source_y = (cos * y - sin * x) * stretch + middle + _uniform(n, seed, 4, -2, 2)
    source_x = (sin * y + cos * x) / stretch + slant * y + middle + _uniform(n, seed, 5, -2, 2)
    return tf.stack([source_y, source_x], axis=-1)


def _elastic_field(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A smooth random displacement in pixels: float32 (n, 28, 28, 2)."""
    field = tf.random.stateless_normal((tf.shape(images)[0], _GRID, _GRID, 2), seed, stddev=0.9)
    return tf.image.resize(field, (IMAGE_SIZE, IMAGE_SIZE), method="bilinear")


def _resample(images: tf.Tensor, where: tf.Tensor) -> tf.Tensor:
    """Bilinear lookup of `images` at `where`; outside the picture is paper."""
    padded = tf.pad(images[..., 0], [[0, 0], [1, 1], [1, 1]])
    side = IMAGE_SIZE + 2
    flat = tf.reshape(padded, (-1, side * side))
    where = tf.clip_by_value(where + 1, 0.0, side - 1.001)
    corner = tf.floor(where)
    dy, dx = tf.unstack(where - corner, axis=-1)
    top, left = tf.unstack(tf.cast(corner, tf.int32), axis=-1)
    index = tf.reshape(top * side + left, (-1, IMAGE_SIZE * IMAGE_SIZE))

    def at(offset: int) -> tf.Tensor:
        return tf.reshape(tf.gather(flat, index + offset, batch_dims=1), tf.shape(dy))

    upper = at(0) * (1 - dx) + at(1) * dx
    lower = at(side) * (1 - dx) + at(side + 1) * dx
    return (upper * (1 - dy) + lower * dy)[..., None]


def _change_thickness(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Thicken or thin the strokes of each picture by up to about a pixel."""
    amount = _uniform(tf.shape(images)[0], seed, 0, -0.8, 0.8)[..., None]
    thick = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 2, 1, "SAME")
    return images + tf.nn.relu(amount) * (thick - images) + tf.nn.relu(-amount) * (thin - images)


def _degrade(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Vary sharpness and contrast, add noise."""
    n = tf.shape(images)[0]
    blurred = tf.nn.avg_pool2d(images, 3, 1, "SAME")
    images += _uniform(n, seed, 0, -0.2, 0.6)[..., None] * (blurred - images)
    images = tf.clip_by_value(images * _uniform(n, seed, 1, 0.8, 1.4)[..., None], 0.0, 1.0)
    noise = tf.random.stateless_normal(tf.shape(images), tf.random.fold_in(seed, 2), stddev=0.03)
    return tf.clip_by_value(images + noise, 0.0, 1.0)
