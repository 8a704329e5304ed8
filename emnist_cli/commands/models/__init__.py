"""`emnist models`: list the installed models, and import Keras models of other projects."""

import os
from pathlib import Path
from typing import Any

import typer

from emnist_cli.cli.group import CommandGroup
from emnist_cli.cli.options import FormatOption, Output
from emnist_cli.commands.models.import_model import import_
from emnist_cli.core import bundle
from emnist_cli.core.errors import ModelError
from emnist_cli.output.formats import Format, choose_format, open_output, write_records

COLUMNS = ("name", "default", "split", "classes", "bytes", "accuracy", "measured_on", "folder", "error")
SHOWN = {
    "name": "name",
    "split": "split",
    "classes": "classes",
    "size": "size",
    "accuracy": "accuracy",
    "measured_on": "measured on",
}


models = typer.Typer(name="models", cls=CommandGroup, invoke_without_command=True)


@models.callback()
def _list(context: typer.Context, form: FormatOption = None, output: Output = None) -> None:
    """List the models that --model knows by name.

    Your own are looked for in your data folder, whose place the table
    tells; any bundle folder or .tflite file can be given by its path.
    """
    if context.invoked_subcommand is not None:
        return
    default = os.environ.get("EMNIST_MODEL") or bundle.DEFAULT_MODEL
    records = [describe(folder, default) for folder in bundle.list_bundles()]
    chosen = choose_format(form, output)
    with open_output(output) as stream:
        if chosen is not Format.TABLE:
            write_records(records, chosen, stream, COLUMNS, ["name", "split", "accuracy"])
            return
        from emnist_cli.console.tables import print_table

        own = bundle.user_folder()
        title = f"your own models go into {own}" if own else ""
        columns = {**SHOWN, "error": "error"} if any(record["error"] for record in records) else SHOWN
        wrap, right = ("measured_on", "error"), ("classes", "size", "accuracy")
        print_table(map(_shown, records), columns, stream, title, right, wrap)


models.command("import")(import_)


def describe(folder: Path, default: str) -> dict[str, Any]:
    """Summarize one bundle; a damaged one is listed with its error."""
    record: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    record |= {"name": folder.name, "default": folder.name == default, "folder": str(folder), "accuracy": None}
    try:
        manifest = bundle.read_bundle(folder).manifest
    except ModelError as error:
        return record | {"error": str(error)}
    assert manifest  # of a folder
    return record | bundle.summarize_bundle(manifest)


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    """Put a record into words for the table."""
    return record | {
        "name": f"{record['name']} (default)" if record["default"] else record["name"],
        "size": f"{record['bytes'] / 1e6:.1f} MB" if record["bytes"] else "",
        "accuracy": "" if record["accuracy"] is None else f"{record['accuracy']:.1%}",
    }
