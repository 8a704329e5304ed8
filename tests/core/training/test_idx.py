"""Reading EMNIST's files: strict about headers, upright, ids from 0."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emnist_cli.core.errors import DataError
from emnist_cli.core.inference.preprocess import preprocess
from emnist_cli.core.training import idx
from tests import golden


def encode(array: NDArray[np.uint8]) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


def make_archive(path: Path, pictures: NDArray[np.uint8], labels: NDArray[np.uint8], split: str = "letters") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for kind, array in (("images-idx3", pictures), ("labels-idx1", labels)):
            archive.writestr(f"gzip/emnist-{split}-train-{kind}-ubyte.gz", gzip.compress(encode(array)))
    return path


def upright() -> NDArray[np.uint8]:
    found = [preprocess(golden.grey(c, 1)) for c in "AFZ"]
    return (np.stack([f for f in found if f is not None]) * 255).astype(np.uint8)


def test_pictures_come_out_upright_and_letters_from_zero(tmp_path: Path) -> None:
    stored = np.ascontiguousarray(upright().transpose(0, 2, 1))
    archive = make_archive(tmp_path / "gzip.zip", stored, np.array([1, 6, 26], np.uint8))
    pictures, ids = idx.read_split(archive, "letters", "train")
    assert np.array_equal(pictures, upright())
    assert (ids.tolist(), ids.dtype) == ([0, 5, 25], np.int64)


@pytest.mark.parametrize("labels", [[0, 1, 2], [1, 2, 27], [1, 2]])
def test_labels_that_cannot_be(tmp_path: Path, labels: list[int]) -> None:
    archive = make_archive(tmp_path / "gzip.zip", upright(), np.array(labels, np.uint8))
    with pytest.raises(DataError, match="letters train has"):
        idx.read_split(archive, "letters", "train")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x0d\x03" + bytes(12), "not an IDX file"),
        (b"\0\0\x08\x01" + bytes(4), "not an IDX file"),
        (encode(np.zeros((2, 3, 3), np.uint8))[:-1], "needs 34 bytes. Received: 33 bytes"),
        (encode(np.zeros((2, 3, 3), np.uint8)) + b"x", "needs 34 bytes. Received: 35 bytes"),
    ],
)
def test_headers_are_checked(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        idx.parse(data, "images", rank=3)


def test_archives_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "page.zip").write_text("<html>")
    for path in (tmp_path / "page.zip", tmp_path / "none.zip"):
        with pytest.raises(DataError, match="cannot read"):
            idx.read_split(path, "letters", "train")
    archive = make_archive(tmp_path / "gzip.zip", upright(), np.array([1, 2, 3], np.uint8))
    with pytest.raises(DataError, match="emnist-digits-train"):
        idx.read_split(archive, "digits", "train")


@pytest.mark.shared
def test_the_archive_agrees_with_genuine_emnist_upright(data: Path) -> None:
    """Class means of the archive's letters fit genuine EMNIST pictures as read, and not transposed."""
    import csv

    from PIL import Image

    pictures, ids = idx.read_split(data / "emnist/gzip.zip", "letters", "train")
    means = np.stack([pictures[ids == i].mean(axis=0).ravel() for i in range(26)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    right = {"upright": 0, "transposed": 0}
    rows = list(csv.DictReader((data / "scans/emnist-letters/labels.csv").read_text().splitlines()))
    for row in rows:
        picture = np.asarray(Image.open(data / "scans/emnist-letters" / row["file"]).convert("L"), np.float32)
        for name, array in (("upright", picture), ("transposed", picture.T)):
            right[name] += int((means @ array.ravel()).argmax()) == ord(row["label"]) - ord("A")
    assert right["upright"] > 2 * right["transposed"]
