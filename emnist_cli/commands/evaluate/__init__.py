"""`emnist evaluate`: score a model on images whose characters are known."""

import json
from pathlib import Path
from typing import TextIO

from emnist_cli.cli.options import DataDir, FormatOption, Model, Output, Partition, Quiet, Trust
from emnist_cli.commands.evaluate.options import (
    Csv,
    Folder,
    Labels,
    Limit,
    Part,
    Report,
    Split,
    Transposed,
    Where,
)
from emnist_cli.commands.evaluate.score import own_split, score_labelled_csv, score_labelled_folder
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.config import EvaluateConfig
from emnist_cli.core.errors import UsageError
from emnist_cli.core.records import ClassScore, Evaluation
from emnist_cli.output.formats import Format, choose_format, notify, open_output, write_records

PLAIN = ("model", "count", "accuracy", "top3", "macro_f1", "ece", "case_folded", "failed", "unknown")

_FEW = 5  # images without an answer that are reported one by one


def evaluate(
    split: Split = None,
    folder: Folder = None,
    labels: Labels = None,
    where: Where = None,
    csv: Csv = None,
    transposed: Transposed = None,
    part: Part = None,
    limit: Limit = None,
    model: Model = DEFAULT_MODEL,
    trust: Trust = False,
    report: Report = None,
    data_dir: DataDir = None,
    form: FormatOption = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Score a model on a split of EMNIST, a folder of pictures or a csv file.

    Without --split, --folder and --csv, on the split that the model was
    trained for.
    """
    _check(split, folder, labels, where, part)
    _check_csv(csv, folder, part, transposed)
    _check_places(report, output)
    chosen = choose_format(form, output)
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.classify.classifier import Classifier
    from emnist_cli.core.evaluation import report as reports
    from emnist_cli.core.evaluation.scoring import score_split

    if report:
        reports.check_report_dir(report)
    classifier = Classifier(model, trust=trust)
    with open_output(output) as stream:
        with Bars(quiet).count("scoring") as advance:
            if folder:
                scored = score_labelled_folder(classifier, folder, labels, where, limit, quiet, advance)
            elif csv:
                scored = score_labelled_csv(classifier, csv, split, transposed, limit, quiet, advance)
            else:
                half = part.value if part else EvaluateConfig.part
                scored = score_split(classifier, split or own_split(classifier), half, data_dir, limit, advance)
        if report:
            reports.write_report(report, scored)
        _print(scored.evaluation, chosen, stream)
    _tell(scored.evaluation, report, quiet)


def _check_places(report: Path | None, output: Path | None) -> None:
    if report and output and report.resolve() in (output.resolve(), *output.resolve().parents):
        raise UsageError(
            f"--output: expected a file outside of the report, which is replaced whole. Received: {output}"
        )


def _check(
    split: str | None, folder: Path | None, labels: Path | None, where: str | None, part: Partition | None
) -> None:
    """Refuse options that contradict each other."""
    if folder and split:
        raise UsageError("--split and --folder: expected one of them, not both")
    if folder and part:
        raise UsageError("--part: belongs to a split; rows of a folder's table are chosen with --where COLUMN=VALUE")
    if not folder and (labels or where):
        raise UsageError(f"{'--labels' if labels else '--where'}: belongs to --folder, which is not given")


def _check_csv(csv: Path | None, folder: Path | None, part: Partition | None, transposed: bool | None) -> None:
    if csv and folder:
        raise UsageError("--csv and --folder: expected one of them, not both")
    if csv and part:
        raise UsageError("--part: belongs to a split of EMNIST; of a csv file every row is scored")
    if transposed is not None and not csv:
        raise UsageError(f"--{'transposed' if transposed else 'upright'}: belongs to --csv, which is not given")


def _print(evaluation: Evaluation, form: Format | None, stream: TextIO) -> None:
    record = evaluation.as_dict()
    if form is Format.TABLE:
        from emnist_cli.console.evaluation import print_evaluation

        print_evaluation(evaluation, stream)
    elif form is Format.JSON:
        from emnist_cli.core.evaluation.report import as_json

        stream.write(as_json(evaluation))
    elif form is Format.JSONL:
        stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    elif form is Format.CSV:
        write_records(record["classes"], form, stream, ClassScore._fields, ())
    else:
        write_records(
            ({"name": name, "value": record[name]} for name in PLAIN),
            None,
            stream,
            ["name", "value"],
            ["name", "value"],
        )


def _tell(evaluation: Evaluation, report: Path | None, quiet: bool) -> None:
    failures = evaluation.failures
    for failure in failures[:_FEW]:
        notify(f"{failure.path}: {failure.error}")
    if failures:
        notify(f"{len(failures):,} of {evaluation.count:,} pictures got no answer and count as wrong")
    if evaluation.unknown and not quiet:
        notify(f"{evaluation.unknown:,} pictures have a label that no class of the model has; they count as wrong")
    if report and not quiet:
        notify(f"the report is in {report}")
