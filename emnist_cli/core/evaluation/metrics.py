"""Compute an `Evaluation` from probabilities and true labels, for `evaluate` and `report`.

scikit-learn computes every figure that it supports. The module imports no TensorFlow. It works on whole arrays;
nothing here loops over single images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from emnist_cli.core.config import EvaluateConfig
from emnist_cli.core.evaluation.calibration import expected_calibration_error
from emnist_cli.core.records import (
    CalibrationBin,
    ClassScore,
    Confusion,
    Evaluation,
    EvaluationTarget,
    Failure,
    Mistake,
    Rejection,
)

UNANSWERED = -1
"""Stands for the answer of a picture that got none; no class has this id."""


@dataclass(frozen=True)
class ScoredPredictions:
    """What a model said of pictures whose characters are known.

    Attributes:
        classes: the characters each answer stands for, the one shown first; after the possible answers come labels
            that no class of the model has, which occur as truth only.
        truth: int64 (n,), ids into `classes`.
        probabilities: float32 (n, answers), answers <= len(classes); rows sum to 1, those of pictures without an
            answer are 0.
        names: path of each picture; empty where its place says it all.
        failures: the pictures without an answer.
    """

    classes: tuple[str, ...]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    names: Sequence[str] = ()
    failures: tuple[Failure, ...] = ()

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each picture, int64 (n,); UNANSWERED without one."""
        best = self.probabilities.argmax(axis=1).astype(np.int64)
        return np.where(self.answered, best, UNANSWERED)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """Probability of the answer, float32 (n,) in [0, 1]; 0 without one."""
        highest: NDArray[np.float32] = self.probabilities.max(axis=1)
        return highest

    @cached_property
    def answered(self) -> NDArray[np.bool_]:
        """Which pictures got an answer, bool (n,)."""
        answered: NDArray[np.bool_] = np.any(self.probabilities, axis=1)
        return answered

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Which pictures were answered rightly, bool (n,)."""
        right: NDArray[np.bool_] = self.predicted == self.truth
        return right

    @property
    def labels(self) -> tuple[str, ...]:
        """What each class is shown as."""
        known = self.probabilities.shape[1]
        return tuple(c[0] if i < known else c for i, c in enumerate(self.classes))


def evaluate(answers: ScoredPredictions, subject: EvaluationTarget, config: EvaluateConfig | None = None) -> Evaluation:
    """Work out every figure.

    Args:
        answers: of at least one picture.
        subject: what was scored on what.
        config: how many bins, which coverages, how many mistakes.
    """
    config = config or EvaluateConfig()
    correct, count = int(answers.right.sum()), len(answers.truth)
    calibration = calibration_bins(answers, config.bins)
    return Evaluation(
        subject=subject,
        count=count,
        accuracy=float(accuracy_score(answers.truth, answers.predicted)),
        accuracy_interval=wilson_interval(correct, count),
        top3=top_k_accuracy(answers, 3),
        macro_f1=macro_f1(answers),
        ece=expected_calibration_error(calibration),
        classes=class_scores(answers),
        confusions=confusions(answers),
        correct=correct,
        case_folded=case_folded_accuracy(answers),
        unknown=int((answers.truth >= answers.probabilities.shape[1]).sum()),
        rejection=rejection_curve(answers, config.coverages),
        calibration=calibration,
        mistakes=worst_mistakes(answers, config.mistakes),
        failures=answers.failures,
    )


def wilson_interval(correct: int, count: int) -> tuple[float, float]:
    """Return the 95% interval of a share (Wilson, "Probable inference", JASA 22, 1927)."""
    interval = binomtest(correct, count).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def top_k_accuracy(answers: ScoredPredictions, k: int) -> float:
    """Return the share of all pictures of which the truth is among the k most probable answers."""
    choices = answers.probabilities.shape[1]
    possible = answers.answered & (answers.truth < choices)
    if choices <= k or not possible.any():
        return float(possible.mean())
    # Pictures that cannot be right are no part of what scikit-learn sees, and of the sum by which it is divided.
    truth, scores = answers.truth[possible], answers.probabilities[possible]
    hits = top_k_accuracy_score(truth, scores, k=k, normalize=False, labels=np.arange(choices))
    return float(hits) / len(answers.truth)


def macro_f1(answers: ScoredPredictions) -> float:
    """Return the mean F1 of the classes that occur."""
    occurring = np.unique(answers.truth)
    return float(f1_score(answers.truth, answers.predicted, labels=occurring, average="macro", zero_division=0))


def class_scores(answers: ScoredPredictions) -> tuple[ClassScore, ...]:
    """Score every class that occurs or was answered, in order of id."""
    ids = np.arange(len(answers.classes))
    columns = precision_recall_fscore_support(answers.truth, answers.predicted, labels=ids, zero_division=0)[:3]
    support = np.bincount(answers.truth, minlength=len(ids))  # scikit-learn gives floats where nothing is right
    given = np.bincount(answers.predicted[answers.answered], minlength=len(ids))
    rows = zip(answers.labels, answers.classes, *(c.tolist() for c in (*columns, support)), strict=True)
    return tuple(ClassScore(*row) for row, n in zip(rows, given, strict=True) if row[-1] or n)


def confusions(answers: ScoredPredictions) -> tuple[Confusion, ...]:
    """Count the wrong answers by truth and answer, most frequent first; pictures without an answer are in none."""
    matrix = count_matrix(answers)
    np.fill_diagonal(matrix, 0)
    truth, predicted = np.nonzero(matrix)
    counts = matrix[truth, predicted]
    order = np.argsort(-counts, kind="stable")
    label = answers.labels
    return tuple(Confusion(label[truth[i]], label[predicted[i]], int(counts[i])) for i in order)


def count_matrix(answers: ScoredPredictions) -> NDArray[np.int64]:
    """Return int64 (classes, classes): how many pictures of the row's class were read as the column's."""
    ids = np.arange(len(answers.classes))
    if not answers.answered.any():
        return np.zeros((len(ids), len(ids)), np.int64)
    matrix: NDArray[np.int64] = confusion_matrix(
        answers.truth[answers.answered], answers.predicted[answers.answered], labels=ids
    )
    return matrix


def case_folded_accuracy(answers: ScoredPredictions) -> float:
    """Return the accuracy with the probabilities of both cases of a letter summed and the truth's case ignored."""
    folded = [label.upper() for label in answers.labels]
    groups = list(dict.fromkeys(folded))
    group = np.array([groups.index(label) for label in folded])
    known = answers.probabilities.shape[1]
    matrix = (group[:known, None] == np.arange(len(groups))).astype(np.float32)
    best = (answers.probabilities @ matrix).argmax(axis=1)
    return float(((best == group[answers.truth]) & answers.answered).mean())


