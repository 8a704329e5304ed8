"""`emnist predict`: what the characters in pictures are."""

import os
import stat
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emnist_cli.commands.options import FormatOption, Model, Output, Quiet
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import ExitCode, UsageError
from emnist_cli.core.records import STATUSES, Prediction
from emnist_cli.output import Format, choose_format, open_output, tell, write

if TYPE_CHECKING:
    from emnist_cli.core.inference.recognizer import Recognizer

COLUMNS = ("path", "status", "label", "confidence", "alternatives", "error")
PLAIN = ("path", "label", "confidence")

_FEW = 20  # so many problems are told one by one


class InkChoice(StrEnum):
    """What `--ink` takes."""

    AUTO = "auto"
    DARK = "dark"
    LIGHT = "light"


def predict(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Pictures, folders, patterns; - is stdin.")],
    model: Model = DEFAULT_MODEL,
    top_k: Annotated[
        int, typer.Option(min=1, metavar="N", help="Alternatives named for each picture.")
    ] = PredictConfig.top_k,
    charset: Annotated[
        str | None,
        typer.Option(
            metavar="CHARS", help="Allow only these: digits, upper, lower, letters, alnum, or literally, as 0-9A-F."
        ),
    ] = None,
    fold_case: Annotated[bool, typer.Option("--fold-case", help="Count both cases of a letter as one.")] = False,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, metavar="P", help="Below it the answer is 'uncertain' and the label empty.")
    ] = PredictConfig.min_confidence,
    ink: Annotated[
        InkChoice, typer.Option(metavar="|".join(InkChoice), help="Whether ink is darker or lighter than paper.")
    ] = InkChoice.AUTO,
    raw: Annotated[bool, typer.Option("--raw", help="Pictures are 28x28 as EMNIST's already.")] = False,
    transposed: Annotated[bool, typer.Option("--transposed", help="Rows and columns are swapped, as stored.")] = False,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Enter folders within folders.")] = False,
    form: FormatOption = None,
    output: Output = None,
    show: Annotated[bool, typer.Option("--show", help="Draw each picture as the model sees it.")] = False,
    quiet: Quiet = False,
) -> None:
    """Tell which handwritten character each picture shows.

    Every picture gets one row: ok, uncertain, empty or error. The exit code is 3 if any was an error.
    """
    chosen = _check(paths, form, output, show)
    from emnist_cli.core.inference.recognizer import Recognizer

    recognizer = Recognizer(
        model,
        top_k=top_k,
        charset=charset,
        fold_case=fold_case,
        min_confidence=min_confidence,
        ink=ink.value,
        raw=raw,
        transposed=transposed,
    )
    if _run(recognizer, paths, recursive, chosen, output, show, quiet)["error"]:
        raise typer.Exit(ExitCode.INPUT)


def _run(
    recognizer: "Recognizer",
    paths: list[str],
    recursive: bool,
    form: Format | None,
    output: Path | None,
    show: bool,
    quiet: bool,
) -> "Counter[str]":
    """Read every picture and write its row; return how many there were of each status."""
    from emnist_cli.core.inference.files import find_pictures

    skipped: list[str] = []
    counts: Counter[str] = Counter()
    seen_on_terminal = form is Format.TABLE and output is None and sys.stdout.isatty()
    teller = _Teller(quiet, errors=not seen_on_terminal)
    warnings.filterwarnings("ignore", module="PIL")  # what Pillow thinks of a damaged file is not for the user
    with open_output(output) as stream, _progress(paths, recursive, output, quiet) as advance:
        found = find_pictures(paths, recursive, skipped.append)
        predictions = _watch(recognizer.predict_many(found), counts, teller, advance)
        if form is Format.TABLE:
            from emnist_cli.console.predictions import print_predictions

            print_predictions(predictions, stream, show)
        else:
            write((p.as_dict() for p in predictions), form, stream, COLUMNS, PLAIN)
    teller.summary(counts, skipped, output)
    return counts


def _check(paths: list[str], form: Format | None, output: Path | None, show: bool) -> Format | None:
    """Refuse options that contradict each other; return the format."""
    if "-" in paths and sys.stdin.isatty():
        raise UsageError("- reads a picture from stdin, and none was given; write: emnist predict - < picture.png")
    _protect_pictures(paths, output)
    chosen = choose_format(form, output)
    if not show:
        return chosen
    if (form is not None and form is not Format.TABLE) or (output is not None and chosen is not None):
        raise UsageError(f"--show draws a table and cannot go with {f'--format {form}' if form else output}")
    return Format.TABLE


def _protect_pictures(paths: list[str], output: Path | None) -> None:
    """Refuse an output that would replace a picture: one that is named, or one in a folder that is."""
    from emnist_cli.core.inference.files import is_picture_name

    if output is None:
        return
    same = os.path.exists(output) and any(os.path.exists(p) and os.path.samefile(p, output) for p in paths)  # noqa: PTH110, PTH121
    if same or is_picture_name(output.name):
        raise UsageError(f"--output: expected a file for text, not a picture, which would be lost. Received: {output}")


def _progress(paths: list[str], recursive: bool, output: Any, quiet: bool) -> Any:
    """A bar on stderr where results go into a file; those on a terminal, or piped to one, would run into it."""
    to_file = output is not None or stat.S_ISREG(os.fstat(1).st_mode)
    if quiet or not to_file or not sys.stderr.isatty() or "-" in paths:
        return nullcontext(lambda prediction: None)
    from emnist_cli.console.progress import progress
    from emnist_cli.core.inference.files import find_pictures

    return progress(sum(1 for _ in find_pictures(paths, recursive)))


def _watch(
    predictions: Iterable[Prediction], counts: "Counter[str]", teller: "_Teller", advance: Callable[[Prediction], None]
) -> Iterator[Prediction]:
    for prediction in predictions:
        counts[prediction.status] += 1
        teller.prediction(prediction)
        advance(prediction)
        yield prediction


class _Teller:
    """Prints notes and errors about single pictures, a few of each, and a summary of many."""

    def __init__(self, quiet: bool, errors: bool) -> None:
        self._quiet, self._errors, self._told = quiet, errors, 0

    def prediction(self, prediction: Prediction) -> None:
        """Tell what is worth telling about one picture."""
        text = prediction.error if self._errors else ""
        text = text or ("" if self._quiet else prediction.note)
        if text and self._told < _FEW:
            self._told += 1
            more = "; no more such lines follow" if self._told == _FEW else ""
            tell(f"{prediction.path}: {text}{more}")

    def summary(self, counts: "Counter[str]", skipped: list[str], output: Any) -> None:
        """Tell how many pictures there were of each status, where that is not plain to see."""
        if self._quiet:
            return
        if skipped:
            more = f" and {len(skipped) - 1:,} more" if len(skipped) > 1 else ""
            tell(f"skipped, not a picture by its name: {skipped[0]}{more}")
        total = sum(counts.values())
        if output is not None or (total > 1 and counts["error"]):
            parts = ", ".join(f"{counts[status]:,} {status}" for status in STATUSES if counts[status])
            tell(
                f"{total:,} picture{'s' if total != 1 else ''}: {parts}" + (f"; written to {output}" if output else "")
            )
