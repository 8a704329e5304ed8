"""Measure and improve the calibration of confidences; `metrics` and `training.package_model` use it.

A calibrated probability means what it says. One temperature is fitted for all outputs of a network.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.records import CalibrationBin


def fit_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Find the temperature under which pictures that were not trained on are most likely.

    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017, section 4.2.

    Args:
        probabilities: float32 (n, classes), as the network gives them.
        labels: int64 (n,), class ids.

    Returns:
        What to divide the logits by, within 0.2..5, to 3 decimals.
    """
    from scipy.optimize import minimize_scalar

    logits = np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        right = scaled[np.arange(len(labels)), labels]
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - right))

    best = minimize_scalar(loss, bounds=(np.log(0.2), np.log(5)), method="bounded")
    return round(float(np.exp(best.x)), 3)


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Return the mean distance of confidence and accuracy, each bin weighted by its count.

    Source: Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017, equation 3.
    scikit-learn's `calibration_curve` is for two classes only.
    """
    total = sum(b.count for b in bins)
    gaps = (
        b.count * abs(b.confidence - b.accuracy) for b in bins if b.confidence is not None and b.accuracy is not None
    )
    return sum(gaps) / total if total else 0.0
