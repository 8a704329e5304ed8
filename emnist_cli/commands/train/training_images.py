"""Load the training images of `emnist train`: a split of EMNIST, a labelled folder or a csv file."""

from pathlib import Path
from typing import TYPE_CHECKING

from emnist_cli.output.formats import notify

if TYPE_CHECKING:
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.bundle import Bundle
    from emnist_cli.core.training.training_data import TrainingData


def find_pictures(
    split: str | None,
    folder: Path | None,
    labels: Path | None,
    base: "Bundle | None",
    data_dir: Path | None,
    archive: Path | None,
    quiet: bool,
) -> "TrainingData":
    """Read what to train on, with a bar on stderr; a split that is not there is got first."""
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.data import dataset
    from emnist_cli.core.training import training_data

    bars = Bars(quiet)
    if folder is not None or split is None:
        return _read_folder(folder or Path(), labels, base, bars, quiet)
    place = dataset.data_folder(data_dir)

    def note(text: str) -> None:
        if not quiet:
            notify(text)

    with bars.count(f"preparing {split}") as prepare, bars.download("downloading EMNIST") as fetch:
        dataset.provide(split, place, archive, lambda name, done, total: prepare(done, total), fetch, note)
    return training_data.from_split(split, place)


def _read_folder(folder: Path, labels: Path | None, base: "Bundle | None", bars: "Bars", quiet: bool) -> "TrainingData":
    from emnist_cli.core.files.labelled import read_folder
    from emnist_cli.core.training import training_data

    known = base.manifest.classes if base and base.manifest else ()
    items = read_folder(folder, labels, names=known)
    failures: list[str] = []
    with bars.count("reading pictures") as update:
        seen = 0

        def advance() -> None:
            nonlocal seen
            seen += 1
            update(seen, len(items))

        found = training_data.from_folder(
            folder, items, known, advance, lambda path, why: failures.append(f"{path}: {why}")
        )
    if failures and not quiet:
        more = f", and {len(failures) - 1:,} more" if len(failures) > 1 else ""
        notify(f"left out {failures[0]}{more}")
    return found


def find_csv(csv: Path, split: str | None, transposed: bool | None, quiet: bool) -> "TrainingData":
    """Read a csv file to train on, with a bar on stderr, and say how it is laid out."""
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.evaluation.csv_layout import load_csv
    from emnist_cli.core.training import training_data

    with Bars(quiet).count("reading rows") as update:
        loaded = load_csv(csv, split, transposed, update)
    if not quiet:
        notify(loaded.note)
    return training_data.from_csv(csv, loaded)
