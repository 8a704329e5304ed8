"""The training step and the validation step, for the trainer.

There is one of each for one device, several devices, and several machines. Keras' own `fit` cannot run under
MultiWorkerMirroredStrategy (Keras 3.15), so the gradients are summed over the devices here, and Keras' optimizer
applies them.
"""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Steps = Callable[[Iterator[Any], int], NDArray[np.float64]]
"""Runs so many steps; returns float64 (2,): the sums of loss and of right answers over their pictures."""


def training_steps(
    network: keras.Model, optimizer: keras.Optimizer, size: int, strategy: tf.distribute.Strategy
) -> Steps:
    """Return what trains `network` on so many batches of `size` pictures."""
    weights = network.trainable_variables

    def step(x: tf.Tensor, y: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            answers = network(x, training=True)
            loss = tf.reduce_sum(keras.losses.sparse_categorical_crossentropy(y, answers))
            scaled = optimizer.scale_loss(loss / size)
        gradients = _sum(strategy, tape.gradient(scaled, weights))
        optimizer.apply(gradients, weights)
        return _sum(strategy, _totals(loss, answers, y, weight))

    return _repeat(step, strategy)


def validation_steps(network: keras.Model, strategy: tf.distribute.Strategy) -> Steps:
    """Return what sums the loss and the right answers of `network` over so many batches."""

    def step(x: tf.Tensor, y: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        answers = network(x, training=False)
        loss = tf.reduce_sum(weight * keras.losses.sparse_categorical_crossentropy(y, answers))
        return _sum(strategy, _totals(loss, answers, y, weight))

    return _repeat(step, strategy)


def _totals(loss: tf.Tensor, answers: tf.Tensor, y: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    right = tf.cast(tf.argmax(answers, 1) == y, tf.float32)
    return tf.stack([loss, tf.reduce_sum(weight * right)])


def _sum(strategy: tf.distribute.Strategy, values: Any) -> Any:
    """Sum over all devices; called on each of them at the same time."""
    if strategy.num_replicas_in_sync == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)


def _repeat(step: Callable[..., tf.Tensor], strategy: tf.distribute.Strategy) -> Steps:
    """Run a step several times without coming back to Python in between."""

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def run(batches: Iterator[Any], count: tf.Tensor) -> tf.Tensor:
        total = tf.zeros(2, tf.float64)  # so that it does not matter how many steps are run at once
        for _ in tf.range(count):
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            result = strategy.run(step, args=next(batches))
            total += tf.cast(strategy.experimental_local_results(result)[0], tf.float64)
        return total

    return lambda batches, count: run(batches, tf.constant(count)).numpy()
