"""Tables of flat records, and what every other drawing here shares."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from emnist_cli.output import one_line


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
        console = make_console(stream)
        console.print(Text(title, style="bold"), soft_wrap=not console.is_terminal)
    table = Table(box=SIMPLE_HEAD)
    for name, heading in columns.items():
        justify: Literal["left", "right"] = "right" if name in right else "left"
        table.add_column(heading, justify=justify, no_wrap=name not in wrap, overflow="fold")
    for record in records:
        table.add_row(*(Text(one_line(_text(record[name]))) for name in columns))
    print_whole(table, stream)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def make_console(stream: TextIO) -> Console:
    """Return a Rich console on `stream` that draws what it is given: no markup, no highlighting."""
    return Console(file=stream, highlight=False, markup=False, soft_wrap=False)


def print_whole(table: Table, stream: TextIO) -> None:
    """Print as wide as needed where there is no terminal: Rich would cut at 80 columns."""
    console = make_console(stream)
    if not console.is_terminal:
        wide = console.options.update(width=100_000, max_width=100_000)
        console.width = max(Measurement.get(console, wide, table).maximum, 20)
    console.print(table)
