"""The Typer app, run by `__main__`: it registers the commands and turns errors into one line and an exit code.

The line goes to stderr.
"""

import os
import sys
from typing import Annotated, Any

import typer

from emnist_cli import __version__
from emnist_cli.cli.group import CommandGroup
from emnist_cli.cli.overview import COMMANDS, print_overview
from emnist_cli.cli.usage import explain_usage
from emnist_cli.commands.benchmark import benchmark
from emnist_cli.commands.data import data
from emnist_cli.commands.doctor import doctor
from emnist_cli.commands.evaluate import evaluate
from emnist_cli.commands.export import export
from emnist_cli.commands.labels import labels
from emnist_cli.commands.models import models
from emnist_cli.commands.predict import predict
from emnist_cli.commands.read import read
from emnist_cli.commands.serve import serve
from emnist_cli.commands.train import train
from emnist_cli.core.errors import EmnistError, ExitCode
from emnist_cli.output.formats import notify

# Typer has a click of its own inside; this is the base class of its errors, reached through a public name.
_ClickException: type[Exception] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

_PACKAGES = {"PIL": "pillow", "ai_edge_litert": "ai-edge-litert", "sklearn": "scikit-learn"}
"""Import name -> the package that brings it, where the two differ."""


class Group(CommandGroup):
    """A group of commands that prints errors as one line."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; ends in SystemExit with a documented code unless `standalone_mode` is off."""
        standalone_mode = kwargs.pop("standalone_mode", True)
        words = kwargs.get("args") or (args[0] if args else None) or sys.argv[1:]
        if {"help", "--help", "-h"}.intersection(words) or words == ["data"]:
            from emnist_cli.console.help import restyle_help  # imports rich, as help does anyway

            restyle_help()
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except _ClickException as error:
            code = _fail(explain_usage(error), ExitCode.USAGE)
        if standalone_mode:
            sys.exit(code or 0)
        return code

    def invoke(self, ctx: Any) -> Any:
        """Run a command, translating the project's errors."""
        try:
            return super().invoke(ctx)
        except EmnistError as error:
            raise typer.Exit(_fail(str(error), error.exit_code)) from None
        except ModuleNotFoundError as error:
            package = _PACKAGES.get(error.name or "", error.name)
            text = f"{package} is not installed; run: pip install {package}"
            raise typer.Exit(_fail(text, ExitCode.MISSING)) from None
        except KeyboardInterrupt:
            raise typer.Exit(_fail("interrupted", ExitCode.INTERRUPTED)) from None
        except (typer.Exit, typer.Abort, BrokenPipeError, _ClickException):
            raise
        except Exception as error:
            if os.environ.get("EMNIST_DEBUG"):
                raise
            text = f"unexpected {type(error).__name__}: {error}. EMNIST_DEBUG=1 shows where; please report it"
            raise typer.Exit(_fail(text, ExitCode.UNEXPECTED)) from None


def _fail(text: str, code: ExitCode) -> int:
    notify(" ".join(text.split()))
    return int(code)


def _show_version(value: bool) -> None:
    if value:
        print(f"emnist {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="emnist",
    cls=Group,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ok, 1 unexpected, 2 usage, 3 a picture failed, 4 model, 5 data, 6 something missing.",
)


@app.callback()
def emnist(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Read handwritten characters from pictures."""
    if context.invoked_subcommand is None:
        print_overview()


_PANELS = {name: title[0].upper() + title[1:] for title, names in COMMANDS.items() for name in names}

for command in (predict, read, serve, train, evaluate, benchmark, export):
    app.command(rich_help_panel=_PANELS[command.__name__])(command)
app.add_typer(models, rich_help_panel=_PANELS["models"])
app.add_typer(data, rich_help_panel=_PANELS["data"])
app.command(rich_help_panel=_PANELS["labels"])(labels)
app.command(rich_help_panel=_PANELS["doctor"])(doctor)
