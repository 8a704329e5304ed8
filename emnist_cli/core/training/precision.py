"""Compute in 16 bits where a machine is faster at it; `training.job` uses it."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from emnist_cli.core.config import TrainConfig


@contextmanager
def precision(config: TrainConfig) -> Iterator[None]:
    """Set Keras' global policy as `config` asks: float16 on GPUs, bfloat16, which CPUs are quicker at, elsewhere."""
    before = keras.config.dtype_policy()
    if config.mixed_precision:
        gpu = bool(tf.config.list_physical_devices("GPU"))
        keras.config.set_dtype_policy("mixed_float16" if gpu else "mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
