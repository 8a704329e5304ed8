"""Read the images that `emnist evaluate` scores a model on, and score it."""

from pathlib import Path
from typing import TYPE_CHECKING

from emnist_cli.core.byte_escapes import escape_bytes
from emnist_cli.core.errors import UsageError
from emnist_cli.core.labels import SPLITS
from emnist_cli.output.formats import notify

if TYPE_CHECKING:
    from emnist_cli.core.classify.classifier import Classifier
    from emnist_cli.core.evaluation.scoring import OnProgress, Scored


def own_split(classifier: "Classifier") -> str:
    """Return the split that a model was trained for.

    Raises:
        UsageError: it does not say which.
    """
    if classifier.split in SPLITS:
        return classifier.split
    raise UsageError(f"{classifier.name} does not say which split it is for; give --split, --folder or --csv")


def score_labelled_folder(
    classifier: "Classifier",
    folder: Path,
    labels: Path | None,
    where: str | None,
    limit: int | None,
    quiet: bool,
    advance: "OnProgress",
) -> "Scored":
    """Score a model on the labelled images of a folder; see `labelled.read_folder`."""
    from emnist_cli.core.evaluation.scoring import score_folder
    from emnist_cli.core.files.labelled import read_folder

    skipped: list[str] = []
    items = read_folder(folder, labels, where, classifier.classes, skipped.append)
    if skipped and not quiet:
        more = f" and {len(skipped) - 1:,} more" if len(skipped) > 1 else ""
        notify(f"skipped, no labelled picture: {skipped[0]}{more}")
    on = f"{folder}, where {where}" if where else str(folder)
    return score_folder(classifier, items[:limit], str(folder), on, advance)


def score_labelled_csv(
    classifier: "Classifier",
    csv: Path,
    split: str | None,
    transposed: bool | None,
    limit: int | None,
    quiet: bool,
    advance: "OnProgress",
) -> "Scored":
    """Score a model on the rows of a csv file; see `csv_layout.load_csv`."""
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.evaluation.csv_layout import load_csv
    from emnist_cli.core.evaluation.scoring import score_pictures

    with Bars(quiet).count("reading rows") as read:
        loaded = load_csv(csv, split, transposed, read)
    if not quiet:
        notify(loaded.note)
    on = f"images of {escape_bytes(str(csv))}"
    return score_pictures(classifier, loaded.split, loaded.pictures, on, limit=limit, on_progress=advance)