def calibration_bins(answers: ScoredPredictions, bins: int) -> tuple[CalibrationBin, ...]:
    """Compare confidence with accuracy in bins of equal width, as Guo et al. do in section 2 of the paper below."""
    confidence = answers.confidence[answers.answered].astype(np.float64)
    right = answers.right[answers.answered]
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(index, minlength=bins)
    sums = np.bincount(index, confidence, bins), np.bincount(index, right, bins)
    rows = zip(counts.tolist(), sums[0].tolist(), sums[1].tolist(), strict=True)
    return tuple(
        CalibrationBin(i / bins, (i + 1) / bins, n, total / n if n else None, hits / n if n else None)
        for i, (n, total, hits) in enumerate(rows)
    )


def rejection_points(
    answers: ScoredPredictions,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return threshold, share answered and accuracy of these for every threshold that changes something.

    Confidences have 4 decimals here as in predictions, so that a threshold does the same as `--min-confidence`.

    Returns:
        Three float64 arrays of one length, thresholds falling, shares rising.
    """
    confidence = np.round(answers.confidence.astype(np.float64), 4)
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence, hits = confidence[order], np.cumsum(answers.right[order])
    last = np.append(np.flatnonzero(np.diff(sorted_confidence)), len(order) - 1)  # of those that are equally sure
    return sorted_confidence[last], (last + 1) / len(order), hits[last] / (last + 1)


def rejection_curve(answers: ScoredPredictions, coverages: Sequence[float]) -> tuple[Rejection, ...]:
    """Return, for each share of pictures that is to be answered, the threshold for it and what accuracy it gives."""
    thresholds, shares, accuracies = rejection_points(answers)
    at = np.searchsorted(shares, np.asarray(coverages) - 1e-9).clip(max=len(shares) - 1)
    return tuple(
        Rejection(coverage, float(thresholds[i]), float(shares[i]), float(accuracies[i]))
        for coverage, i in zip(coverages, at, strict=True)
    )


def worst_mistakes(answers: ScoredPredictions, most: int) -> tuple[Mistake, ...]:
    """Return the wrong answers that the model was surest of, surest first."""
    wrong = np.flatnonzero(answers.answered & ~answers.right)
    worst = wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:most]
    label = answers.labels
    return tuple(
        Mistake(
            answers.names[i] if answers.names else int(i),
            label[answers.truth[i]],
            label[answers.predicted[i]],
            float(answers.confidence[i]),
        )
        for i in worst
    )
