"""`emnist models`: which models there are."""

import os
from pathlib import Path
from typing import Any

from emnist_cli.commands.options import FormatOption, Output
from emnist_cli.core import bundle
from emnist_cli.core.errors import ModelError
from emnist_cli.output import Format, choose_format, open_output, write

COLUMNS = {
    "name": "name",
    "default": "default",
    "split": "split",
    "classes": "classes",
    "bytes": "bytes",
    "accuracy": "accuracy",
    "measured_on": "measured on",
    "folder": "folder",
    "error": "error",
}


def models(form: FormatOption = None, output: Output = None) -> None:
    """List the models that --model knows by name.

    More are found in the user's data folder; any bundle folder or .tflite file can be given by its path.
    """
    default = os.environ.get("EMNIST_MODEL", bundle.DEFAULT_MODEL)
    records = [describe(folder, default) for folder in bundle.list_folders()]
    chosen = choose_format(form, output)
    with open_output(output) as stream:
        if chosen is not Format.TABLE:
            write(records, chosen, stream, list(COLUMNS), ["name", "split", "accuracy"])
            return
        from emnist_cli.console import print_table

        shown = [{**r, "default": "yes" if r["default"] else "", "accuracy": _percent(r["accuracy"])} for r in records]
        damaged = any(record["error"] for record in records)
        columns = {name: heading for name, heading in COLUMNS.items() if name != "error" or damaged}
        print_table(shown, columns, stream, right=("classes", "bytes", "accuracy"))


def describe(folder: Path, default: str) -> dict[str, Any]:
    """Summarize one bundle; a damaged one is listed with its error."""
    record: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    record |= {"name": folder.name, "default": folder.name == default, "folder": str(folder), "accuracy": None}
    try:
        bundle.read(folder)
        manifest = bundle.read_manifest(folder)
    except ModelError as error:
        return record | {"error": str(error)}
    record |= {"split": manifest.split, "classes": len(manifest.classes)}
    record["bytes"] = sum(int(file["bytes"]) for file in manifest.files.values())
    if manifest.metrics:
        record |= {"accuracy": manifest.metrics[0].value, "measured_on": manifest.metrics[0].on}
    return record


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
