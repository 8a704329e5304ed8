"""Checks that every command that reads images runs first."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from emnist_cli.core.errors import UsageError


def check_stdin(paths: Iterable[str], command: str) -> None:
    """Check that stdin is not a terminal, where the command would wait for an image that nobody can type.

    Raises:
        UsageError: `paths` has "-" and stdin is a terminal.
    """
    if "-" in paths and sys.stdin.isatty():
        raise UsageError(f"- reads a picture from stdin, and none was given; write: emnist {command} - < picture.png")


def protect_pictures(paths: Iterable[str], output: Path | None) -> None:
    """Check that the output would not replace an image: one of `paths`, or one in a folder among them.

    Raises:
        UsageError: the output is one of `paths`, or its name is that of an image.
    """
    from emnist_cli.core.files.discovery import is_picture_name

    if output is None:
        return
    same = os.path.exists(output) and any(os.path.exists(p) and os.path.samefile(p, output) for p in paths)  # noqa: PTH110, PTH121
    if same or is_picture_name(output.name):
        raise UsageError(f"--output: expected a file for text, not a picture, which would be lost. Received: {output}")
