"""What every runtime has in common, for the LiteRT, ONNX and Keras runtimes and those who call them."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE

SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 1)
"""Of what a network is given of one picture."""


class Runtime(Protocol):
    """A network ready to run, from any thread.

    Attributes:
        class_count: its outputs.
    """

    class_count: int

    def run(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Classify pictures, float32 (n, 28, 28) in [0, 1]; return probabilities, float32 (n, class_count)."""


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
