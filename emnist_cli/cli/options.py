"""Options that several commands share, each defined once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from emnist_cli.cli.completion import offer, offer_models
from emnist_cli.core.labels import CHARSETS
from emnist_cli.output.formats import Format


class Partition(StrEnum):
    """What `--part` takes: the halves of a split."""

    TRAIN = "train"
    TEST = "test"


Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        envvar="EMNIST_MODEL",
        help="Name of a model, a bundle folder or an exported file.",
        metavar="MODEL",
        autocompletion=offer_models,
    ),
]

Trust = Annotated[
    bool,
    typer.Option(
        "--trust", help="Run a SavedModel, whose graph can run code and write files; otherwise it is refused."
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

Charset = Annotated[
    str | None,
    typer.Option(
        metavar="CHARS",
        autocompletion=offer(CHARSETS),
        help="Allow only these: digits, upper, lower, letters, alnum, or literally, as 0-9A-F.",
    ),
]

FoldCase = Annotated[bool, typer.Option("--fold-case", help="Count both cases of a letter as one.")]

Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Enter folders within folders.")]

Workers = Annotated[
    int | None, typer.Option(min=1, max=1024, metavar="N", help="Processes that read; default: one a core.")
]

Timeout = Annotated[
    float, typer.Option(min=0.1, metavar="SECONDS", help="Give a file up that takes longer; it gets its row.")
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

ArchiveOption = Annotated[
    Path | None,
    typer.Option("--archive", help="EMNIST's files, got another way; see: emnist data import --help", metavar="PATH"),
]
