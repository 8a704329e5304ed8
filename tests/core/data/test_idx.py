"""IDX files are read strictly: every kind of damage is an error that names the archive and the member."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.data import sources
from emnist_cli.core.data.sources import open_source
from emnist_cli.core.errors import DataError
from tests import archives

EMNIST = archives.small("letters")
FILES = {name.removesuffix("-ubyte"): data for name, data in archives.idx_files(EMNIST) if name.endswith("ubyte")}
IMAGES, LABELS = "emnist-letters-train-images-idx3", "emnist-letters-train-labels-idx1"
GZ = {name: archives.pack(data) for name, data in FILES.items()}


def relabel(*labels: int) -> bytes:
    return archives.encode_idx(np.array(labels, np.uint8))


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


DAMAGE: dict[str, tuple[str, bytes, str]] = {
    "labels instead of pictures": (IMAGES, FILES[LABELS], "magic number 0x00000803. Received: 0x00000801"),
    "pictures instead of labels": (LABELS, FILES[IMAGES], "magic number 0x00000801. Received: 0x00000803"),
    "floats": (IMAGES, b"\0\0\x0d\x03" + FILES[IMAGES][4:], "Received: 0x00000d03"),
    "a page": (IMAGES, b"<html><title>Moved</title>", "Received: an HTML page titled 'Moved'"),
    "nothing": (IMAGES, b"", "Received: an empty file"),
    "half a header": (IMAGES, FILES[IMAGES][:10], "ends within its header. Received: 10 bytes"),
    "other size": (IMAGES, archives.encode_idx(np.zeros((5, 32, 32), np.uint8)), "of 28x28. Received: 32x32"),
    "fewer labels": (LABELS, relabel(1, 6, 7), "for each of 5 pictures. Received: 3"),
    "pictures cut short": (IMAGES, FILES[IMAGES][:-1], "Expected: 3,920 bytes of data. Received: 3,919"),
    "labels cut short": (LABELS, FILES[LABELS][:-1], "Expected: 5 bytes of data. Received: 4"),
    "pictures too long": (IMAGES, FILES[IMAGES] + b"\0", "longer than its header says"),
    "labels too long": (LABELS, FILES[LABELS] + b"\0", "longer than its header says"),
    "a zero among letters": (LABELS, relabel(1, 0, 7, 26, 2), "labels 1..26 of letters. Received: 0 for picture 2"),
    "a 27 among letters": (LABELS, relabel(1, 6, 7, 26, 27), "labels 1..26 of letters. Received: 27 for picture 5"),
    "gzip cut short": (IMAGES, GZ[IMAGES][:-20], "cannot be read"),
    "gzip without its checksum": (IMAGES, GZ[IMAGES][:-8], "cannot be read"),
    "gzip with a wrong checksum": (IMAGES, flip(GZ[IMAGES], -8), "CRC check failed"),
    "gzip damaged within": (IMAGES, flip(GZ[IMAGES], 300), "cannot be read|than its header says"),
    "labels with a wrong checksum": (LABELS, flip(GZ[LABELS], -8), "CRC check failed"),
}


@pytest.mark.parametrize("inside", ["zip", "folder"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_while_reading(tmp_path: Path, kind: str, inside: str) -> None:
    name, data, message = DAMAGE[kind]
    files = {f"{key}-ubyte.gz": value for key, value in (GZ | {name: data}).items()}
    write: Callable[..., Path] = archives.write_zip if inside == "zip" else archives.write_folder
    source = open_source(write(tmp_path / "source", files))
    with pytest.raises(DataError, match=message) as error:
        list(source.chunks("letters", "train"))
    assert str(error.value).startswith(f"{tmp_path / 'source'}: {name}")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wrong_checksum_of_the_zip(tmp_path: Path, compression: int) -> None:
    files = {f"{key}-ubyte": value for key, value in FILES.items()}
    path = archives.write_zip(tmp_path / "idx.zip", files, compression)
    with zipfile.ZipFile(path) as archive:
        crc = archive.getinfo(f"{LABELS}-ubyte").CRC.to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(crc, bytes(4)))
    with pytest.raises(DataError, match=r"labels-idx1-ubyte: cannot be read \(Bad CRC-32"):
        list(open_source(path).chunks("letters", "train"))


def test_an_encrypted_zip(tmp_path: Path) -> None:
    path = archives.nist_zip(tmp_path / "gzip.zip", EMNIST)
    data = bytearray(path.read_bytes())
    start = 0
    while (start := data.find(b"PK\1\2", start)) >= 0:
        data[start + 8] |= 1
        start += 4
    path.write_bytes(data)
    with pytest.raises(DataError, match="encrypted"):
        open_source(path).count("letters", "train")


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    source = open_source(archives.write_folder(tmp_path, archives.gzipped(EMNIST)))
    (tmp_path / f"{LABELS}-ubyte.gz").unlink()
    with pytest.raises(DataError, match=rf"{LABELS}-ubyte\.gz: cannot be read \(No such file"):
        source.count("letters", "train")


def test_a_half_at_once(tmp_path: Path) -> None:
    pictures, ids = sources.read_split(archives.nist_zip(tmp_path / "gzip.zip", EMNIST), "letters", "train")
    assert np.array_equal(pictures, EMNIST["letters"]["train"].images)
    assert (ids.tolist(), ids.dtype) == ([0, 5, 6, 25, 1], np.int64)
