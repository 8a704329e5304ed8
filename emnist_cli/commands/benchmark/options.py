"""Options of `emnist benchmark`."""

from pathlib import Path
from typing import Annotated

import typer

from emnist_cli.cli.completion import offer_forms, offer_models
from emnist_cli.core.benchmark.benchmark_config import AGAINST
from emnist_cli.core.errors import UsageError, did_you_mean

_WHAT, _HOW, _RESULTS = "What to measure", "How to measure", "What becomes of it"

Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        help="Name of a model, a bundle folder, or a .tflite, .onnx or .keras file; may be given several times. "
        "Default: $EMNIST_MODEL, else starter.",
        metavar="MODEL",
        autocompletion=offer_models,
        rich_help_panel=_WHAT,
    ),
]

Against = Annotated[
    str,
    typer.Option(
        help=f"Export the first model to these forms and measure them, too: {','.join(AGAINST)}.",
        metavar="FORM,...",
        autocompletion=offer_forms,
        rich_help_panel=_WHAT,
    ),
]

Threads = Annotated[
    str | None,
    typer.Option(
        help="Threads that a batch is run with, and processes that read files; a row for each. Default: 1 and all.",
        metavar="N,...",
        rich_help_panel=_WHAT,
    ),
]

Batches = Annotated[
    str, typer.Option("--batch", help="Pictures that go through at once.", metavar="N,...", rich_help_panel=_WHAT)
]

Data = Annotated[
    str,
    typer.Option(
        help="Folder of pictures to read; accuracy, too, if it has labels as for emnist evaluate --folder. "
        "random: drawings made for the purpose.",
        metavar="DIR|random",
        rich_help_panel=_WHAT,
    ),
]

Runs = Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How often, in turns.", rich_help_panel=_HOW)]

Seconds = Annotated[
    float,
    typer.Option(min=0.001, max=600, metavar="S", help="That each measurement of a run takes.", rich_help_panel=_HOW),
]

Save = Annotated[
    Path | None, typer.Option(help="Keep the figures here, to compare with.", metavar="FILE", rich_help_panel=_RESULTS)
]

Compare = Annotated[
    Path | None,
    typer.Option(help="Show how fast it is beside what --save kept.", metavar="FILE", rich_help_panel=_RESULTS),
]

FailUnder = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        metavar="R",
        help="Exit code 1 if a speed is less than R of that in --compare's file.",
        rich_help_panel=_RESULTS,
    ),
]

Plot = Annotated[Path | None, typer.Option(help="Draw bars here.", metavar="FILE.png", rich_help_panel=_RESULTS)]


def parse_numbers(option: str, text: str, most: int) -> tuple[int, ...]:
    """Turn "1,16" into numbers, each once.

    Raises:
        UsageError: it is none, or one of them is not within 1..`most`.
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= most for word in words):
        raise UsageError(f"{option}: expected whole numbers in 1..{most} with commas between. Received: {text!r}")
    return tuple(dict.fromkeys(int(word) for word in words))


def parse_forms(text: str) -> tuple[str, ...]:
    """Turn "keras,onnx" into forms, each once.

    Raises:
        UsageError: there is no such form.
    """
    forms = [word.strip().lower() for word in text.split(",")] if text.strip() else []
    for form in forms:
        if form not in AGAINST:
            raise UsageError(f"--against: no form is called {form!r}; {did_you_mean(form, AGAINST)}")
    return tuple(dict.fromkeys(forms))
