"""Run a network one batch at a time; the Keras and ONNX runtimes use it.

It takes any number of images at once. The LiteRT runtime does not use it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE

SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 1)
"""Of what a network is given of one picture."""


def run_batches(
    run: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    pictures: NDArray[np.float32],
    batch_size: int,
    class_count: int,
) -> NDArray[np.float32]:
    """Classify pictures.

    Args:
        run: gives probabilities, float32 (m, class_count), of pictures float32 (m, 28, 28, 1).
        pictures: float32 (n, 28, 28).
        batch_size: pictures that `run` gets at most.
        class_count: outputs of the network.

    Returns:
        Probabilities, float32 (n, class_count).
    """
    out = np.empty((len(pictures), class_count), np.float32)
    for start in range(0, len(pictures), batch_size):
        batch = slice(start, start + batch_size)
        out[batch] = run(pictures[batch, :, :, None])
    return out
