"""Names that are not UTF-8 can be written to every output."""

import os

import pytest

from emnist_cli.core.byte_escapes import escape_bytes, escape_record


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"bad\xff.png", "bad\\xff.png"),
        (b"\xe6\x89", "\\xe6\\x89"),
        ("naïve 手\n.png".encode(), "naïve 手\n.png"),
        (b"", ""),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_only_bytes_that_are_not_utf_8_are_escaped(name: bytes, expected: str) -> None:
    assert escape_bytes(os.fsdecode(name)) == expected


def test_only_the_texts_of_a_record_change() -> None:
    record = {"path": "\udcff", "confidence": 0.5, "alternatives": [{"label": "A"}], "label": None}
    assert escape_record(record) == {**record, "path": "\\xff"}
