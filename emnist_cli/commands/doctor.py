"""`emnist doctor`: report what is installed, where everything is, and how to get what is missing."""

import os
from typing import TYPE_CHECKING

import typer

from emnist_cli.cli.options import DataDir, FormatOption, Output, Quiet
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.errors import ExitCode
from emnist_cli.output.formats import Format, choose_format, notify, open_output, write_records

if TYPE_CHECKING:
    from emnist_cli.core.doctor import Check

COLUMNS = ("check", "state", "found", "advice")


def doctor(data_dir: DataDir = None, form: FormatOption = None, output: Output = None, quiet: Quiet = False) -> None:
    """Tell what is installed, where models and data are, and what to do about what is missing.

    Put what it prints into a report of a problem. The exit code is 1 if
    pictures could not be read as things are; what is only needed for
    other commands does not count. It looks at this machine alone, and
    changes nothing.
    """
    from emnist_cli.core.doctor import PROBLEM, examine

    chosen = choose_format(form, output)
    model = os.environ.get("EMNIST_MODEL") or DEFAULT_MODEL
    checks: list[Check] = list(examine(model, data_dir, lambda stage: None if quiet else notify(stage)))
    with open_output(output) as stream:
        if chosen is Format.TABLE:
            from emnist_cli.console.doctor import print_checks

            print_checks(checks, stream)
        else:
            write_records((check.as_dict() for check in checks), chosen, stream, COLUMNS, COLUMNS)
    if any(check.state == PROBLEM for check in checks):
        raise typer.Exit(ExitCode.UNEXPECTED)
