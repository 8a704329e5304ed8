"""Colors, symbols and labels that are readable on any terminal, shared by all console modules."""

import os
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console
from rich.table import Table
from rich.theme import Theme

from emnist_cli.output.formats import one_line

GOOD, FAIR, BAD = "color(28)", "color(130)", "color(160)"
"""Green, amber and red from the middle of the scale: of the usual sixteen, yellow and green vanish on white paper."""

_PLAIN_HEAD = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
_THEME = Theme(
    {
        "bar.back": "dim",
        **dict.fromkeys(("bar.complete", "bar.finished", "bar.pulse", "progress.spinner"), GOOD),
        **dict.fromkeys(("progress.download", "progress.data.speed", "progress.percentage", "progress.remaining"), ""),
    }
)


def make_console(stream: TextIO) -> Console:
    """Return a Rich console on `stream` that draws what it is given: no markup, no highlighting, no cutting.

    NO_COLOR takes bold and dim away, too: no escape codes are left in what is drawn.
    """
    colours: Any = None if os.environ.get("NO_COLOR") else "auto"
    return Console(file=stream, color_system=colours, theme=_THEME, highlight=False, markup=False, soft_wrap=False)


def make_table(console: Console, **options: Any) -> Table:
    """Return an empty table with a line below its headings; `options` are those of Rich's Table."""
    look: dict[str, Any] = {"show_edge": False, "pad_edge": False, "padding": (0, 1, 0, 0)}
    return Table(box=_PLAIN_HEAD if is_plain(console) else SIMPLE_HEAD, **{**look, **options})


def is_plain(console: Console) -> bool:
    """Tell whether a console can be trusted with ASCII alone: an old code page has no such lines and shades."""
    return console.options.ascii_only or console.options.legacy_windows


def fit(text: str, console: Console) -> str:
    """Make a text safe for one line of `console`: what its encoding lacks becomes an escape, before it is laid out."""
    return one_line(text).encode(console.encoding, "backslashreplace").decode(console.encoding)


def quote(label: str) -> str:
    """Return a label in quotes, so that its ends can be seen: a point, a quote and a blank are labels, too."""
    mark = '"' if "'" in label else "'"
    return f"{mark}{label}{mark}"


def name(label: str) -> str:
    """Return a label in quotes and what kind of character it is: O and 0, l and I look alike in many fonts."""
    return f"{quote(label)} {kind}" if (kind := _kind(label)) else quote(label)


def _kind(label: str) -> str:
    if len(label) != 1:
        return ""
    return "digit" if label.isdigit() else "upper" if label.isupper() else "lower" if label.islower() else ""
