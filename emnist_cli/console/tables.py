"""Tables of flat records, for the commands and the other console modules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TextIO

from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from emnist_cli.console.style import fit, make_console, make_table, name, quote


def print_table(
    records: Iterable[Mapping[str, Any]],
    columns: Mapping[str, str],
    stream: TextIO,
    title: str = "",
    right: Sequence[str] = (),
    wrap: Sequence[str] = (),
    labels: Sequence[str] = (),
    characters: Sequence[str] = (),
) -> None:
    """Draw flat records.

    Args:
        records: what to draw.
        columns: field -> heading.
        stream: where to.
        title: drawn above.
        right: fields to align to the right.
        wrap: fields that may take several lines where the terminal is narrow.
        labels: fields that hold a label, which is quoted and gets its kind.
        characters: fields that hold characters, which are quoted one by one.
    """
    console = make_console(stream)
    if title:
        print_title(title, stream)
    table = make_table(console)
    for field, heading in columns.items():
        justify: Literal["left", "right"] = "right" if field in right else "left"
        table.add_column(heading, justify=justify, no_wrap=field not in wrap, overflow="fold")
    for record in records:
        cells = (_text(record[f], f in labels, f in characters) for f in columns)
        table.add_row(*(Text(fit(cell, console)) for cell in cells))
    print_whole(table, stream)


def _text(value: Any, is_label: bool, is_characters: bool) -> str:
    if value is None:
        return ""
    if is_label:
        return name(value)
    if is_characters:
        return " ".join(map(quote, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def print_title(title: str, stream: TextIO) -> None:
    """Print what a table shows, and an empty line."""
    console = make_console(stream)
    console.print(Text(fit(title, console), style="bold"), end="\n\n", soft_wrap=not console.is_terminal)


def print_whole(table: Table, stream: TextIO) -> None:
    """Print as wide as needed where there is no terminal: Rich would cut at 80 columns."""
    console = make_console(stream)
    if not console.is_terminal:
        wide = console.options.update(width=100_000, max_width=100_000)
        console.width = max(Measurement.get(console, wide, table).maximum, 20)
    console.print(table)
