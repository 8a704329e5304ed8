"""NIST's .mat files: checked like the others, although they are read whole."""

import io
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from emnist_cli.core.data.sources import open_source
from emnist_cli.core.errors import DataError
from tests import archives

EMNIST = archives.small("letters")
((NAME, PACKED),) = archives.mat_files(EMNIST)
((_, PLAIN),) = archives.mat_files(EMNIST, compress=False)


def saved(**variables: object) -> bytes:
    file = io.BytesIO()
    savemat(file, variables)
    return file.getvalue()


def dataset(images: object, labels: object) -> bytes:
    half = {"images": images, "labels": labels}
    return saved(dataset={"train": half, "test": half})


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


PICTURES = np.zeros((2, 784), np.uint8)

DAMAGE = {
    "version 7.3": (b"MATLAB 7.3 MAT-file" + bytes(600), "saved by MATLAB with -v7.3, .* save it with -v7"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(600), "expected a MATLAB 5 file. Received: an HDF5 file"),
    "a page": (b"<html>", "Received: an HTML page"),
    "cut short": (PACKED[:-100], "cut short. Expected: 100 bytes more"),
    "cut short, not compressed": (PLAIN[:-100], "cut short"),
    "cut within a header": (PACKED[:131], "cut short"),
    "only a header": (PACKED[:128], "expected EMNIST's `dataset`"),
    "damaged": (flip(PACKED, len(PACKED) // 2), "damaged"),
    "a wrong checksum": (flip(PACKED, -1), "damaged .*incorrect data check"),
    "another variable": (saved(x=PICTURES), "expected EMNIST's `dataset` with `train` and `test`"),
    "no halves": (saved(dataset={"images": PICTURES}), "expected EMNIST's `dataset` with `train` and `test`"),
    "no pictures": (saved(dataset={"train": {"a": 1}, "test": {"a": 1}}), "expected EMNIST's `dataset`"),
    "floats": (dataset(PICTURES.astype(float), np.ones((2, 1))), "Received: float64"),
    "other size": (dataset(PICTURES[:, :100], np.ones((2, 1))), r"Received: uint8 \(2, 100\)"),
    "fewer labels": (dataset(PICTURES, np.ones((1, 1))), r"uint8 \(2, 784\) and \(1, 1\)"),
    "fractions": (dataset(PICTURES, np.full((2, 1), 1.5)), "expected whole numbers as labels"),
    "a zero among letters": (dataset(PICTURES, np.array([[1], [0]])), "1..26 of letters. Received: 0 for picture 2"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_while_reading(tmp_path: Path, kind: str) -> None:
    data, message = DAMAGE[kind]
    source = open_source(archives.write_folder(tmp_path, {NAME: data}))
    with pytest.raises(DataError, match=message) as error:
        list(source.chunks("letters", "train"))
    assert str(error.value).startswith(f"{tmp_path}: {NAME}: ")


def test_labels_may_be_stored_as_floats(tmp_path: Path) -> None:
    data = dataset(PICTURES, np.array([[1.0], [26.0]]))
    (chunk,) = open_source(archives.write_folder(tmp_path, {NAME: data})).chunks("letters", "test")
    assert chunk.labels.tolist() == [0, 25]


def test_a_wrong_checksum_of_the_zip(tmp_path: Path) -> None:
    path = archives.write_zip(tmp_path / "matlab.zip", {f"matlab/{NAME}": PLAIN}, compression=0)
    data = path.read_bytes()
    path.write_bytes(flip(data, len(data) // 2))
    with pytest.raises(DataError, match=r"matlab\.zip: matlab/emnist-letters\.mat: cannot be read .Bad CRC-32"):
        list(open_source(path).chunks("letters", "train"))
