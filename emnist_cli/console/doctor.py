"""The table that `emnist doctor` prints."""

from collections.abc import Sequence
from typing import TextIO

from rich.text import Text

from emnist_cli.console.style import BAD, GOOD, fit, make_console, make_table
from emnist_cli.console.tables import print_whole
from emnist_cli.core.doctor import MISSING, NOTE, OK, PROBLEM, Check

_STYLES = {OK: GOOD, MISSING: "bold", PROBLEM: f"bold {BAD}", NOTE: "dim"}


def print_checks(checks: Sequence[Check], stream: TextIO) -> None:
    """Draw one row a check, and under what was found what to do about it."""
    console = make_console(stream)
    table = make_table(console)
    table.add_column("", no_wrap=True)
    table.add_column("check", no_wrap=True)
    table.add_column("found", overflow="fold")
    for check in checks:
        found = Text(fit(check.found, console))
        if check.advice:
            found.append(f"\n> {fit(check.advice, console)}", style="bold")
        table.add_row(Text(check.state, style=_STYLES[check.state]), Text(fit(check.check, console)), found)
    print_whole(table, stream)
