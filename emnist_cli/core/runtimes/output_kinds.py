"""Detect whether a network gives probabilities, logits or scores; the runtimes, export and import use it."""

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.errors import ModelError
from emnist_cli.core.runtimes.base import Runtime

PROBABILITIES, LOGITS, SCORES = "probabilities", "logits", "scores"
"""What a network gives: rows that sum to 1, any numbers, or numbers in [0, 1] that do not, as of a sigmoid."""


class NormalizedRuntime:
    """A network of unknown origin whose answers become probabilities, from any thread.

    Attributes:
        class_count: its outputs.
        outputs: what it gives itself: `PROBABILITIES`, `LOGITS` or `SCORES`.
    """

    def __init__(self, runtime: Runtime) -> None:
        """Try the network on a few drawn images.

        Raises:
            ModelError: its outputs are no numbers.
        """
        self._runtime = runtime
        self.class_count = runtime.class_count
        # One by one: often a single image is all that follows, and a whole batch would take longer.
        answers = np.concatenate([runtime.run(picture[None]) for picture in _draw()])
        self.outputs = tell_outputs(answers)

    def run(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Classify images, float32 (n, 28, 28) in [0, 1]; return probabilities, float32 (n, class_count).

        Raises:
            ModelError: its outputs are no numbers.
        """
        answers = self._runtime.run(pictures)
        _check(answers)
        return to_probabilities(answers, self.outputs)


def tell_outputs(answers: NDArray[np.float32]) -> str:
    """Tell from a network's answers which of `PROBABILITIES`, `LOGITS` and `SCORES` they are.

    Args:
        answers: float32 (n, outputs), for images of all kinds.

    Raises:
        ModelError: they are no numbers.
    """
    _check(answers)
    within = answers.min() >= 0 and answers.max() <= 1.001
    if within and np.abs(answers.sum(axis=1) - 1).max() < 0.01:
        return PROBABILITIES
    return SCORES if within else LOGITS


def to_probabilities(answers: NDArray[np.float32], outputs: str) -> NDArray[np.float32]:
    """Make rows that sum to 1 of answers, float32 (n, outputs), that are what `outputs` says."""
    if outputs == PROBABILITIES:
        return answers
    answers = np.exp(answers - answers.max(axis=1, keepdims=True)) if outputs == LOGITS else answers.copy()
    answers /= np.maximum(answers.sum(axis=1, keepdims=True), np.float32(1e-7))
    return answers


def _check(answers: NDArray[np.float32]) -> None:
    if not np.isfinite(answers).all():
        raise ModelError("its outputs are no numbers (nan or infinite) for pictures of characters")


def _draw() -> NDArray[np.float32]:
    """Return an empty image, strokes and noise, float32 (n, 28, 28) in [0, 1]: no network is sure of all of them."""
    pictures = np.zeros((6, IMAGE_SIZE, IMAGE_SIZE), np.float32)
    pictures[1, 4:24, 12:16] = 1
    pictures[2, 12:16, 4:24] = 1
    pictures[3, 4:24, 6:22], pictures[3, 8:20, 10:18] = 1, 0
    pictures[4:] = np.random.default_rng(1).random((2, IMAGE_SIZE, IMAGE_SIZE), np.float32)
    return pictures
