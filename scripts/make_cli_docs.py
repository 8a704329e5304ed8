"""Write docs/cli.md, the command reference, from the app itself; a test compares the two.

python scripts/make_cli_docs.py
"""

import inspect
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from typer.main import get_command  # noqa: E402

from emnist_cli.app import app  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"


def reference() -> str:
    """Return the whole page as Markdown."""
    group: Any = get_command(app)
    parts = [
        "# Command reference",
        "Made from the program by `scripts/make_cli_docs.py`; do not edit.",
        "`emnist --version` prints the version, `emnist COMMAND --help` the same as below.",
        f"{group.epilog} Details: [contract.md](contract.md).",
    ]
    for name, command in group.commands.items():
        parts += section(name, command)
        for inner, subcommand in getattr(command, "commands", {}).items():
            parts += section(f"{name} {inner}", subcommand)
    return "\n\n".join(parts) + "\n"


def section(name: str, command: Any) -> list[str]:
    """Describe one command."""
    arguments = " ".join(p.metavar for p in command.params if p.param_type_name == "argument")
    described = [p for p in command.params if p.name != "help"]
    usage = f"[OPTIONS] {arguments}"
    if hasattr(command, "commands"):
        usage = "[OPTIONS] [COMMAND ...]" if described else "COMMAND ..."
    parts = [f"## emnist {name}", inspect.cleandoc(command.help), f"    emnist {name} {usage}".rstrip()]
    if not described:
        return parts
    rows = ["| option | meaning | default |", "| --- | --- | --- |"]
    rows += [row(p) for p in described]
    return [*parts, "\n".join(rows)]


def row(parameter: Any) -> str:
    """Describe one option or argument."""
    if parameter.param_type_name == "argument":
        return f"| `{parameter.metavar}` | {parameter.help} | required |"
    value = "" if parameter.is_flag else f" {parameter.metavar}".replace("|", "\\|")
    unset = parameter.default is None or parameter.is_flag
    default = (
        "required"
        if parameter.required
        else ""
        if unset
        else f"`{getattr(parameter.default, 'value', parameter.default)}`"
    )
    environment = f" Environment variable: `{parameter.envvar}`." if parameter.envvar else ""
    names = "/".join([", ".join(parameter.opts), *parameter.secondary_opts])
    if parameter.secondary_opts and parameter.default is not None:
        default = f"`{parameter.opts[0] if parameter.default else parameter.secondary_opts[0]}`"
    return f"| `{names}{value}` | {parameter.help}{environment} | {default} |"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
