"""`emnist models import`: turn a Keras model of another project into one that every command takes by name."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from emnist_cli.cli.completion import offer, offer_splits
from emnist_cli.cli.options import FormatOption, Quiet, Trust
from emnist_cli.core.config import PIXEL_RANGES
from emnist_cli.output.formats import Format, choose_format, notify, open_output, write_records

if TYPE_CHECKING:
    from emnist_cli.core.model_export.output_dir import OutputDir
    from emnist_cli.core.model_import.import_spec import ImportSpec
    from emnist_cli.core.model_import.importer import Imported

COLUMNS = ("name", "split", "classes", "bytes", "largest_difference", "drawn_accuracy", "folder")
SHOWN = {
    "name": "name",
    "split": "split",
    "classes": "classes",
    "size": "size",
    "largest_difference": "largest difference",
    "drawn_accuracy": "reads of a font",
}


def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The .h5 or .keras file, or the SavedModel's folder.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What --model calls it; else as the file is called.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Bundle folder to write; else NAME in your models folder."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")] = False,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What each output stands for: csv, mapping.txt, json, or a character a line."
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split", "-s", metavar="SPLIT", autocompletion=offer_splits, help="EMNIST split whose classes it has."
        ),
    ] = None,
    transposed: Annotated[
        bool, typer.Option("--transposed", help="It was trained on EMNIST's pictures as they are stored.")
    ] = False,
    inverted: Annotated[bool, typer.Option("--inverted", help="It was trained on black ink on white.")] = False,
    pixels: Annotated[
        str,
        typer.Option(
            metavar="|".join(PIXEL_RANGES),
            autocompletion=offer(PIXEL_RANGES),
            help="Pixel values that it was trained on.",
        ),
    ] = PIXEL_RANGES[0],
    trust: Trust = False,
    form: FormatOption = None,
    quiet: Quiet = False,
) -> None:
    """Make a Keras model of another project one that --model knows by name.

    It may take 28x28 pictures in any of the usual forms, or other sizes,
    and have 62, 47, 26 or 10 outputs as EMNIST's splits, 27 or 37 as
    networks for letters have, 36 for digits and capitals, or any number
    with --labels. Python code in a .keras or .h5 file is refused and never
    run. A SavedModel is a program, whose graph can run code and write
    files: it is refused without --trust. What is written is compared with
    the Keras model, and tried on drawn characters, which shows whether
    pictures go in as it was trained on them.
    """
    chosen = choose_format(form)
    from emnist_cli.core.model_export import output_dir
    from emnist_cli.core.model_import import import_spec

    plan = import_spec.make_import_spec(
        path, labels, split, import_spec.Interpretation(transposed, inverted, pixels), trust
    )
    where = output_dir.choose_output_dir(out, name or (None if out else import_spec.name_of_model(path)), "", "")
    output_dir.check_output_dir(where, resume=False, overwrite=overwrite)
    imported = _import(plan, where, quiet)
    with open_output(None) as stream:
        _print(imported, chosen, stream)
    if not quiet:
        _tell(imported)


def _import(plan: "ImportSpec", where: "OutputDir", quiet: bool) -> "Imported":
    """Import, showing on stderr what is done."""
    from emnist_cli.console.export_progress import show_stages
    from emnist_cli.core.platform.interrupts import interrupts_held
    from emnist_cli.core.platform.tensorflow import load_tensorflow

    with show_stages(quiet) as stage:
        stage("starting TensorFlow")
        load_tensorflow()
        with interrupts_held():  # Keras is as bad at them as TensorFlow
            from emnist_cli.core.model_import.importer import import_model
        return import_model(plan, where, stage)


def _print(imported: "Imported", form: Format | None, stream: TextIO) -> None:
    record = imported._asdict() | {"folder": str(imported.folder)}
    if form is not Format.TABLE:
        write_records([record], form, stream, COLUMNS, ["name", "split", "classes", "folder"])
        return
    from emnist_cli.console.tables import print_table

    record |= {
        "size": f"{record['bytes'] / 1e6:.1f} MB",
        "largest_difference": f"{record['largest_difference']:.6f}",
        "drawn_accuracy": f"{record['drawn_accuracy']:.0%}",
    }
    right = ("classes", "size", "largest_difference", "drawn_accuracy")
    print_table([record], SHOWN, stream, f"written to {record['folder']}", right, ("name",))


def _tell(imported: "Imported") -> None:
    for note in imported.notes:
        notify(note)
    model = shlex.quote(imported.model)
    notify(f"use it: emnist predict --model {model} PATH")
    if imported.split != "custom":
        notify(f"score it: emnist evaluate --model {model} --split {imported.split}")
