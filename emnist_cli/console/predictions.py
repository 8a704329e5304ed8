"""The table of predictions of `emnist predict`, drawn as the results arrive."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emnist_cli.console.style import BAD, FAIR, GOOD, fit, is_plain, make_console, make_table, name, quote
from emnist_cli.console.tables import print_whole
from emnist_cli.console.terminal_images import draw
from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.records import Prediction

_ROWS_AT_ONCE = 64
_LABELS = (9, 24)  # least and most width: of "'R' upper", of one's own classes before they take a second line
_ALTERNATIVES = 20  # least width of that column: two of one character each
_BETWEEN = 6  # what lies between the four columns
_STATUS_STYLE = {"uncertain": FAIR, "empty": "dim", "error": BAD}


def print_predictions(predictions: Iterable[Prediction], stream: TextIO, show: bool = False) -> None:
    """Draw one table row a picture, as they come; with `show`, below each path what the network saw."""
    iterator = iter(predictions)
    chunk = list(islice(iterator, _ROWS_AT_ONCE))
    console = make_console(stream)
    layout, header = _lay_out(chunk, console, show), True
    while chunk:
        print_whole(_prediction_table(chunk, layout, header, console), stream)
        chunk, header = list(islice(iterator, _ROWS_AT_ONCE)), False


class _Layout(NamedTuple):
    """Widths, which stay the same from one piece of a long table to the next."""

    path: int
    label: int
    bar: int
    alternative: int
    across: int
    show: bool


def _lay_out(first: Sequence[Prediction], console: Console, show: bool) -> _Layout:
    """Fit the columns into the window by the first rows; later ones take several lines where they are longer."""
    longest = max((cell_len(fit(p.path, console)) for p in first), default=0)
    label = max((cell_len(fit(name(p.label), console)) for p in first), default=0)
    label = min(max(label, _LABELS[0]), _LABELS[1])
    alternative = max((cell_len(fit(quote(a.label), console)) for p in first for a in p.alternatives), default=3)
    bar = 12 if console.width >= 100 else 8
    if not console.is_terminal:
        return _Layout(max(longest, IMAGE_SIZE if show else 4), label, bar, alternative, 1000, show)
    room = console.width - _BETWEEN - label - bar - 7
    path = max(IMAGE_SIZE if show else 12, min(longest, room - _ALTERNATIVES))
    across = max(1, (room - path + 2) // (alternative + 8))
    return _Layout(path, label, bar, alternative, across, show)


def _prediction_table(predictions: Sequence[Prediction], layout: _Layout, header: bool, console: Console) -> Table:
    table = make_table(console, show_header=header)
    table.add_column("file, as the model sees it" if layout.show else "file", width=layout.path, overflow="fold")
    table.add_column("label", width=layout.label, overflow="fold")
    table.add_column("confidence", width=layout.bar + 7)
    table.add_column("alternatives", min_width=_ALTERNATIVES, overflow="fold")
    for p in predictions:
        file = Text(fit(p.path, console))
        if layout.show and p.picture is not None:
            file = Text("\n").join([file, draw(p.picture, console), Text()])
        table.add_row(file, _label(p, console), _confidence(p, layout.bar, console), _details(p, layout, console))
    return table


def _label(prediction: Prediction, console: Console) -> Text:
    if prediction.status != "ok":
        return Text(prediction.status, style=_STATUS_STYLE[prediction.status])
    label, named = quote(prediction.label), name(prediction.label)
    return Text.assemble((fit(label, console), "bold"), named.removeprefix(label))


def _confidence(prediction: Prediction, bar: int, console: Console) -> Text:
    """A bar, which has its length beside its colour, and the number."""
    value = prediction.confidence
    if value is None:
        return Text()
    filled = round(value * bar)
    colour = GOOD if value >= 0.8 else FAIR if value >= 0.5 else BAD
    full, rest = "#-" if is_plain(console) else "━─"
    return Text.assemble((full * filled, colour), (rest * (bar - filled), "dim"), f" {value:6.1%}")


def _details(prediction: Prediction, layout: _Layout, console: Console) -> Text:
    """The alternatives in columns, or what went wrong."""
    if prediction.status == "error":
        return Text(fit(prediction.error, console))
    shown = prediction.alternatives[1:] if prediction.status == "ok" else prediction.alternatives
    found = [Text(f"{fit(quote(a.label), console):<{layout.alternative}} {a.confidence:5.1%}") for a in shown]
    lines = [Text("  ").join(found[i : i + layout.across]) for i in range(0, len(found), layout.across)]
    return Text("\n").join(lines)
