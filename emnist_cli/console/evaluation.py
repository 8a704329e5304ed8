"""The tables that `emnist evaluate` prints for a score."""

from typing import Any, TextIO

from rich.text import Text

from emnist_cli.console.style import fit, make_console, make_table
from emnist_cli.console.tables import print_table, print_title, print_whole
from emnist_cli.core.evaluation.metric_summary import Figure, summarize_evaluation
from emnist_cli.core.records import Evaluation

_CLASSES, _CONFUSIONS = 15, 10


def print_evaluation(evaluation: Evaluation, stream: TextIO) -> None:
    """Draw the figures, the worst classes, the most frequent confusions and the rejection curve."""
    e = evaluation
    _print_summary(e, stream)
    worst = sorted(e.classes, key=lambda c: (not c.support, c.f1))[:_CLASSES]
    title = f"{len(e.classes)} classes"
    if len(worst) < len(e.classes):
        title = f"the worst {len(worst)} of {title}; --format csv has all"
    figures = ("precision", "recall", "f1", "support")
    rows = [{"label": c.label, **{k: _number(v) for k, v in zip(figures, c[2:], strict=True)}} for c in worst]
    headings = {"label": "class", **{name: name for name in figures}}
    stream.write("\n")
    print_table(rows, headings, stream, title, right=figures, labels=("label",))
    _print_confusions(e, stream)
    title = "accuracy where the least sure answers are left out"
    rejection = [
        {"answered": f"{r.answered:.1%}", "threshold": f"{r.threshold:.4f}", "accuracy": f"{r.accuracy:.2%}"}
        for r in e.rejection
    ]
    headings = {"answered": "answered", "threshold": "--min-confidence", "accuracy": "accuracy"}
    stream.write("\n")
    print_table(rejection, headings, stream, title, right=tuple(headings))


def _print_summary(e: Evaluation, stream: TextIO) -> None:
    print_title(f"{e.subject.model} on {e.count:,} pictures: {e.subject.on}", stream)
    console = make_console(stream)
    table = make_table(console, show_header=False)
    table.add_column()
    table.add_column(style="bold", justify="right")
    table.add_column()
    for row in _summary(e):
        table.add_row(*(Text(fit(cell, console)) for cell in row))
    print_whole(table, stream)


def _summary(e: Evaluation) -> list[Figure]:
    rows = summarize_evaluation(e)
    if e.failures:
        rows.append(Figure("failed", f"{len(e.failures):,}", "could not be read or have no ink; count as wrong"))
    if e.unknown:
        rows.append(Figure("unknown", f"{e.unknown:,}", "have a label the model does not know; count as wrong"))
    return rows


def _print_confusions(e: Evaluation, stream: TextIO) -> None:
    if not e.confusions:
        return
    shown = e.confusions[:_CONFUSIONS]
    of = f"the {len(shown)} most frequent of {len(e.confusions)} confusions" if len(shown) < len(e.confusions) else ""
    rows = [{"truth": c.truth, "predicted": c.predicted, "count": c.count} for c in shown]
    headings = {"truth": "class", "predicted": "read as", "count": "pictures"}
    stream.write("\n")
    print_table(rows, headings, stream, of or "confusions", right=("count",), labels=("truth", "predicted"))


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
