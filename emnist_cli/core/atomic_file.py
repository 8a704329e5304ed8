"""Write folders completely or not at all, and never replace valuable ones; bundles, data and reports use it."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_A_DAY = 24 * 60 * 60


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of `place` at the end; if that fails, nothing is left.

    Raises:
        OSError: it cannot be made or renamed; `place` is then as it was.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name[:100]}.") as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        yield new
        put_in_place(new, place)


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


def remove_leftovers(parent: Path, pattern: str) -> None:
    """Remove folders that runs which were killed have left: those that nothing was put into for a day.

    Args:
        parent: where they are.
        pattern: of their names, such as only runs of one kind use.
    """
    for folder in parent.glob(pattern):
        with suppress(OSError):  # gone by now
            if time.time() - folder.stat().st_mtime > _A_DAY:
                shutil.rmtree(folder, ignore_errors=True)


def is_worked_in(folder: Path) -> bool:
    """Whether this process works in `folder` or below: replacing it would leave the caller nowhere."""
    return Path.cwd().resolve().is_relative_to(folder.resolve())
