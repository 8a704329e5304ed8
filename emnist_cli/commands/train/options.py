"""Options of `emnist train`, under the headings that `--help` shows."""

from pathlib import Path
from typing import Annotated

import typer

from emnist_cli.cli.completion import offer, offer_models, offer_splits
from emnist_cli.core.config import ARCHITECTURES

_WHAT, _HOW, _WHERE, _MACHINE = "What to train on", "How to train", "Where the model goes", "The machine"

_STRATEGIES = ("one", "mirrored", "multiworker")
"""What `training/strategy.py` knows; it would bring TensorFlow along."""


Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        "-s",
        metavar="SPLIT",
        autocompletion=offer_splits,
        help="EMNIST split to train on; with --csv, what its labels mean.",
        rich_help_panel=_WHAT,
    ),
]

Folder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Train on your own pictures instead.", rich_help_panel=_WHAT)
]

Csv = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Train on a csv file, a label and 784 values a row.", rich_help_panel=_WHAT),
]

Transposed = Annotated[
    bool | None,
    typer.Option(
        "--transposed/--upright",
        help="How images of --csv are stored; found out where you do not say.",
        rich_help_panel=_WHAT,
    ),
]

Labels = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="csv with the columns file and label; else DIR/labels.csv or sub-folders.",
        rich_help_panel=_WHAT,
    ),
]

Base = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="MODEL",
        autocompletion=offer_models,
        help="Start from this bundle's network, not from nothing.",
        rich_help_panel=_WHAT,
    ),
]

Arch = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=offer(ARCHITECTURES),
        help=f"One of {', '.join(ARCHITECTURES)}; see docs/training.md.",
        rich_help_panel=_HOW,
    ),
]

Epochs = Annotated[int, typer.Option(min=1, metavar="N", help="Passes over the pictures.", rich_help_panel=_HOW)]

BatchSize = Annotated[
    int, typer.Option(min=1, metavar="N", help="Pictures a step, over all devices.", rich_help_panel=_HOW)
]

LearningRate = Annotated[
    float,
    typer.Option(min=1e-7, max=1, metavar="R", help="Adam's, falling to 0 along a cosine.", rich_help_panel=_HOW),
]

Augment = Annotated[
    bool,
    typer.Option("--augment/--no-augment", help="Vary every picture anew in each epoch.", rich_help_panel=_HOW),
]

Validation = Annotated[
    float,
    typer.Option(
        min=0,
        max=0.9,
        metavar="P",
        help="Part of the pictures held out to choose the best epoch.",
        rich_help_panel=_WHAT,
    ),
]

Patience = Annotated[
    int,
    typer.Option(min=0, metavar="N", help="Stop after N epochs without a better one; 0 never.", rich_help_panel=_HOW),
]

Limit = Annotated[
    int, typer.Option(min=0, metavar="N", help="Use N pictures, drawn at random; 0 for all.", rich_help_panel=_WHAT)
]

Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, metavar="N", help="Of everything random.", rich_help_panel=_HOW)
]

Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Bundle folder to write; else NAME in your models folder.", rich_help_panel=_WHERE
    ),
]

Name = Annotated[
    str | None, typer.Option(metavar="NAME", help="What --model calls it; else SPLIT-ARCH.", rich_help_panel=_WHERE)
]

Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.", rich_help_panel=_WHERE)]

Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace a model, or start an interrupted run anew.", rich_help_panel=_WHERE),
]

Threads = Annotated[
    int, typer.Option(min=0, metavar="N", help="CPU threads; 0 for one a core.", rich_help_panel=_MACHINE)
]

MixedPrecision = Annotated[
    bool,
    typer.Option(
        "--mixed-precision", help="Compute in 16 bits, where the machine is faster at it.", rich_help_panel=_MACHINE
    ),
]

Strategy = Annotated[
    str,
    typer.Option(
        metavar="|".join(_STRATEGIES),
        autocompletion=offer(_STRATEGIES),
        help="One device, all GPUs, or the machines of TF_CONFIG.",
        rich_help_panel=_MACHINE,
    ),
]

Tensorboard = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write logs for TensorBoard there.", rich_help_panel=_WHERE)
]
