"""Colors for Typer's help pages that are readable on dark and light terminals; `app` applies them."""

import os

from typer import rich_utils

from emnist_cli.console.style import BAD, FAIR, GOOD


def restyle_help() -> None:
    """Let Typer draw help with colours that are not lost on white; none at all with NO_COLOR."""
    if os.environ.get("NO_COLOR"):
        rich_utils.COLOR_SYSTEM = None
    for name in ("OPTION", "SWITCH", "NEGATIVE_OPTION", "NEGATIVE_SWITCH", "COMMANDS_TABLE_FIRST_COLUMN"):
        setattr(rich_utils, f"STYLE_{name}", f"bold {GOOD}")
    for name in ("REQUIRED_SHORT", "REQUIRED_LONG", "ERRORS_PANEL_BORDER", "ABORTED"):
        setattr(rich_utils, f"STYLE_{name}", BAD)
    for name in ("TYPES", "USAGE"):
        setattr(rich_utils, f"STYLE_{name}", FAIR)
    rich_utils.STYLE_OPTION_ENVVAR = rich_utils.STYLE_HELPTEXT = ""
