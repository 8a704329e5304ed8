"""Draw the overview that `emnist` prints on a terminal without a command."""

from collections.abc import Mapping
from typing import TextIO

from rich.text import Text

from emnist_cli.console.style import GOOD, make_console


def draw_overview(
    version: str, examples: Mapping[str, str], commands: Mapping[str, Mapping[str, str]], stream: TextIO
) -> None:
    """Draw what the program is for, examples of it, and its commands in groups.

    Args:
        version: of the program.
        examples: a command line -> what it does.
        commands: title of a group -> command -> what it does.
        stream: where to.
    """
    console = make_console(stream)
    lines = [
        Text(),
        Text.assemble(
            "  ", ("emnist", f"bold {GOOD}"), f" {version}", "  tells which handwritten characters pictures show"
        ),
        Text(),
    ]
    for line, about in examples.items():
        lines.append(Text.assemble("    $ ", (f"{line:<38}", "bold"), ("# " + about, "dim")))
    for title, group in commands.items():
        lines += [Text(), Text(f"  {title}", style="bold")]
        lines += [Text.assemble("    ", (f"{name:<16}", GOOD), about) for name, about in group.items()]
    for text in [*lines, Text()]:
        console.print(text)
