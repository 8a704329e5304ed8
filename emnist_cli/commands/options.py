"""Options that several commands share, written once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from emnist_cli.output import Format


class Part(StrEnum):
    """What `--part` takes: the halves of a split."""

    TRAIN = "train"
    TEST = "test"


Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        envvar="EMNIST_MODEL",
        help="Name of a model, a bundle folder or a .tflite file.",
        metavar="MODEL",
    ),
]

FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        metavar="|".join(Format),
        help="Default: a table on a terminal, in a pipe lines with tabs between the fields.",
    ),
]

Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="Write to this file instead; .csv, .json and .jsonl choose the format.", metavar="FILE"
    ),
]

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, notes or summary on stderr; errors remain.")]

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="EMNIST_DATA",
        help="Folder that EMNIST is kept in; without it your own data folder.",
        metavar="DIR",
        show_default=False,
    ),
]

Archive = Annotated[
    Path | None,
    typer.Option("--archive", help="EMNIST's files, got another way; see: emnist data import --help", metavar="PATH"),
]
