"""Draw the plots of an evaluation report, for `report`; each function returns a PNG.

The plots are the confusion matrix, the calibration, the rejection curve, and a contact sheet of the worst mistakes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.evaluation.figures import figure_to_png, make_figure
from emnist_cli.core.records import CalibrationBin, Mistake, Rejection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHEET_COLUMNS = 8
SHEET_CELL = (1.3, 1.55)
"""Inches of one picture of the contact sheet, with its caption."""

_MONO = "DejaVu Sans Mono"  # comes with matplotlib and tells 0 from O, 1 from l
_RIGHT, _WRONG, _QUIET = "#1f6fb2", "#c2410c", "#8a8f98"
_WRITTEN_IN = 30  # with more classes than this, numbers in every cell could not be read
_NOTEWORTHY = 0.05


def confusion_plot(counts: NDArray[np.int64], labels: Sequence[str], title: str) -> bytes:
    """Draw a confusion matrix, each row as shares of its class; classes that do not occur are left out.

    Args:
        counts: int64 (n, n), rows are the truth and columns the answers.
        labels: of the n classes.
        title: drawn above.
    """
    rows, columns = np.flatnonzero(counts.any(axis=1)), np.flatnonzero(counts.any(axis=0))
    counts = counts[np.ix_(rows, columns)]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    width, height = (min(13.5, max(4.5, 0.185 * n + 1.9)) for n in reversed(counts.shape))
    figure = make_figure((width, height), title)
    axes = figure.subplots()
    # The square root lifts rare confusions out of the white without hiding which are frequent.
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for side, ids in ((axes.xaxis, columns), (axes.yaxis, rows)):
        side.set_ticks(range(len(ids)), [labels[i] for i in ids.tolist()], family=_MONO, fontsize=9, parse_math=False)
    axes.tick_params(top=True, labeltop=True, length=2)
    axes.set(xlabel="read as", ylabel="is")
    axes.set_xticks(np.arange(len(columns)) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows)) - 0.5, minor=True)
    axes.grid(which="minor", color="#d9dce1", linewidth=0.4)
    axes.tick_params(which="minor", length=0)
    few = max(counts.shape) <= _WRITTEN_IN
    _write_cells(axes, counts, shares, few)
    wording = "pictures" if few else f"percent of the row, from {_NOTEWORTHY:.0%}"
    figure.supxlabel(f"numbers: {wording}; shade: share of the row", fontsize=8, color=_QUIET)
    return figure_to_png(figure)


def _write_cells(axes: "Axes", counts: NDArray[np.int64], shares: NDArray[np.float64], few: bool) -> None:
    shown = counts > 0 if few else shares >= _NOTEWORTHY
    for row, column in np.argwhere(shown):
        share = shares[row, column]
        text = str(counts[row, column]) if few else f"{100 * share:.0f}"
        colour = "white" if share > 0.3 else "#20242b"
        axes.text(column, row, text, ha="center", va="center", fontsize=7 if few else 6, color=colour)


def calibration_plot(bins: Sequence[CalibrationBin], ece: float) -> bytes:
    """Draw a reliability diagram (Guo et al., ICML 2017, figure 1) above how many answers each bin holds."""
    figure = make_figure((5.5, 6), f"Calibration: expected error {ece:.4f}")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    middle = np.array([(b.low + b.high) / 2 for b in bins])
    width = bins[0].high - bins[0].low
    accuracy = np.array([np.nan if b.accuracy is None else b.accuracy for b in bins])
    confidence = np.array([np.nan if b.confidence is None else b.confidence for b in bins])
    upper.bar(middle, accuracy, width * 0.94, color=_RIGHT, label="accuracy")
    upper.plot(confidence, confidence, "_", color=_WRONG, markersize=16, markeredgewidth=2.5, label="mean confidence")
    upper.plot([0, 1], [0, 1], "--", color=_QUIET, linewidth=1, label="perfectly calibrated")
    upper.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02))
    upper.legend(loc="upper left", fontsize="small")
    lower.bar(middle, [b.count for b in bins], width * 0.94, color=_QUIET)
    lower.set(xlabel="confidence", ylabel="pictures", yscale="symlog", ylim=(0, None))
    for axes in (upper, lower):
        axes.grid(axis="y", alpha=0.3)
    return figure_to_png(figure)


def rejection_plot(
    curve: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], points: Sequence[Rejection]
) -> bytes:
    """Draw accuracy against coverage.

    Args:
        curve: thresholds, shares answered and accuracies, as `metrics.rejection_points` gives them.
        points: that are marked, each with its threshold.
    """
    _, shares, accuracies = curve
    figure = make_figure((6.5, 4.5), "Accuracy where the least sure answers are left out")
    axes = figure.subplots()
    axes.plot(shares, accuracies, color=_RIGHT, linewidth=1.8)
    low = min(point.accuracy for point in points)
    span = max(1 - low, 0.004)
    bottom = low - 0.45 * span
    for point in {p.answered: p for p in points}.values():
        axes.plot([point.answered] * 2, [bottom, point.accuracy], ":", color=_QUIET, linewidth=1)
        axes.plot(point.answered, point.accuracy, "o", color=_RIGHT, markersize=5)
        place = (point.answered - 0.004, bottom + 0.03 * span)
        axes.text(*place, f"{point.threshold:.4f}", rotation=90, ha="right", va="bottom", fontsize=8)
    axes.set(xlabel="share of the pictures that is answered", ylabel="accuracy of these answers")
    axes.set(xlim=(0, 1.03), ylim=(bottom, 1 + 0.05 * span))
    axes.xaxis.set_major_formatter(lambda value, place: f"{value:.0%}")
    axes.yaxis.set_major_formatter(lambda value, place: f"{value:.1%}" if value <= 1 else "")
    axes.grid(alpha=0.3)
    figure.supxlabel("upright: the least confidence that is accepted", fontsize=8, color=_QUIET)
    return figure_to_png(figure)


def contact_sheet(pictures: NDArray[np.uint8], mistakes: Sequence[Mistake]) -> bytes:
    """Draw the worst mistakes, each picture with its truth, the answer and the confidence.

    Args:
        pictures: uint8 (n, 28, 28), one for each mistake.
        mistakes: n of them; 0 give a sheet that says so.
    """
    rows = max(1, -(-len(mistakes) // SHEET_COLUMNS))
    width, height = SHEET_COLUMNS * SHEET_CELL[0], rows * SHEET_CELL[1] + 0.5
    title = "The wrong answers it was surest of: is → read as, confidence" if mistakes else "No mistakes"
    figure = make_figure((width, height), title, layout=None)
    axes = figure.add_axes((0.0, 0.0, 1.0, rows * SHEET_CELL[1] / height))
    axes.set(xlim=(0, SHEET_COLUMNS), ylim=(rows, 0))
    axes.axis("off")
    for number, (picture, mistake) in enumerate(zip(pictures, mistakes, strict=True)):
        row, column = divmod(number, SHEET_COLUMNS)
        box = (column + 0.08, column + 0.92, row + 0.76, row + 0.06)
        # Ink dark on paper here, as people see it; the network has it the other way round.
        axes.imshow(picture, cmap="Grays", vmin=0, vmax=255, extent=box, aspect="auto", interpolation="nearest")
        axes.plot(np.take(box, [0, 1, 1, 0, 0]), np.take(box, [2, 2, 3, 3, 2]), color="#c3c7ce", linewidth=0.8)
        style = {"va": "top", "parse_math": False, "fontsize": 11, "family": _MONO}
        axes.text(column + 0.08, row + 0.79, f"{mistake.truth} → {mistake.predicted}", weight="bold", **style)  # type: ignore[arg-type]
        style |= {"fontsize": 8, "ha": "right"}
        axes.text(column + 0.92, row + 0.81, f"{mistake.confidence:.1%}", color=_WRONG, **style)  # type: ignore[arg-type]
    axes.set(xlim=(0, SHEET_COLUMNS), ylim=(rows, 0))
    return figure_to_png(figure)
