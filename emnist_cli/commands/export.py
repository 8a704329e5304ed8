"""`emnist export`: convert a model for other runtimes, or make it smaller."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from emnist_cli.cli.completion import offer
from emnist_cli.cli.options import FormatOption, Model, Quiet, Trust
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.exported_models import MODEL_FORMATS
from emnist_cli.output.formats import Format, choose_format, notify, open_output, write_records

if TYPE_CHECKING:
    from emnist_cli.core.bundle import Bundle
    from emnist_cli.core.model_export.exporter import Exported

COLUMNS = ("path", "form", "bytes", "largest_difference", "agreement", "pictures")
WEB = "web"
SHOWN = {
    "path": "path",
    "form": "form",
    "bytes": "bytes",
    "largest_difference": "largest difference",
    "agreement": "same answer",
    "pictures": "of pictures",
}


def export(
    form: Annotated[
        str,
        typer.Option(
            "--to",
            "-t",
            metavar="FORM",
            autocompletion=offer((*MODEL_FORMATS, WEB)),
            help=f"One of {', '.join(MODEL_FORMATS)}, {WEB}.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="PATH", help="File or folder to write; its suffix is the form's."),
    ],
    model: Model = DEFAULT_MODEL,
    trust: Trust = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Compare answers on these pictures, and fit 8 bits to them, not to drawn ones."
        ),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="For web: where npm installed the JavaScript runtime, if not here."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what was exported there before.")] = False,
    results: FormatOption = None,
    quiet: Quiet = False,
) -> None:
    """Write a model in another form, for other programs or smaller.

    What is written is run and compared with the model; if it disagrees,
    nothing is left and the exit code is 4. Labels and calibration go
    along, so that --model takes the file, too. ONNX needs the extra
    'onnx' to be installed.
    """
    chosen = choose_format(results)
    from emnist_cli.core import bundle
    from emnist_cli.core.model_export import targets

    found = bundle.find_bundle(model, trust)
    if form == WEB:
        record, hint = _export_page(found, out, runtime, overwrite), "python -m http.server --directory {}"
    else:
        targets.check_export_target(found, form, out, overwrite)
        record = _export(found, form, out, folder, overwrite, quiet)._asdict()
        hint = f"emnist predict --model {{}} {'--trust ' if form == 'saved-model' else ''}PATH"
    with open_output(None) as stream:
        _print(record, chosen, stream)
    if not quiet:
        notify(f"use it: {hint.format(shlex.quote(str(out)))}")


def _export_page(model: "Bundle", out: Path, runtime: Path | None, overwrite: bool) -> dict[str, Any]:
    """Write the drawing page; its graph is the model's own, so there is nothing to compare."""
    from emnist_cli.web.site import export_site

    page = export_site(model, out, runtime, overwrite)
    uncompared = {"largest_difference": None, "agreement": None, "pictures": 0}
    return {"path": page.path, "form": WEB, "bytes": page.bytes, **uncompared}


def _export(model: "Bundle", form: str, out: Path, folder: Path | None, overwrite: bool, quiet: bool) -> "Exported":
    """Export, showing on stderr what is done."""
    from emnist_cli.console.export_progress import show_stages
    from emnist_cli.core.model_export import parity_samples
    from emnist_cli.core.platform.interrupts import interrupts_held
    from emnist_cli.core.platform.tensorflow import load_tensorflow

    with show_stages(quiet) as stage:
        stage("reading pictures")
        pictures = parity_samples.read_pictures(folder) if folder else None
        stage("starting TensorFlow")
        load_tensorflow()
        with interrupts_held():  # Keras is as bad at them as TensorFlow
            from emnist_cli.core.model_export.exporter import export_model
        return export_model(model, form, out, stage, pictures=pictures, overwrite=overwrite)


def _print(exported: dict[str, Any], form: Format | None, stream: TextIO) -> None:
    record = exported | {"path": str(exported["path"])}
    if form is not Format.TABLE:
        write_records([record], form, stream, COLUMNS, COLUMNS)
        return
    from emnist_cli.console.tables import print_table

    if record["pictures"]:
        record |= {
            "largest_difference": f"{record['largest_difference']:.4f}",
            "agreement": f"{record['agreement']:.1%}",
        }
    print_table([record], SHOWN, stream, right=list(SHOWN)[2:], wrap=("path",))
