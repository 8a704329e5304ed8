"""Decide which labels a network's outputs stand for, for `import_spec` and `importer`.

The labels come from the files that small EMNIST projects ship, or from the number of outputs. Supported are
label_mapping.csv in its many variants and the file of `emnist labels`, EMNIST's own mapping.txt, JSON, and plain text
with one character per line. Standard library only.
"""

import csv
import json
import string
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emnist_cli.core.errors import ModelError, UsageError
from emnist_cli.core.labels import CUSTOM, SPLITS, Split, find_split, split_of_size

_ID_NAMES = ("id", "index", "class_id", "label_id", "class", "key")
_CHARACTER_NAMES = ("characters", "character", "char", "letter", "symbol", "label", "name", "value", "class")
_LETTERS_WITH_UNUSED = {27: "output 0 is not used", 37: "outputs 0 and 27 to 36 are not used"}
"""Outputs of networks for letters: ids 1..26 taken for outputs, and tensorflow-datasets' 37 declared classes."""


class Labels(NamedTuple):
    """A label file.

    Attributes:
        name: of the file.
        characters: in order of id, what each class stands for, the character shown first.
        first_id: 0 or 1.
    """

    name: str
    characters: tuple[str, ...]
    first_id: int


class Naming(NamedTuple):
    """What a network's outputs stand for.

    Attributes:
        split: name of an EMNIST split, or `CUSTOM`.
        classes: in order, the characters each stands for; their outputs follow one another.
        first: the output that the first class is.
        note: what was taken for granted, or "".
    """

    split: str
    classes: tuple[str, ...]
    first: int = 0
    note: str = ""


def name_outputs(count: int, labels: Labels | None, split: str | None) -> Naming:
    """Decide what a network's outputs stand for.

    Args:
        count: how many there are.
        labels: what a file says.
        split: the EMNIST split whose classes they are.

    Raises:
        ModelError: that does not fit their number, or no split has so many.
    """
    if labels is not None:
        if count - len(labels.characters) not in {0, labels.first_id}:  # one more: id 0, which is not used
            raise ModelError(
                f"{labels.name} names {len(labels.characters)} classes, the network has {count} outputs; "
                "give the file that it was trained with"
            )
        known = split_of_size(len(labels.characters))
        if known and [c.label for c in known.classes] == [characters[0] for characters in labels.characters]:
            return Naming(known.name, _characters_of(known), count - len(labels.characters))
        return Naming(CUSTOM, labels.characters, count - len(labels.characters))
    usual = SPLITS["letters"] if count in _LETTERS_WITH_UNUSED else split_of_size(count)
    chosen = find_split(split) if split else usual
    if chosen is not None:
        classes = _characters_of(chosen)
        if count == len(classes):
            return Naming(chosen.name, classes)
        if chosen.name == "letters" and count in _LETTERS_WITH_UNUSED:
            return Naming("letters", classes, 1, f"{count} outputs: {_LETTERS_WITH_UNUSED[count]}, 1 to 26 are A to Z")
        raise ModelError(f"{chosen.name} has {len(classes)} classes, the network has {count} outputs; see --labels")
    if count == 36:
        note = "36 outputs are taken for 0 to 9 and A to Z; if they are others, say so with --labels"
        return Naming(CUSTOM, tuple(string.digits + string.ascii_uppercase), note=note)
    raise ModelError(
        f"the network has {count} outputs; expected 62, 47, 26 or 10 as EMNIST's splits have, 27 or 37 for letters, 36 "
        "for digits and capitals, or --labels FILE, which says what each stands for"
    )


def _characters_of(split: Split) -> tuple[str, ...]:
    return tuple(c.characters for c in split.classes)


