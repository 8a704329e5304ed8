"""Sort the names in a folder the same way each time, however many there are; `files.discovery` uses it."""

import os
from collections.abc import Generator, Iterator
from contextlib import closing

Entry = tuple[str, int]
"""A name and what `files` knows of its kind."""


def by_bytes(entry: Entry) -> bytes:
    """Order names by what the system has on disk."""
    return os.fsencode(entry[0])


def sorted_on_disk(entries: Iterator[Entry]) -> Generator[Entry, None, None]:
    """Sort by name in a database without a name, a file in the folder for temporary ones that vanishes when closed."""
    try:
        import sqlite3  # only large folders pay for it
    except ImportError:  # a Python built without it
        yield from sorted(entries, key=by_bytes)
        return
    try:
        with closing(sqlite3.connect("", check_same_thread=False)) as database:  # a run may end in another thread
            for setting in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "cache_size=-2000"):
                database.execute(f"PRAGMA {setting}")
            database.execute("CREATE TABLE entries (name BLOB, kind INTEGER)")
            database.executemany("INSERT INTO entries VALUES (?, ?)", ((os.fsencode(n), kind) for n, kind in entries))
            for name, kind in database.execute("SELECT name, kind FROM entries ORDER BY name"):
                yield os.fsdecode(name), kind
    except sqlite3.Error as error:
        raise OSError(f"{error} while sorting its names in a temporary file") from None
