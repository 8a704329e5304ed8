"""Render the HTML page of an evaluation report, for `report`.

The page is one file that contains its images and styles and needs no network.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from emnist_cli.core.evaluation.metric_summary import summarize_evaluation
from emnist_cli.core.records import Evaluation

GENERATOR = '<meta name="generator" content="emnist evaluate">'
"""Stands near the head of every page, by which an earlier report is recognized."""

_TEMPLATE = Path(__file__).with_name("report.html")
_MOST = 40  # rows of a long table; the csv files have all
_TEXT = {"label", "characters", "is", "read as", "picture", "file", "why"}


def html_page(evaluation: Evaluation, pictures: Mapping[str, bytes]) -> str:
    """Return the page.

    Args:
        evaluation: the figures.
        pictures: name -> PNG: confusion, calibration, rejection and mistakes.
    """
    e = evaluation
    alt = {
        "confusion": f"Confusion matrix. Most frequent: {_first_confusions(e)}.",
        "calibration": f"Accuracy against confidence in {len(e.calibration)} bins; expected error {e.ece:.4f}.",
        "rejection": "Accuracy against the share of pictures answered; the table below has its points.",
        "mistakes": f"The {len(e.mistakes)} wrong answers with the highest confidence; the table below lists them.",
    }
    places = {f"{name}_picture": _image(data, alt[name]) for name, data in pictures.items()}
    places |= {"title": escape(f"{e.subject.model}: {e.accuracy:.2%} right"), "figures": _figures(e)}
    places |= {"subtitle": escape(f"{e.count:,} pictures: {e.subject.on}"), "notes": _notes(e)}
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(places | _tables(e))


def _figures(e: Evaluation) -> str:
    return "".join(
        f"<div><dt>{f.name}</dt><dd>{f.value}<small>{f.about}</small></dd></div>" for f in summarize_evaluation(e)
    )


def _notes(e: Evaluation) -> str:
    notes = []
    if e.failures:
        notes.append(f"{len(e.failures):,} pictures could not be read or have no ink; they count as wrong.")
    if e.unknown:
        notes.append(f"{e.unknown:,} pictures have a label that no class of the model has; they count as wrong.")
    return "".join(f"<p>{note}</p>" for note in notes)


def _tables(e: Evaluation) -> dict[str, str]:
    """Every table of the page by its place in the template."""
    worst = [c._asdict() for c in sorted(e.classes, key=lambda c: (not c.support, c.f1))]
    if all(c.characters == c.label for c in e.classes):
        worst = [{name: value for name, value in row.items() if name != "characters"} for row in worst]
    failures = [{"file": f.path, "why": f.error} for f in e.failures[:_MOST]]
    return {
        "class_table": _table(f"{len(worst)} classes, the worst first", worst),
        "confusion_table": _table(
            _of(min(20, len(e.confusions)), len(e.confusions), "confusions"),
            [{"is": c.truth, "read as": c.predicted, "pictures": c.count} for c in e.confusions[:20]],
        ),
        "mistake_table": _table(
            f"The {len(e.mistakes)} surest wrong answers; a picture is its path, or its place in the split from 0",
            [
                {"is": m.truth, "read as": m.predicted, "confidence": f"{m.confidence:.2%}", "picture": str(m.picture)}
                for m in e.mistakes
            ],
        ),
        "rejection_table": _table(
            "Accuracy of the answers that are at least so sure; --min-confidence takes the threshold",
            [
                {"answered": f"{r.answered:.1%}", "threshold": f"{r.threshold:.4f}", "accuracy": f"{r.accuracy:.2%}"}
                for r in e.rejection
            ],
        ),
        "failures": "<h2>Pictures without an answer</h2><div class='scroll'>"
        + _table(_of(len(failures), len(e.failures), "pictures"), failures)
        + "</div>"
        if failures
        else "",
    }


def _of(shown: int, total: int, what: str) -> str:
    return f"{total:,} {what}" if shown == total else f"{shown:,} of {total:,} {what}; evaluation.json has all"


def _table(caption: str, rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return f"<p class='soft'>{escape(caption)}</p>"
    heads = "".join(f'<th scope="col"{_class(name)}>{escape(name)}</th>' for name in rows[0])
    body = "".join(f"<tr>{_cells(row.items())}</tr>\n" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>\n{body}</tbody></table>"


def _cells(items: Iterable[tuple[str, Any]]) -> str:
    return "".join(f"<td{_class(name, cell=True)}>{escape(_text(value))}</td>" for name, value in items)


def _class(name: str, cell: bool = False) -> str:
    if name not in _TEXT:
        return ""
    return f' class="{"label" if cell and name not in {"file", "why"} else "text"}"'


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _first_confusions(e: Evaluation) -> str:
    return ", ".join(f"{c.truth} read as {c.predicted} {c.count} times" for c in e.confusions[:5]) or "none"


def _image(png: bytes, alt: str) -> str:
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
