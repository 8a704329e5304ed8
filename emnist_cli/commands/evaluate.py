"""`emnist evaluate`: score a model on images whose characters are known."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from emnist_cli.cli.completion import offer_splits
from emnist_cli.cli.options import DataDir, FormatOption, Model, Output, Partition, Quiet, Trust
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.byte_escapes import escape_bytes
from emnist_cli.core.config import EvaluateConfig
from emnist_cli.core.errors import UsageError
from emnist_cli.core.labels import SPLITS
from emnist_cli.core.records import ClassScore, Evaluation
from emnist_cli.output.formats import Format, choose_format, notify, open_output, write_records

if TYPE_CHECKING:
    from emnist_cli.core.classify.classifier import Classifier
    from emnist_cli.core.evaluation.scoring import OnProgress, Scored

PLAIN = ("model", "count", "accuracy", "top3", "macro_f1", "ece", "case_folded", "failed", "unknown")

_FEW = 5  # so many pictures without an answer are told one by one


def evaluate(
    split: Annotated[
        str | None,
        typer.Option(
            "--split", "-s", help=f"Score on one of {', '.join(SPLITS)}.", metavar="SPLIT", autocompletion=offer_splits
        ),
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Score on the pictures of this folder.", metavar="DIR")] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="What they show: csv with columns file,label. Default: DIR/labels.csv, else DIR's sub-folders.",
            metavar="FILE",
        ),
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="Only rows of that csv with this value in a column.", metavar="COLUMN=VALUE")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            help="Score on a csv file, a label and 784 values a row; --split says what labels mean.", metavar="FILE"
        ),
    ] = None,
    transposed: Annotated[
        bool | None,
        typer.Option("--transposed/--upright", help="How images of --csv are stored; found out where you do not say."),
    ] = None,
    part: Annotated[
        Partition | None,
        typer.Option(metavar="|".join(Partition), help=f"Half of the split; default {EvaluateConfig.part}."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N pictures.")] = None,
    model: Model = DEFAULT_MODEL,
    trust: Trust = False,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with plots and the worst mistakes here.", metavar="DIR")
    ] = None,
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
                scored = _score_folder(classifier, folder, labels, where, limit, quiet, advance)
            elif csv:
                scored = _score_csv(classifier, csv, split, transposed, limit, quiet, advance)
            else:
                half = part.value if part else EvaluateConfig.part
                scored = score_split(classifier, split or _own_split(classifier), half, data_dir, limit, advance)
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


def _own_split(classifier: "Classifier") -> str:
    if classifier.split in SPLITS:
        return classifier.split
    raise UsageError(f"{classifier.name} does not say which split it is for; give --split, --folder or --csv")


def _score_folder(
    classifier: "Classifier",
    folder: Path,
    labels: Path | None,
    where: str | None,
    limit: int | None,
    quiet: bool,
    advance: "OnProgress",
) -> "Scored":
    from emnist_cli.core.evaluation.scoring import score_folder
    from emnist_cli.core.files.labelled import read_folder

    skipped: list[str] = []
    items = read_folder(folder, labels, where, classifier.classes, skipped.append)
    if skipped and not quiet:
        more = f" and {len(skipped) - 1:,} more" if len(skipped) > 1 else ""
        notify(f"skipped, no labelled picture: {skipped[0]}{more}")
    on = f"{folder}, where {where}" if where else str(folder)
    return score_folder(classifier, items[:limit], str(folder), on, advance)


def _score_csv(
    classifier: "Classifier",
    csv: Path,
    split: str | None,
    transposed: bool | None,
    limit: int | None,
    quiet: bool,
    advance: "OnProgress",
) -> "Scored":
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.evaluation.csv_layout import load_csv
    from emnist_cli.core.evaluation.scoring import score_pictures

    with Bars(quiet).count("reading rows") as read:
        loaded = load_csv(csv, split, transposed, read)
    if not quiet:
        notify(loaded.note)
    on = f"images of {escape_bytes(str(csv))}"
    return score_pictures(classifier, loaded.split, loaded.pictures, on, limit=limit, on_progress=advance)


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
