"""`emnist data download`, `emnist data import` and `emnist data export`."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from emnist_cli.cli.completion import offer_splits
from emnist_cli.cli.options import DataDir, Quiet
from emnist_cli.core.errors import UsageError
from emnist_cli.core.labels import find_split
from emnist_cli.output.formats import notify

Splits = Annotated[
    list[str] | None,
    typer.Option(
        "--split",
        "-s",
        metavar="SPLIT",
        autocompletion=offer_splits,
        help="Only this split; may be given several times.",
    ),
]


class ExportFormat(StrEnum):
    """What `data export --as` takes."""

    IDX = "idx"
    CSV = "csv"
    NPZ = "npz"
    PNG = "png"


def download(
    split: Splits = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="A mirror of NIST's gzip.zip.")] = None,
    sha256: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="Expected of the file, else NIST's; 'none' accepts another archive."),
    ] = None,
    data_dir: DataDir = None,
    quiet: Quiet = False,
) -> None:
    """Download EMNIST (562 MB) from NIST and prepare its splits.

    An interrupted download goes on where it stopped. One archive holds all
    six splits; without --split each is prepared. If NIST cannot be reached,
    use a mirror, or any copy of the files with: emnist data import
    """
    wanted = [find_split(name).name for name in split or ()]
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.data import dataset
    from emnist_cli.core.data.download import SHA256, URL, download_file

    expected = SHA256 if sha256 is None else _parse_checksum(sha256)
    folder = dataset.data_folder(data_dir)
    archive = dataset.archive_path(folder)

    def note(text: str) -> None:
        if not quiet:
            notify(text)

    with Bars(quiet).download("downloading EMNIST") as advance:
        download_file(url or URL, archive, sha256=expected, on_progress=advance, on_note=note)
    _import(archive, wanted, folder, quiet)


def import_(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file or folder of EMNIST's pictures.")],
    split: Splits = None,
    data_dir: DataDir = None,
    quiet: Quiet = False,
) -> None:
    """Prepare EMNIST from files that you have.

    PATH may be NIST's gzip.zip, or its matlab.zip or a .mat file of it; a
    folder of IDX files, with or without .gz, such as torchvision's
    EMNIST/raw; or the csv files of Kaggle's crawford/emnist, or their zip.
    """
    wanted = [find_split(name).name for name in split or ()]
    from emnist_cli.core.data import dataset

    _import(path, wanted, dataset.data_folder(data_dir), quiet)


def export(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; must not be there yet.")],
    split: Annotated[
        str, typer.Option("--split", "-s", metavar="SPLIT", autocompletion=offer_splits, help="What to export.")
    ],
    form: Annotated[ExportFormat, typer.Option("--as", metavar="|".join(ExportFormat), help="Kind of files.")],
    data_dir: DataDir = None,
    quiet: Quiet = False,
) -> None:
    """Write a prepared split as files for other programs.

    idx and csv are as NIST and Kaggle publish them: pictures transposed,
    letters counted from 1. npz and png are upright, class ids counted from
    0; png makes one folder a class, which evaluate --folder and train
    --folder read.
    """
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.data import dataset
    from emnist_cli.core.data.export import export_split

    folder = dataset.data_folder(data_dir)
    with Bars(quiet).count(f"writing {split}") as advance:
        export_split(split, form.value, path, folder, advance)
    if not quiet:
        notify(f"{split} written to {path}")


def _parse_checksum(text: str) -> str | None:
    if text == "none":
        return None
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise UsageError(f"--sha256: expected 64 hexadecimal digits, or none. Received: {text!r}")
    return text.lower()


def _import(path: Path, wanted: list[str], folder: Path, quiet: bool) -> None:
    from emnist_cli.console.progress import Bars
    from emnist_cli.core.data import cache, dataset

    with Bars(quiet).count("preparing") as advance:
        splits = dataset.import_splits(path, wanted, folder, lambda split, done, total: advance(done, total))
    for split in splits if not quiet else ():
        record = cache.read_record(dataset.cache_folder(folder, split))
        if record is not None:
            told = "" if record.as_published else "; the published EMNIST has other counts"
            notify(f"{split}: {record.counts['train']:,} training and {record.counts['test']:,} test pictures{told}")
    if not quiet:
        notify(f"ready in {folder}; train with: emnist train --split {splits[0]}")
