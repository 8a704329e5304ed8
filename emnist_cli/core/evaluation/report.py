"""Write an evaluation report to a folder, for `emnist evaluate --report`.

The folder holds an HTML page for people, its images, and the figures for programs. It appears completely or not at
all, and replaces nothing but an earlier report.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from emnist_cli.core.atomic_file import is_worked_in, new_folder
from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.core.evaluation.html_report import GENERATOR, html_page
from emnist_cli.core.evaluation.metrics import ScoredPredictions, count_matrix, rejection_points
from emnist_cli.core.evaluation.scoring import Scored
from emnist_cli.core.records import ClassScore, Evaluation

PAGE = "index.html"
PICTURES = ("confusion", "calibration", "rejection", "mistakes")
FILES = frozenset({PAGE, "classes.csv", "confusions.csv", "evaluation.json", *(f"{name}.png" for name in PICTURES)})
"""What a report consists of."""


def check_report_dir(folder: Path) -> None:
    """Make sure, before the work begins, that a report can be written to `folder`.

    Raises:
        UsageError: something is there that is no earlier report.
        ModuleNotFoundError: matplotlib is not installed.
    """
    import matplotlib  # noqa: F401 - to fail now rather than after the work

    received = f"expected a new folder, an empty one or an earlier report. Received: {folder}"
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--report: {received}, a file")
    if is_worked_in(folder):
        raise UsageError(f"--report: {received}, which is where you are")
    try:
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
        page = (folder / PAGE).read_text(encoding="utf-8", errors="replace")[:1000] if PAGE in names else ""
    except OSError as error:
        raise UsageError(f"--report: cannot be read: {error.strerror or error}. Received: {folder}") from None
    if names and GENERATOR not in page:
        raise UsageError(f"--report: {received}, which has other files")
    if names - FILES:
        raise UsageError(f"--report: {received}, which has another file too: {min(names - FILES)}")


def write_report(folder: Path, scored: Scored) -> None:
    """Write a report; an earlier one at the same place is replaced.

    Raises:
        UsageError: something else is there.
        OutputError: it cannot be written.
    """
    check_report_dir(folder)
    files = _files(scored)
    try:
        with new_folder(folder.resolve()) as new:
            for name, data in files.items():
                (new / name).write_bytes(data)
    except OSError as error:
        raise OutputError(f"{folder}: the report cannot be written ({error.strerror or error})") from None


def as_json(evaluation: Evaluation) -> str:
    """Return an evaluation as one JSON object that people can read, too: a line a field, or a line an item of it."""
    lines = []
    for name, value in evaluation.as_dict().items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[" + ",".join(f"\n  {json.dumps(item, ensure_ascii=False)}" for item in value) + "\n ]"
        lines.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _files(scored: Scored) -> dict[str, bytes]:
    evaluation, pictures = scored.evaluation, _pictures(scored)
    return {
        PAGE: html_page(evaluation, pictures).encode(),
        "classes.csv": _csv(ClassScore._fields, (c._asdict() for c in evaluation.classes)),
        "confusions.csv": _csv(("truth", "predicted", "count"), (asdict(c) for c in evaluation.confusions)),
        "evaluation.json": as_json(evaluation).encode(),
        **{f"{name}.png": pictures[name] for name in PICTURES},
    }


def _pictures(scored: Scored) -> dict[str, bytes]:
    from emnist_cli.core.evaluation import plots

    evaluation, answers = scored.evaluation, scored.answers
    shown = np.stack([scored.pictures[i] for i in _places(evaluation, answers)] or [np.zeros((28, 28), np.uint8)])
    title = f"{evaluation.subject.model}: {evaluation.count:,} pictures, {evaluation.accuracy:.2%} right"
    return {
        "confusion": plots.confusion_plot(count_matrix(answers), answers.labels, title),
        "calibration": plots.calibration_plot(evaluation.calibration, evaluation.ece),
        "rejection": plots.rejection_plot(rejection_points(answers), evaluation.rejection),
        "mistakes": plots.contact_sheet(shown[: len(evaluation.mistakes)], evaluation.mistakes),
    }


def _places(evaluation: Evaluation, answers: ScoredPredictions) -> list[int]:
    """Where the mistakes' pictures are."""
    where = {name: i for i, name in enumerate(answers.names)}
    return [where[m.picture] if isinstance(m.picture, str) else m.picture for m in evaluation.mistakes]


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(f"{v:.4f}" if isinstance(v, float) else v for v in row.values())
    return text.getvalue().encode()
