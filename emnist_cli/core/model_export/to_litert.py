"""Convert a trained network to the LiteRT file that every other command runs; training and model export use it."""

import tempfile
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emnist_cli.core.errors import ModelError

Weights = Literal["float32", "float16", "int8"]


def to_litert(model: keras.Model, weights: Weights = "float32") -> bytes:
    """Convert a network to a LiteRT flatbuffer with a dynamic batch.

    Only built-in operations are allowed: the plain runtime has no others, and refusing here beats failing there.

    Args:
        model: what to convert.
        weights: how they are stored. "int8" is LiteRT's dynamic range quantization: weights in 8 bits with a scale for
            each channel, what flows between layers quantized for each picture as it is run, answers in float32. A
            quarter of the size and about three times as fast. Full integer graphs are no smaller, and their answers
            come in steps of 1/256, too coarse for a threshold.
    """
    settings: dict[str, Any] = {"target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}}
    if weights != "float32":
        settings["optimizations"] = [tf.lite.Optimize.DEFAULT]
    if weights == "float16":
        settings["target_spec"]["supported_types"] = [tf.float16]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.tflite"
        model.export(str(path), format="litert", verbose=False, **settings)
        return path.read_bytes()


def check_agreement(
    model: keras.Model, probabilities: NDArray[np.float32], pictures: NDArray[np.float32], most: float = 1e-3
) -> float:
    """Compare the exported file's answers with the network's own.

    Args:
        model: the network.
        probabilities: float32 (n, classes) from the exported file.
        pictures: float32 (n, 28, 28), what both were given.
        most: difference that is allowed; quantized weights need more than the default.

    Returns:
        The largest difference between two probabilities.

    Raises:
        ModelError: it exceeds `most`.
    """
    expected = model.predict(pictures[..., None], batch_size=256, verbose=0)
    difference = float(np.abs(expected - probabilities).max())
    if not difference <= most:  # nor where it is no number
        raise ModelError(f"the exported file disagrees with the network it came from by {difference:.4f}")
    return difference
