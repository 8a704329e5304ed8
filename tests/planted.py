"""Links that somebody else planted beside a file which is about to be written."""

import os
from pathlib import Path


def planted_links(place: Path, victim: Path) -> None:
    """Put links to another file at each temporary name for `place` that could be guessed."""
    victim.write_bytes(b"kept")
    for name in (f".{place.name}.tmp", f".{place.name}.{os.getpid()}.tmp"):
        place.with_name(name).symlink_to(victim)
