"""The overview that `emnist` prints without a command: its purpose, three examples, and one line per command."""

import sys

from emnist_cli import __version__

EXAMPLES = {
    "emnist predict picture.png": "which character is it?",
    "emnist predict scans/ -o results.csv": "every file in a folder gets a row",
    "emnist read page.jpg": "a whole page of hand-printed text",
}

COMMANDS = {
    "read pictures": {
        "predict": "pictures of one character each",
        "read": "pages of hand-printed characters",
        "serve": "a page to draw on, and a JSON API",
    },
    "train and measure": {
        "train": "a model on EMNIST, or on your own characters",
        "evaluate": "how often a model is right",
        "benchmark": "how fast it is here",
        "export": "a model for other programs",
        "models": "which models there are; import Keras models",
    },
    "EMNIST": {
        "data": "download, look at, check, hand on",
        "labels": "which class id is which character",
    },
    "help": {
        "doctor": "what is installed, and what is missing",
        "COMMAND --help": "all that a command can do",
    },
}


def print_overview() -> None:
    """Print the overview: in color on a terminal, else as plain text."""
    if sys.stdout.isatty():
        from emnist_cli.console.overview import draw_overview

        draw_overview(__version__, EXAMPLES, COMMANDS, sys.stdout)
        return
    print(f"emnist {__version__}: tells which handwritten characters pictures show\n")
    print("\n".join(f"  {line:<38}{about}" for line, about in EXAMPLES.items()))
    for title, commands in COMMANDS.items():
        print(f"\n{title}")
        print("\n".join(f"  {name:<16}{about}" for name, about in commands.items()))
