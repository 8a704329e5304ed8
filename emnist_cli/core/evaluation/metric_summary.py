"""Summarize the figures of a score in words, for the terminal and for the report."""

from typing import NamedTuple

from emnist_cli.core.records import Evaluation


class Figure(NamedTuple):
    """A figure: what it is called, its value, and what that means."""

    name: str
    value: str
    about: str


def summarize_evaluation(e: Evaluation) -> list[Figure]:
    """Return the figures that everybody wants to see first."""
    low, high = e.accuracy_interval
    return [
        Figure("accuracy", f"{e.accuracy:.2%}", f"{low:.2%} to {high:.2%} with 95% probability"),
        Figure("top 3", f"{e.top3:.2%}", "right answer among the three most probable"),
        Figure("macro F1", f"{e.macro_f1:.4f}", "mean over classes"),
        Figure("calibration error", f"{e.ece:.4f}", "mean distance of confidence and accuracy"),
        Figure("case folded", f"{e.case_folded:.2%}", "accuracy with a and A as one"),
    ]
