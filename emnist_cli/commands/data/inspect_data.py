"""`emnist data info`, `emnist data show` and `emnist data verify`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from emnist_cli.cli.completion import offer_splits
from emnist_cli.cli.options import DataDir, FormatOption, Output, Partition
from emnist_cli.core.errors import ExitCode
from emnist_cli.core.labels import find_split
from emnist_cli.output.formats import Format, choose_format, open_output, write_records

INFO = {
    "split": "split",
    "train": "training",
    "test": "test",
    "classes": "classes",
    "state": "state",
    "checksum": "checksum",
    "source": "source",
}
CLASSES = {"id": "id", "label": "label", "characters": "characters", "train": "training", "test": "test"}
CHECKS = {"split": "split", "checked": "checked", "state": "state", "detail": "detail"}


def info(
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            "-s",
            metavar="SPLIT",
            autocompletion=offer_splits,
            help="Count the pictures of each of its classes.",
        ),
    ] = None,
    data_dir: DataDir = None,
    form: FormatOption = None,
    output: Output = None,
) -> None:
    """List what is there: pictures of each split, where from, and whether that is what NIST published."""
    from emnist_cli.core.data import dataset, inventory

    folder = dataset.data_folder(data_dir)
    if split is None:
        _print(
            inventory.summarize_data(folder), INFO, ["split", "train", "test", "state"], form, output, f"in {folder}"
        )
    else:
        records = inventory.count_classes(find_split(split).name, folder)
        _print(records, CLASSES, ["label", "train", "test"], form, output, dataset.describe_split(split, folder))


def verify(data_dir: DataDir = None, form: FormatOption = None, output: Output = None) -> None:
    """Check every file that is there against its checksum. The exit code is 5 if one is damaged."""
    from emnist_cli.core.data import dataset, inventory

    folder = dataset.data_folder(data_dir)
    checks = inventory.verify_data(folder)
    _print(checks, CHECKS, list(CHECKS), form, output, f"in {folder}")
    if any(check["state"] == inventory.DAMAGED for check in checks):
        raise typer.Exit(ExitCode.DATA)


def show(
    split: Annotated[
        str, typer.Option("--split", "-s", metavar="SPLIT", autocompletion=offer_splits, help="Which pictures.")
    ],
    label: Annotated[str | None, typer.Option(metavar="LABEL", help="Only those of this class.")] = None,
    part: Annotated[Partition, typer.Option(metavar="|".join(Partition), help="Which half.")] = Partition.TRAIN,
    count: Annotated[int | None, typer.Option(min=1, max=2000, metavar="N", help="How many.")] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Another number shows others.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.png", help="Draw a picture; else in the terminal.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Show pictures of a split with their labels, every class in turn."""
    from emnist_cli.core.data import dataset, gallery

    folder = dataset.data_folder(data_dir)
    chosen = gallery.choose_gallery(split, part.value, label, count or (100 if output else 15), seed, folder)
    if output is not None:
        gallery.draw_gallery(chosen, output)
        return
    from emnist_cli.console.terminal_images import print_pictures

    with open_output(None) as stream:
        print_pictures(chosen, stream)


def _print(
    records: list[dict[str, Any]],
    columns: dict[str, str],
    plain: list[str],
    form: Format | None,
    output: Path | None,
    title: str,
) -> None:
    chosen = choose_format(form, output)
    with open_output(output) as stream:
        if chosen is not Format.TABLE:
            write_records(records, chosen, stream, list(columns), plain)
            return
        from emnist_cli.console.tables import print_table

        numbers = ("id", "train", "test", "classes")
        wrap = ("state", "source", "detail")
        print_table(records, columns, stream, title, numbers, wrap, labels=("label",), characters=("characters",))