def read_labels(path: Path) -> Labels:
    """Read a label file.

    Raises:
        UsageError: it cannot be read, or does not say of each class id which character it is.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        by_id = _from_json(json.loads(text)) if text.lstrip()[:1] in "[{" and text.strip() else _from_rows(_rows(text))
    except OSError as error:
        raise UsageError(f"--labels: {path} cannot be read ({error.strerror or error})") from None
    except (ValueError, csv.Error) as error:
        raise UsageError(
            f"--labels: {path}: {error}; expected a class id and its character in each row, as: "
            "emnist labels --format csv"
        ) from None
    ids = sorted(by_id)
    if not ids or ids[0] not in (0, 1) or ids != list(range(ids[0], ids[0] + len(ids))):
        shown = f"{ids[0]}..{ids[-1]}, {len(ids)} of them" if ids else "none"
        raise UsageError(f"--labels: {path}: expected ids from 0 or 1 without a gap. Received: {shown}")
    return Labels(path.name, tuple(by_id[i] for i in ids), ids[0])


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = next((d for d in ",;\t" if lines and d in lines[0]), None)
    return list(csv.reader(lines, delimiter=delimiter)) if delimiter else [line.split() for line in lines]


def _from_rows(rows: list[list[str]]) -> dict[int, str]:
    if not rows or len({len(row) for row in rows}) > 1:
        raise ValueError("its rows are of different lengths" if rows else "it is empty")
    header = [""] * len(rows[0])
    if _is_header(rows[0], rows[1:]):
        header, rows = [cell.strip().lower() for cell in rows[0]], rows[1:]
    columns = [[row[i].strip() for row in rows] for i in range(len(header))]
    if len(columns) == 1:
        return {i: _character(cell) for i, cell in enumerate(columns[0])}
    numbers = [i for i, column in enumerate(columns) if all(cell.isdecimal() for cell in column)]
    ids = next((i for i in numbers if header[i] in _ID_NAMES), next((i for i in numbers if _counts(columns[i])), None))
    if ids is None:
        raise ValueError("none of its columns counts from 0 or 1")
    texts = _characters([(header[i], columns[i]) for i in range(len(columns)) if i != ids])
    return dict(zip(map(int, columns[ids]), texts, strict=True))


def _is_header(first: list[str], below: list[list[str]]) -> bool:
    """Whether a first row only names what is below it: no number where numbers are, or longer than one character."""
    if len(first) == 1:
        return len(first[0].strip()) > 1 and all(len(row[0].strip()) == 1 for row in below)
    numbers = [i for i in range(len(first)) if all(row[i].strip().isdecimal() for row in below)]
    return any(not first[i].strip().isdecimal() for i in numbers)


def _counts(column: Sequence[str]) -> bool:
    ids = sorted(map(int, column))
    return ids in (list(range(len(ids))), list(range(1, len(ids) + 1)))


def _characters(columns: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Find the characters: a column called so, one with a character in each cell, or character codes."""
    for name in _CHARACTER_NAMES:
        for header, column in columns:
            if header == name and (name == "characters" or all(len(cell) == 1 for cell in column)):
                return [_character(cell, several=name == "characters") for cell in column]
    for _, column in columns:
        if all(len(cell) == 1 for cell in column):
            return [_character(cell) for cell in column]
    codes = [c for _, c in columns if all(cell.isdecimal() and 32 < int(cell) < 0x110000 for cell in c)]
    if codes:
        return ["".join(chr(int(cell)) for cell in cells) for cells in zip(*codes, strict=True)]
    raise ValueError(f"it has no column with a character in each row, such as {columns[0][1][0]!r} is not")


def _from_json(content: Any) -> dict[int, str]:
    if isinstance(content, list):
        return {i: _character(item) for i, item in enumerate(content)}
    if not isinstance(content, Mapping):
        raise ValueError("it is neither a list nor an object")
    if all(key.isdecimal() for key in content):
        return {int(key): _character(value) for key, value in content.items()}
    if all(isinstance(value, int) for value in content.values()):  # as Keras' class_indices
        return {int(value): _character(key) for key, value in content.items()}
    raise ValueError("its keys are no class ids, nor are its values")


def _character(cell: object, several: bool = False) -> str:
    if isinstance(cell, int) and 32 < cell < 0x110000:
        return chr(cell)
    text = unicodedata.normalize("NFC", str(cell))
    if not text.isprintable() or text.isspace() or len(text) < 1 or (len(text) > 1 and not several):
        raise ValueError(f"{text!r} is not one character")
    return text
