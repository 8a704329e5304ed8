"""The table of predictions, drawn as they come, and pictures in a terminal."""

import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from emnist_cli.console.tables import make_console, print_whole
from emnist_cli.core.records import Prediction
from emnist_cli.output import one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROWS_AT_ONCE = 64
_STATUS_STYLE = {"uncertain": "yellow", "empty": "dim", "error": "red"}
_SHADES = " ░▒▓█"


def print_predictions(predictions: Iterable[Prediction], stream: TextIO, show: bool = False) -> None:
    """Draw one table row a picture, as they come; with `show`, beside each what the network saw."""
    iterator = iter(predictions)
    first = list(islice(iterator, _ROWS_AT_ONCE))
    console = make_console(stream)
    longest = max((len(one_line(p.path)) for p in first), default=0)
    bar = 12 if console.width >= 100 else 8
    others = bar + (55 if show else 47)
    path_width = longest if not console.is_terminal else max(12, min(longest, console.width - others))
    layout = _Layout(path_width, bar, show)
    chunk, header = first, True
    while chunk:
        print_whole(_prediction_table(chunk, layout, header, console), stream)
        chunk, header = list(islice(iterator, _ROWS_AT_ONCE)), False


class _Layout(NamedTuple):
    """What stays the same from one piece of a long table to the next."""

    path_width: int
    bar: int
    show: bool


def _prediction_table(predictions: Sequence[Prediction], layout: _Layout, header: bool, console: Console) -> Table:
    table = Table(box=SIMPLE_HEAD, show_header=header, show_edge=header, pad_edge=True)
    table.add_column("file", width=max(4, layout.path_width), overflow="fold")
    table.add_column("label", width=9)
    table.add_column("confidence", width=layout.bar + 7)
    heading = "alternatives, as the model sees it" if layout.show else "alternatives"
    table.add_column(heading, min_width=28 if layout.show else 20, overflow="fold")
    for p in predictions:
        details = _alternatives(p)
        if layout.show and p.picture is not None:
            details = Text("\n").join([details, draw(p.picture, console), Text()])
        table.add_row(Text(one_line(p.path)), _label(p), _confidence(p, layout.bar), details)
    return table


def _label(prediction: Prediction) -> Text:
    """The label with its kind, since O and 0, l and I look alike in many fonts."""
    if prediction.status != "ok":
        return Text(prediction.status, style=_STATUS_STYLE[prediction.status])
    label = prediction.label
    kind = "digit" if label.isdigit() else "upper" if label.isupper() else "lower" if label.islower() else ""
    return Text.assemble((label, "bold green"), " ", (kind, "dim"))


def _confidence(prediction: Prediction, bar: int) -> Text:
    value = prediction.confidence
    if value is None:
        return Text()
    filled = round(value * bar)
    colour = "green" if value >= 0.8 else "yellow" if value >= 0.5 else "red"
    return Text.assemble(("━" * filled, colour), ("─" * (bar - filled), "dim"), f" {value:6.1%}")


def _alternatives(prediction: Prediction) -> Text:
    if prediction.status == "error":
        return Text(one_line(prediction.error), style="red")
    shown = prediction.alternatives[1:] if prediction.status == "ok" else prediction.alternatives
    return Text("  ").join(Text.assemble((a.label, "bold"), f" {a.confidence:.1%}") for a in shown)


def draw(picture: "NDArray[np.float32]", console: Console) -> Text:
    """Draw a picture with half blocks, two pixels a character; with shades where colour is off.

    Args:
        picture: float (height, width) in [0, 1], of even height.
        console: where it will be printed; decides about colour.
    """
    text = Text(no_wrap=True)
    for upper, lower in zip(picture[::2], picture[1::2], strict=True):
        for a, b in zip(upper.tolist(), lower.tolist(), strict=True):
            if console.color_system and not console.no_color:
                text.append("▀", Style(color=_grey(a), bgcolor=_grey(b)))
            else:
                text.append(_SHADES[min(4, int((a + b) / 2 * 5))])
        text.append("\n")
    text.right_crop(1)
    return text


def print_pictures(shown: Sequence[tuple[str, "NDArray[np.uint8]"]]) -> None:
    """Draw labelled pictures, uint8 (28, 28), side by side at half their size."""
    console = make_console(sys.stdout)
    across = max(1, (console.width + 2) // 16)
    for start in range(0, len(shown), across):
        row = shown[start : start + across]
        drawn = [draw(p.reshape(14, 2, 14, 2).mean(axis=(1, 3)) / 255, console).split() for _, p in row]
        console.print(Text("  ").join(Text(f"{label:^14}", style="bold") for label, _ in row))
        for lines in zip(*drawn, strict=True):
            console.print(Text("  ").join(lines))
        console.print()


def _grey(value: float) -> str:
    level = round(value * 255)
    return f"rgb({level},{level},{level})"
