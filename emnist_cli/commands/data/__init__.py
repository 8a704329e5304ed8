"""`emnist data`: the group of commands that download, show, verify and export EMNIST."""

import typer

from emnist_cli.cli.group import CommandGroup
from emnist_cli.commands.data.inspect_data import info, show, verify
from emnist_cli.commands.data.transfer import download, export, import_

data = typer.Typer(name="data", cls=CommandGroup, invoke_without_command=True)


@data.callback()
def _help(context: typer.Context) -> None:
    """Get EMNIST, look at it, check it, hand it on."""
    if context.invoked_subcommand is None:
        print(context.get_help())


data.command("download")(download)
data.command("import")(import_)
data.command("info")(info)
data.command("show")(show)
data.command("verify")(verify)
data.command("export")(export)
