"""Options of `emnist predict`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class InkChoice(StrEnum):
    """What `--ink` takes."""

    AUTO = "auto"
    DARK = "dark"
    LIGHT = "light"


class Order(StrEnum):
    """What `--sort` takes."""

    INPUT = "input"
    CONFIDENCE = "confidence"


class Engine(StrEnum):
    """What `--engine` takes."""

    LOCAL = "local"
    RAY = "ray"


Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Pictures, folders, patterns; - is stdin.")]

TopK = Annotated[int, typer.Option(min=1, metavar="N", help="Alternatives named for each picture.")]

MinConfidence = Annotated[
    float, typer.Option(min=0, max=1, metavar="P", help="Below it the answer is 'uncertain' and the label empty.")
]

Ink = Annotated[
    InkChoice, typer.Option(metavar="|".join(InkChoice), help="Whether ink is darker or lighter than paper.")
]

Raw = Annotated[bool, typer.Option("--raw", help="Pictures are 28x28 as EMNIST's already.")]

Transposed = Annotated[bool, typer.Option("--transposed", help="Rows and columns are swapped, as stored.")]

Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", help="Write to this file instead; .csv, .json and .jsonl choose the format.", metavar="FILE"
    ),
]

Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the csv or jsonl --output of a run that was interrupted.")
]

Show = Annotated[bool, typer.Option("--show", help="Draw each picture as the model sees it.")]

ContactSheet = Annotated[
    Path | None, typer.Option(help="Draw results on a sheet: .png, .jpg, .webp or .tif.", metavar="FILE")
]

SheetSize = Annotated[int, typer.Option(min=1, max=1000, help="So many results on the sheet.", metavar="N")]

Sort = Annotated[
    Order,
    typer.Option(metavar="|".join(Order), help="Which results come first on the sheet; confidence: the least certain."),
]

CopyTo = Annotated[
    Path | None, typer.Option(help="Copy each file into a folder per label here; nothing is replaced.", metavar="DIR")
]

EngineOption = Annotated[
    Engine, typer.Option("--engine", metavar="|".join(Engine), help='ray: on a cluster; needs the extra "ray".')
]

RayAddress = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Of the cluster; without it Ray runs here.", show_default=False)
]
