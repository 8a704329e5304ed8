"""Turn a network's class probabilities into label probabilities, for the recognizer, evaluation and the web export.

Classes outside a charset are masked, the two cases of a letter are added up, and the result is renormalized.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.errors import UsageError
from emnist_cli.core.labels import swap_case


class LabelView(NamedTuple):
    """A set of answers and how a network's classes add up to them.

    Attributes:
        labels: the answers.
        matrix: float32 (classes, labels); 1 where a class counts towards a label, at most one a row.
    """

    labels: tuple[str, ...]
    matrix: NDArray[np.float32]

    def apply(self, probabilities: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
        """Turn class probabilities into label probabilities.

        Args:
            probabilities: float32 (n, classes).
            temperature: divides the logits first (Guo et al., "On calibration of modern neural networks",
                ICML 2017, section 4.2); logarithms of the probabilities do for logits.

        Returns:
            float32 (n, labels), each row summing to 1.
        """
        logits = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)) / np.float32(temperature)
        counted = self.matrix.any(axis=1)
        logits -= logits[:, counted].max(axis=1, keepdims=True)  # of those that count, or all could underflow
        summed: NDArray[np.float32] = np.exp(np.minimum(logits, 0)) @ self.matrix
        summed /= summed.sum(axis=1, keepdims=True)
        return summed


def make_label_view(classes: Sequence[str], charset: Iterable[str] | None = None, fold_case: bool = False) -> LabelView:
    """Decide which answers a network may give.

    Args:
        classes: the characters that each class stands for, the one usually shown first.
        charset: characters that may be answered; None for all. A class that merges two cases is shown as the
            one that is allowed.
        fold_case: count both cases of a letter as one answer, shown in upper case where that is allowed.

    Raises:
        UsageError: none of the network's classes is allowed.
    """
    allowed = None if charset is None else set(charset)
    shown = [_shown(characters, allowed, fold_case) for characters in classes]
    labels = tuple(dict.fromkeys(label for label in shown if label))
    if not labels:
        raise UsageError(f"--charset: this model knows none of {''.join(sorted(allowed or ()))!r}; it knows {classes}")
    matrix = np.zeros((len(classes), len(labels)), np.float32)
    for row, label in enumerate(shown):
        if label:
            matrix[row, labels.index(label)] = 1
    return LabelView(labels, matrix)


def _shown(characters: str, allowed: set[str] | None, fold_case: bool) -> str:
    """The label that a class is answered as; "" if it may not be."""
    candidates = list(characters)
    if fold_case:
        both = dict.fromkeys(candidates + [swap_case(c) for c in candidates])
        candidates = sorted(both)  # upper case sorts first
    return next((c for c in candidates if allowed is None or c in allowed), "")
