"""Find the images of a labelled folder and their labels, for evaluation, the benchmark and training.

Labels come from a table (labels.csv) or from the names of subfolders, one per character.
"""

import csv
import os
import re
import string
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from emnist_cli.core.errors import DataError, UsageError
from emnist_cli.core.files.discovery import ImageRef, find_pictures

LABELS = "labels.csv"
"""The table that is looked for in the folder."""


class Labelled(NamedTuple):
    """A picture, or a path that leads to none, and what it shows: a character or the name of a class."""

    found: ImageRef
    label: str


def read_folder(
    folder: Path,
    labels: Path | None = None,
    where: str | None = None,
    names: Collection[str] = (),
    on_skip: Callable[[str], None] = lambda path: None,
) -> list[Labelled]:
    """Find the pictures of a folder and their labels.

    Args:
        folder: of pictures; or of folders, each named by what its pictures show: one character, `upper-A` or
            `lower-a` (where a file system takes `A` and `a` for the same name), a character's code (`U+002F`), or
            one of `names`. Folders called `_` and more hold what has no label.
        labels: csv file with the columns `file`, relative to `folder`, and `label`; None for the folder's own
            labels.csv, or where it has none, its sub-folders.
        where: "COLUMN=VALUE"; keeps the rows of the table that have this value there.
        names: of classes, for folders that stand for several characters.
        on_skip: called with each file or folder that is left out because nothing labels it.

    Raises:
        UsageError: `folder` or `labels` is not there; `where` is malformed or there is no table to use it on.
        DataError: the table or a sub-folder cannot be understood, or there is nothing labelled.
    """
    if not folder.is_dir():
        raise UsageError(f"--folder: expected a folder of pictures. Received: {folder}")
    table = labels or folder / LABELS
    if labels is not None or table.is_file():
        return _from_table(folder, table, where)
    if where is not None:
        raise UsageError(f"--where: chooses rows of a table, and there is no {LABELS} in {folder}; give --labels FILE")
    return _from_folders(folder, names, on_skip)


def folder_name(label: str) -> str:
    """Return the name of the folder that `read_folder` takes for a character, on every file system.

    Args:
        label: one character. Letters beyond ASCII go by their code too: file systems spell some in two ways.
    """
    if label in string.digits:
        return label
    if label in string.ascii_letters:
        return f"{'upper' if label.isupper() else 'lower'}-{label}"
    return f"U+{ord(label):04X}"


def find_class(label: str, classes: Sequence[str]) -> int | None:
    """Return the class that a label belongs to, or None.

    Args:
        label: a character, or the name of a class.
        classes: in order of the network's outputs, the characters each stands for.
    """
    if label in classes:
        return classes.index(label)
    return next((i for i, characters in enumerate(classes) if len(label) == 1 and label in characters), None)


def _from_table(folder: Path, table: Path, where: str | None) -> list[Labelled]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            if not {"file", "label"} <= set(columns):
                raise DataError(f"{table}: expected the columns file and label. Received: {', '.join(columns)}")
            keep = _filter(where, columns)
            found = [_row(folder, table, reader.line_num, row) for row in reader if keep(row)]
    except OSError as error:
        raise UsageError(f"--labels: cannot be read: {error.strerror or error}. Received: {table}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: not a csv file in UTF-8 ({error})") from None
    if not found:
        raise DataError(f"{table}: no row has {where}" if where else f"{table}: names no picture")
    return found


def _row(folder: Path, table: Path, line: int, row: dict[str, str | None]) -> Labelled:
    file, label = (row["file"] or "").strip(), (row["label"] or "").strip()
    if not file or not label:
        raise DataError(f"{table}, line {line}: has no {'file' if not file else 'label'}")
    return Labelled(ImageRef(os.path.join(folder, file)), label)  # noqa: PTH118 - names that pathlib would change


def _filter(where: str | None, columns: Sequence[str]) -> Callable[[dict[str, str | None]], bool]:
    """Turn "COLUMN=VALUE" into what tells whether a row has the value."""
    if where is None:
        return lambda row: True
    column, equals, value = where.partition("=")
    if not equals or column not in columns:
        expected = f"COLUMN=VALUE, where COLUMN is one of {', '.join(columns)}"
        raise UsageError(f"--where: expected {expected}. Received: {where!r}")
    return lambda row: row[column] == value


def _from_folders(folder: Path, names: Collection[str], on_skip: Callable[[str], None]) -> list[Labelled]:
    found: list[Labelled] = []
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    for entry in entries:
        unnamed = len(entry.name) > 1 and entry.name.startswith("_") and entry.name not in names
        if not entry.is_dir() or unnamed:
            on_skip(str(entry))
            continue
        label = _folder_label(entry, names)
        pictures = find_pictures([str(entry)], recursive=True, on_skip=on_skip)
        found += [Labelled(picture, label) for picture in pictures if not _is_empty(picture, entry)]
    if not found:
        raise DataError(f"{folder}: has neither {LABELS} nor folders of pictures named by their label (A, b, lower-c)")
    return found


def _is_empty(picture: ImageRef, entry: Path) -> bool:
    """Whether this only says that a folder has no pictures, which is no failure: a class may have none."""
    return picture.problem is not None and picture.path == str(entry) and os.access(entry, os.R_OK | os.X_OK)


def _folder_label(entry: Path, names: Collection[str]) -> str:
    name = entry.name
    case, dash, character = name.partition("-")
    if dash and len(character) == 1 and case in {"upper", "lower"}:
        return character.upper() if case == "upper" else character.lower()
    if len(name) == 1 or name in names:
        return name
    code = re.fullmatch(r"U\+([0-9A-F]{4,6})", name)
    if code and int(code[1], 16) <= sys.maxunicode:
        return chr(int(code[1], 16))
    raise DataError(f"{entry}: no label; expected a folder called by one character, upper-A or lower-a, or {LABELS}")
