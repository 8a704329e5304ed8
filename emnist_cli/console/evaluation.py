"""The tables of a score."""

from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from emnist_cli.console.tables import make_console, print_table, print_whole
from emnist_cli.core.evaluation.summary import Figure, summarize
from emnist_cli.core.records import Evaluation
from emnist_cli.output import one_line

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
    print_table(rows, {"label": "class", **{name: name for name in figures}}, stream, title, right=figures)
    _print_confusions(e, stream)
    title = "accuracy where the least sure answers are left out"
    rejection = [
        {"answered": f"{r.answered:.1%}", "threshold": f"{r.threshold:.4f}", "accuracy": f"{r.accuracy:.2%}"}
        for r in e.rejection
    ]
    headings = {"answered": "answered", "threshold": "--min-confidence", "accuracy": "accuracy"}
    print_table(rejection, headings, stream, title, right=tuple(headings))


def _print_summary(e: Evaluation, stream: TextIO) -> None:
    console = make_console(stream)
    title = one_line(f"{e.subject.model} on {e.count:,} pictures: {e.subject.on}")
    console.print(Text(title, style="bold"), soft_wrap=not console.is_terminal)
    table = Table(box=SIMPLE_HEAD, show_header=False)
    for style in ("", "bold", "dim"):
        table.add_column(style=style)
    for row in _summary(e):
        table.add_row(*row)
    print_whole(table, stream)


def _summary(e: Evaluation) -> list[Figure]:
    rows = summarize(e)
    if e.failures:
        rows.append(Figure("failed", f"{len(e.failures):,}", "could not be read or have no ink; count as wrong"))
    if e.unknown:
        rows.append(Figure("unknown", f"{e.unknown:,}", "have a label the model does not know; count as wrong"))
    return rows


def _print_confusions(e: Evaluation, stream: TextIO) -> None:
    if not e.confusions:
        return
    console = make_console(stream)
    shown = e.confusions[:_CONFUSIONS]
    of = f"the {len(shown)} most frequent of {len(e.confusions)} confusions" if len(shown) < len(e.confusions) else ""
    console.print(Text(of or "confusions", style="bold"), end="\n\n")
    for c in shown:
        console.print(Text(f"  {one_line(c.truth)} read as {one_line(c.predicted)}: {c.count:,}"), soft_wrap=True)
    console.print()


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
