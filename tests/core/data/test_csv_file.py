"""Csv files of other data sets: a label and 784 values a row, with names of the columns or without."""

import gzip
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.data.csv_file import read_csv
from emnist_cli.core.errors import DataError, UsageError
from tests import archives, small_data

IMAGES, LABELS = small_data.pictures("0123456789", "test")
NAMES = b"label," + b",".join(b"pixel%d" % i for i in range(784)) + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return archives.write_csv(tmp_path / "train.csv", IMAGES, LABELS)


@pytest.mark.parametrize(
    "form", ["plain", "names", "names of other kinds", "Windows", "gzip", "zip", "no last newline"]
)
def test_every_form_holds_the_same(path: Path, form: str) -> None:
    text = path.read_bytes()
    if form == "names":
        path.write_bytes(NAMES + text)
    elif form == "names of other kinds":
        path.write_bytes(b'"label",' + b",".join(b'"%dx%d"' % divmod(i, 28) for i in range(784)) + b"\n" + text)
    elif form == "Windows":
        path.write_bytes(b"\xef\xbb\xbf" + (NAMES + text).replace(b"\n", b"\r\n"))
    elif form == "gzip":
        path.write_bytes(gzip.compress(text))
    elif form == "zip":
        path = path.with_name("train.csv.zip")
        path.write_bytes(archives.zip_of_one("train.csv", text))
    elif form == "no last newline":
        path.write_bytes(text.removesuffix(b"\n"))
    seen: list[tuple[int, int | None]] = []
    rows = read_csv(path, on_progress=lambda *at: seen.append(at))
    assert rows.images.dtype == np.uint8
    np.testing.assert_array_equal(rows.images, IMAGES)
    np.testing.assert_array_equal(rows.labels, LABELS)
    assert seen[-1] == (len(LABELS), None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: b"", "Received: an empty file"),
        (lambda text: NAMES, "Received: an empty file"),
        (lambda text: b"A" + text[1:], "row 1: expected a label and 784 values, each 0..255. Received: 'A'"),
        (lambda text: NAMES + text.replace(b",0", b",x", 1), "row 1: .*Received: 'x'"),
        (lambda text: text[text.index(b",") + 1 :], "row 1: .*Received: 784 values"),
        (lambda text: b"\x89PNG\r\n\x1a\n" + bytes(100), "row 1: .*Received: 1 values"),
        (lambda text: text[:-20], f"row {len(LABELS)}: .*Received: 7[67][0-9] values"),
    ],
    ids=["empty", "names only", "a letter as label", "a word", "no labels", "no csv", "cut short"],
)
def test_what_is_no_such_file_is_refused(path: Path, change: "object", words: str) -> None:
    assert callable(change)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=words):
        read_csv(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(UsageError, match=r"--csv: expected a csv file\. Received"):
            read_csv(path)


def test_labels_are_looked_at_as_they_come(path: Path) -> None:
    """A long file whose labels are wrong is not read to its end."""
    path.write_bytes(path.read_bytes() * 40)
    seen: list[int] = []

    def check(labels: np.ndarray) -> None:
        seen.append(len(labels))
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        read_csv(path, check)
    assert len(seen) == 1
    assert seen[0] < len(LABELS) * 40


def test_no_place_for_the_scratch_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(path))  # no folder
    with pytest.raises(DataError, match=r"train\.csv: cannot be written \("):
        read_csv(path)


@pytest.mark.slow
def test_a_long_file_takes_little_memory(path: Path) -> None:
    count = 80_000
    path.write_bytes((b"7" + b",0" * 784 + b"\n") * count)
    tracemalloc.start()
    rows = read_csv(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows.images.shape == (count, 28, 28)
    assert peak < rows.images.nbytes / 2
