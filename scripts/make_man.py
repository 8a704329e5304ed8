"""Write man/emnist.1, the manual page, from the app itself; a test compares the two.

python scripts/make_man.py
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from typer.main import get_command  # noqa: E402

from emnist_cli import __version__  # noqa: E402
from emnist_cli.app import app  # noqa: E402
from emnist_cli.core.errors import ExitCode  # noqa: E402

PAGE = ROOT / "man" / "emnist.1"

OPTIONS = {
    "-h, --help": "Say what there is; after a command, what it can be asked for.",
    "--version": "Print the version.",
    "--install-completion": "Have Tab complete commands, options and values in the shell that is running.",
    "--show-completion": "Print what that would install.",
}
"""What stands before a command, or alone."""

ENVIRONMENT = {
    "EMNIST_MODEL": "Model for commands that are given none.",
    "EMNIST_DATA": "Folder that EMNIST is kept in.",
    "EMNIST_DEBUG": "Where it is 1, an unexpected error shows where it was raised.",
    "NO_COLOR": "Where it is set, nothing is coloured.",
}

CODES = {
    ExitCode.OK: "All went well.",
    ExitCode.UNEXPECTED: "An error of the program, or a limit that was asked for was missed.",
    ExitCode.USAGE: "The command line makes no sense.",
    ExitCode.INPUT: "At least one picture could not be read.",
    ExitCode.MODEL: "There is no such model, or it is damaged.",
    ExitCode.DATA: "The data is missing or damaged.",
    ExitCode.MISSING: "A package is not installed.",
    ExitCode.INTERRUPTED: "Interrupted.",
}


def manual() -> str:
    """Return the whole page in the man macros."""
    group: Any = get_command(app)
    lines = [
        '.\\" Made from the program by scripts/make_man.py; do not edit.',
        f'.TH EMNIST 1 "" "emnist {__version__}" "User Commands"',
        ".SH NAME",
        f"emnist \\- {escape(summary(group)[0].lower() + summary(group)[1:])}",
        ".SH SYNOPSIS",
        ".B emnist",
        ".I COMMAND",
        "[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        "Pictures of handwritten characters and pages become text, with a model that comes with the program",
        "or one that was trained on EMNIST or on pictures of your own.",
        "Results are written to stdout, all else to stderr.",
        ".SH OPTIONS",
    ]
    for name, meaning in OPTIONS.items():
        lines += [".TP", f".B {escape(name)}", escape(meaning)]
    lines.append(".SH COMMANDS")
    for name, command in each(group):
        lines += section(name, command)
    lines.append(".SH EXIT STATUS")
    for code, meaning in CODES.items():
        lines += [".TP", f".B {int(code)}", escape(meaning)]
    lines.append(".SH ENVIRONMENT")
    for name, meaning in ENVIRONMENT.items():
        lines += [".TP", f".B {name}", escape(meaning)]
    lines += [".SH EXAMPLES", *examples("emnist predict scan.png", "emnist predict scans/ --output results.csv")]
    lines += examples("emnist read letter.jpg", "emnist train --split balanced", "emnist serve --open")
    return "\n".join(lines) + "\n"


def each(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command and those below it."""
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        if hasattr(command, "commands"):
            yield from each(command, f"{before}{name} ")


def section(name: str, command: Any) -> list[str]:
    """Describe one command."""
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    usage = " ".join(f"\\fI{escape(argument.metavar)}\\fR" for argument in arguments)
    lines = [f'.SS "emnist {name}"', f"\\fBemnist {name}\\fR [\\fIOPTIONS\\fR] {usage}".rstrip(), ".PP"]
    paragraphs = inspect.cleandoc(command.help).split("\n\n")
    for paragraph in paragraphs:
        lines += [escape(" ".join(paragraph.split())), ".PP"]
    for parameter in command.params:
        lines += describe(parameter)
    return lines


def describe(parameter: Any) -> list[str]:
    """Describe an argument or option as a paragraph with a tag."""
    if parameter.name == "help":
        return []
    if parameter.param_type_name == "argument":
        return [".TP", f"\\fI{escape(parameter.metavar)}\\fR", escape(parameter.help)]
    names = ", ".join(f"\\fB{escape(name)}\\fR" for name in [*parameter.opts, *parameter.secondary_opts])
    value = "" if parameter.is_flag else f" \\fI{escape(parameter.metavar)}\\fR"
    default = getattr(parameter.default, "value", parameter.default)
    shown = parameter.required or parameter.is_flag or default in (None, "")
    text = parameter.help if shown else f"{parameter.help} Default: {default}."
    return [".TP", f"{names}{value}", escape(text)]


def examples(*lines: str) -> list[str]:
    """Show commands as they are typed."""
    return [line for typed in lines for line in (".PP", ".nf", f".RS\n{escape(typed)}\n.RE", ".fi")]


def summary(command: Any) -> str:
    """Return the first line of a help text, without its full stop."""
    return str(inspect.cleandoc(command.help).splitlines()[0]).rstrip(".")


def escape(text: str) -> str:
    """Keep groff from reading a text's own characters as its marks."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha")
    return re.sub(r"^\.", r"\\&.", text.replace("~", "\\(ti").replace("`", "\\(ga"))


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(manual(), encoding="utf-8")
