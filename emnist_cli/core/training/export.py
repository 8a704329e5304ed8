"""Turning a trained network into the LiteRT file that every other command runs."""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emnist_cli.core.errors import ModelError


def to_litert(model: keras.Model) -> bytes:
    """Convert a network to a LiteRT flatbuffer with a dynamic batch and float32 weights.

    Only built-in operations are allowed: the plain runtime has no others, and refusing here beats failing there.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.tflite"
        builtin_only = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
        model.export(str(path), format="litert", verbose=False, target_spec=builtin_only)
        return path.read_bytes()


def check_agreement(model: keras.Model, probabilities: NDArray[np.float32], pictures: NDArray[np.float32]) -> float:
    """Compare the exported file's answers with the network's own.

    Args:
        model: the network.
        probabilities: float32 (n, classes) from the exported file.
        pictures: float32 (n, 28, 28), what both were given.

    Returns:
        The largest difference between two probabilities.

    Raises:
        ModelError: it exceeds 0.001.
    """
    expected = model.predict(pictures[..., None], batch_size=256, verbose=0)
    difference = float(np.abs(expected - probabilities).max())
    if not difference <= 1e-3:  # nor where it is no number
        raise ModelError(f"the exported file disagrees with the network it came from by {difference:.4f}")
    return difference
