"""Write the history of a training run as history.csv and curves.png, for the bundle."""

import csv
import io
from collections.abc import Sequence

from emnist_cli.core.evaluation.figures import figure_to_png as figure_to_png
from emnist_cli.core.evaluation.figures import make_figure
from emnist_cli.core.records import Epoch


def history_to_csv(history: Sequence[Epoch]) -> bytes:
    """Return the history as a csv file, one row an epoch."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Epoch._fields)
    for epoch in history:
        writer.writerow("" if value is None else _rounded(value) for value in epoch)
    return text.getvalue().encode()


def history_to_png(history: Sequence[Epoch], title: str) -> bytes:
    """Draw loss and accuracy over the epochs, training and held-out pictures in one plot each."""
    figure = make_figure((9, 3.6), title)
    epochs = [e.epoch for e in history]
    for axes, name, held in zip(figure.subplots(1, 2), ("loss", "accuracy"), ("val_loss", "val_accuracy"), strict=True):
        axes.plot(epochs, [getattr(e, name) for e in history], "o-", markersize=3, label="training, as augmented")
        if history[0].val_loss is not None:
            axes.plot(epochs, [getattr(e, held) for e in history], "s-", markersize=3, label="held out")
            best = max(e.epoch for e in history if e.best)
            axes.axvline(best, color="gray", linestyle=":", label=f"best epoch: {best}")
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    return figure_to_png(figure)


def _rounded(value: float | int | bool) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
