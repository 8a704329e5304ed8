"""Turn a usage error into one line that says what was probably meant; `app` uses it."""

import re
from typing import Any

from emnist_cli.core.errors import did_you_mean, nearest


def explain_usage(error: Any) -> str:
    """Return a usage error of Typer's as one line.

    Args:
        error: one of Typer's own click exceptions.
    """
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "emnist"
    message = _reword(error)
    return f"{message} See: {command} --help" if message.endswith("?") else f"{message}; see: {command} --help"


def _reword(error: Any) -> str:
    if possibilities := getattr(error, "possibilities", None):
        return f"No such option: {error.option_name}; {did_you_mean(error.option_name, possibilities)}"
    message = str(error.format_message()).replace("Value error, ", "").rstrip(".")
    if choice := re.search(r"'([^']*)' is not one of (.+)$", message):
        near = nearest(choice[1], re.findall(r"'(.*?)'", choice[2]))
        return f"{message}; did you mean {near}?" if near else message
    received = _received(error)
    return message if received is None or received in message else f"{message}. Received: {received!r}"


def _received(error: Any) -> str | None:
    """Return the text that could not be converted to a value; None if it is unknown."""
    details = getattr(error.__cause__, "errors", None)
    found = details()[0].get("input") if callable(details) else None
    return found if isinstance(found, str) else None
