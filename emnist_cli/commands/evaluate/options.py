"""Options of `emnist evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from emnist_cli.cli.completion import offer_splits
from emnist_cli.cli.options import Partition
from emnist_cli.core.config import EvaluateConfig
from emnist_cli.core.labels import SPLITS

Split = Annotated[
    str | None,
    typer.Option(
        "--split", "-s", help=f"Score on one of {', '.join(SPLITS)}.", metavar="SPLIT", autocompletion=offer_splits
    ),
]
Folder = Annotated[Path | None, typer.Option(help="Score on the pictures of this folder.", metavar="DIR")]
Labels = Annotated[
    Path | None,
    typer.Option(
        help="What they show: csv with columns file,label. Default: DIR/labels.csv, else DIR's sub-folders.",
        metavar="FILE",
    ),
]
Where = Annotated[
    str | None, typer.Option(help="Only rows of that csv with this value in a column.", metavar="COLUMN=VALUE")
]
Csv = Annotated[
    Path | None,
    typer.Option(
        help="Score on a csv file, a label and 784 values a row; --split says what labels mean.", metavar="FILE"
    ),
]
Transposed = Annotated[
    bool | None,
    typer.Option("--transposed/--upright", help="How images of --csv are stored; found out where you do not say."),
]
Part = Annotated[
    Partition | None,
    typer.Option(metavar="|".join(Partition), help=f"Half of the split; default {EvaluateConfig.part}."),
]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N pictures.")]
Report = Annotated[
    Path | None, typer.Option(help="Write a page with plots and the worst mistakes here.", metavar="DIR")
]
