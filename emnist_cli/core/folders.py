"""Folders that appear whole or not at all, and replace nothing that would be missed."""

import os
import shutil
from pathlib import Path


def put_in_place(new: Path, place: Path) -> None:
    """Rename folder `new` to `place`; what was there is removed only when that is done.

    Raises:
        OSError: it cannot be renamed; `place` is then as it was.
    """
    old = place.with_name(f".{place.name[:100]}.old-{os.getpid()}")
    try:
        if place.exists():
            place.rename(old)
        new.rename(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.rename(place)
        raise
    if old.exists():
        shutil.rmtree(old, ignore_errors=True)


def is_worked_in(folder: Path) -> bool:
    """Whether this process works in `folder` or below: replacing it would leave the caller nowhere."""
    return Path.cwd().resolve().is_relative_to(folder.resolve())
