"""What people see: Rich tables on stdout, notes and progress on stderr. The only importer of rich."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.style import Style
from rich.table import Table
from rich.text import Text

from emnist_cli.core.records import Prediction
from emnist_cli.output import one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROWS_AT_ONCE = 64
_STATUS_STYLE = {"uncertain": "yellow", "empty": "dim", "error": "red"}
_SHADES = " ░▒▓█"


def print_table(
    records: Iterable[Mapping[str, Any]],
    columns: Mapping[str, str],
    stream: TextIO,
    title: str = "",
    right: Sequence[str] = (),
    wrap: Sequence[str] = (),
) -> None:
    """Draw flat records.

    Args:
        records: what to draw.
        columns: field -> heading.
        stream: where to.
        title: drawn above.
        right: fields to align to the right.
        wrap: fields that may take several lines where the terminal is narrow.
    """
    if title:
        console = _console(stream)
        console.print(Text(title, style="bold"), soft_wrap=not console.is_terminal)
    table = Table(box=SIMPLE_HEAD)
    for name, heading in columns.items():
        justify: Literal["left", "right"] = "right" if name in right else "left"
        table.add_column(heading, justify=justify, no_wrap=name not in wrap, overflow="fold")
    for record in records:
        table.add_row(*(Text(one_line(_text(record[name]))) for name in columns))
    _print(table, stream)


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def print_predictions(predictions: Iterable[Prediction], stream: TextIO, show: bool = False) -> None:
    """Draw one table row a picture, as they come; with `show`, beside each what the network saw."""
    iterator = iter(predictions)
    first = list(islice(iterator, _ROWS_AT_ONCE))
    console = _console(stream)
    longest = max((len(one_line(p.path)) for p in first), default=0)
    bar = 12 if console.width >= 100 else 8
    others = bar + (55 if show else 47)
    path_width = longest if not console.is_terminal else max(12, min(longest, console.width - others))
    layout = _Layout(path_width, bar, show)
    chunk, header = first, True
    while chunk:
        _print(_prediction_table(chunk, layout, header, console), stream)
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
        picture: float32 (28, 28) in [0, 1].
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


def _grey(value: float) -> str:
    level = round(value * 255)
    return f"rgb({level},{level},{level})"


def _console(stream: TextIO) -> Console:
    return Console(file=stream, highlight=False, markup=False, soft_wrap=False)


def _print(table: Table, stream: TextIO) -> None:
    """Print as wide as needed where there is no terminal: Rich would cut at 80 columns."""
    console = _console(stream)
    if not console.is_terminal:
        wide = console.options.update(width=100_000, max_width=100_000)
        console.width = max(Measurement.get(console, wide, table).maximum, 20)
    console.print(table)


class _Rate(ProgressColumn):
    """Pictures a second."""

    def render(self, task: Task) -> Text:
        """Draw the rate."""
        return Text(f"{task.speed or 0:,.0f} pictures/s", style="dim")


@contextmanager
def progress(total: int) -> Iterator[Any]:
    """Show a bar on stderr; yields what is called with each prediction.

    Args:
        total: how many predictions will come.
    """
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=total)
        failed = 0

        def advance(prediction: Prediction) -> None:
            nonlocal failed
            failed += prediction.status == "error"
            bar.update(task, advance=1, description=f"reading, {failed} failed" if failed else "reading")

        yield advance
