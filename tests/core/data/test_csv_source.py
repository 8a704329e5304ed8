"""Kaggle's csv: parsed in blocks, as strictly as IDX, with the row in every error."""

from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.data.sources import EmnistSource, open_source
from emnist_cli.core.errors import DataError
from tests import archives

EMNIST = archives.small("digits")
FILES = dict(archives.csv_files(EMNIST))
TRAIN = "emnist-digits-train.csv"
ROWS = FILES[TRAIN].splitlines()
LONG = 700
"""Rows that take more than one block of 1 MiB."""


def source(folder: Path, text: bytes) -> EmnistSource:
    return open_source(archives.write_folder(folder, FILES | {TRAIN: text}))


def with_value(value: bytes, row: int = 2) -> bytes:
    """Put `value` in place of a row's third value."""
    fields = ROWS[row].split(b",")
    fields[2] = value
    return b"\n".join([*ROWS[:row], b",".join(fields), *ROWS[row + 1 :]]) + b"\n"


DAMAGE = {
    "a header": (b"label,pixel1\n" + FILES[TRAIN], "row 1: .*Received: 2 values, 'label,pixel1'"),
    "a page": (b"<html>\n<body>\n", "row 1: .*Received: 1 values, '<html>'"),
    "a value too many": (ROWS[0] + b"\n" + ROWS[1] + b",0\n", "row 2: .*Received: 786 values"),
    "values that make up for each other": (
        ROWS[0] + b"\n" + ROWS[1][:-2] + b"\n" + ROWS[2] + b",0\n",
        "row 2: .*Received: 784 values",
    ),
    "cut within a row": (FILES[TRAIN][:-500], "row 4: .*Received: [0-9]+ values"),
    "cut after a comma": (FILES[TRAIN][:-2], "row 4: .*Received: ''"),
    "an empty line": (ROWS[0] + b"\n\n" + ROWS[1], "row 2: .*Received: 1 values, ''"),
    "256": (with_value(b"256"), "row 3: .*Received: '256'"),
    "999": (with_value(b"999"), "row 3: .*Received: '999'"),
    "four digits": (with_value(b"0001"), "row 3: .*Received: '0001'"),
    "negative": (with_value(b"-1"), "row 3: .*Received: '-1'"),
    "a fraction": (with_value(b"0.5"), "row 3: .*Received: '0.5'"),
    "a word": (with_value(b"nan"), "row 3: .*Received: 'nan'"),
    "a blank": (with_value(b" 1"), "row 3: .*Received: ' 1'"),
    "no value": (with_value(b""), "row 3: .*Received: ''"),
    "not text": (with_value(b"\xff"), "row 3: .*Received: '\ufffd'"),
    "a blank first": (b" " + FILES[TRAIN], "row 1: .*Received: ' "),
    "far down": (b"\n".join(ROWS[:1] * LONG) + b"\n" + with_value(b"x"), "row 703: .*Received: 'x'"),
    "no end": (b"0" * (3 << 20), "row 1 has no end"),
    "nothing": (b"", "Received: an empty file"),
    "a label of another split": (
        FILES[TRAIN] + b"10" + ROWS[0][1:] + b"\n",
        "0..9 of digits. Received: 10 for picture 5",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_while_reading(tmp_path: Path, kind: str) -> None:
    text, message = DAMAGE[kind]
    with pytest.raises(DataError, match=message) as error:
        list(source(tmp_path, text).chunks("digits", "train"))
    assert str(error.value).startswith(f"{tmp_path}: {TRAIN}: ")


@pytest.mark.parametrize("text", [FILES[TRAIN].removesuffix(b"\n"), FILES[TRAIN].replace(b"\n", b"\r\n")])
def test_ends_of_lines_may_differ(tmp_path: Path, text: bytes) -> None:
    found = source(tmp_path, text)
    (chunk,) = found.chunks("digits", "train")
    assert np.array_equal(chunk.images, EMNIST["digits"]["train"].images)
    assert found.count("digits", "train") == 4


def test_a_zip_that_is_damaged(tmp_path: Path) -> None:
    packed = archives.zip_of_one(TRAIN, FILES[TRAIN])
    files = {
        f"{TRAIN}.zip": packed[:200] + b"\xff" + packed[201:],
        "emnist-digits-test.csv": FILES["emnist-digits-test.csv"],
    }
    found = open_source(archives.write_folder(tmp_path, files))
    with pytest.raises(DataError, match=r"emnist-digits-train\.csv\.zip: cannot be read"):
        list(found.chunks("digits", "train"))
