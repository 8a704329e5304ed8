"""Small stand-ins for EMNIST's archives, in every form in which people have them, made of real handwriting."""

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.labels import find_split
from emnist_cli.core.preprocessing.normalize import preprocess
from tests import golden


class Half(NamedTuple):
    """Upright pictures, uint8 (n, 28, 28), and class ids from 0, int64 (n,)."""

    images: NDArray[np.uint8]
    ids: NDArray[np.int64]


Emnist = Mapping[str, Mapping[str, Half]]
"""Halves by split and part."""


@cache
def drawn(character: str, donor: int) -> NDArray[np.uint8]:
    finished = preprocess(golden.gray(character, donor))
    assert finished is not None
    return np.asarray(np.rint(finished * 255), np.uint8)


def half(split: str, characters: str, donor: int = 0) -> Half:
    """Draw a picture of each character; of merged classes either case will do."""
    classes = find_split(split).classes
    ids = [next(c.id for c in classes if character in c.characters) for character in characters]
    return Half(np.stack([drawn(character, donor) for character in characters]), np.array(ids, np.int64))


def small(*splits: str) -> Emnist:
    """Make a few pictures of each split named, other ones for training than for test."""
    texts = {"letters": ("AFGzb", "JRa"), "digits": ("0749", "52"), "mnist": ("7214", "73")}
    texts |= {"byclass": ("A7fRz0", "bQ4"), "bymerge": ("A7fRz0", "bQ4"), "balanced": ("A7fRz0", "bQ4")}
    return {
        split: {"train": half(split, texts[split][0], donor=0), "test": half(split, texts[split][1], donor=1)}
        for split in splits
    }


def stored(split: str, half: Half) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Turn a half into what files hold: transposed pictures, and letters from 1."""
    labels = (half.ids + find_split(split).first_id).astype(np.uint8)
    return np.ascontiguousarray(half.images.transpose(0, 2, 1)), labels


def encode_idx(array: NDArray[np.uint8]) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


def idx_files(emnist: Emnist) -> Iterator[tuple[str, bytes]]:
    for split, halves in emnist.items():
        for part, half in halves.items():
            images, labels = stored(split, half)
            yield f"emnist-{split}-{part}-images-idx3-ubyte", encode_idx(images)
            yield f"emnist-{split}-{part}-labels-idx1-ubyte", encode_idx(labels)
        yield f"emnist-{split}-mapping.txt", b"0 48\n1 49\n"


def csv_files(emnist: Emnist) -> Iterator[tuple[str, bytes]]:
    for split, halves in emnist.items():
        for part, half in halves.items():
            images, labels = stored(split, half)
            rows = np.concatenate([labels[:, None], images.reshape(len(labels), -1)], axis=1)
            text = "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())
            yield f"emnist-{split}-{part}.csv", text.encode()


def write_csv(
    path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64], *, transposed: bool = False, names: bool = False
) -> Path:
    """Write upright images as other people's csv files have them: a label and 784 values a row."""
    stored = images.transpose(0, 2, 1) if transposed else images
    rows = np.concatenate([labels[:, None], stored.reshape(len(labels), -1)], axis=1)
    head = ",".join(["label", *(f"pixel{i}" for i in range(784))]) + "\n" if names else ""
    path.write_text(head + "".join(",".join(map(str, row)) + "\n" for row in rows.tolist()))
    return path


def mat_files(emnist: Emnist, compress: bool = True) -> Iterator[tuple[str, bytes]]:
    from scipy.io import savemat

    for split, halves in emnist.items():
        tree: dict[str, object] = {"mapping": np.array([[0, 48], [1, 49]], np.float64)}
        for part, half in halves.items():
            images, labels = stored(split, half)
            tree[part] = {"images": images.reshape(len(labels), -1), "labels": labels[:, None], "writers": labels}
        file = io.BytesIO()
        savemat(file, {"dataset": tree}, do_compression=compress)
        yield f"emnist-{split}.mat", file.getvalue()


def write_zip(path: Path, files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def gzipped(emnist: Emnist, prefix: str = "") -> dict[str, bytes]:
    """IDX files as NIST has them, .gz but for the mapping."""
    return {
        f"{prefix}{name}" if name.endswith(".txt") else f"{prefix}{name}.gz": data
        if name.endswith(".txt")
        else pack(data)
        for name, data in idx_files(emnist)
    }


def pack(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def prefixed(prefix: str, files: Iterator[tuple[str, bytes]]) -> dict[str, bytes]:
    return {prefix + name: data for name, data in files}


def zip_of_one(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def nist_zip(path: Path, emnist: Emnist) -> Path:
    """Write an archive laid out like NIST's gzip.zip."""
    return write_zip(path, gzipped(emnist, "gzip/"), zipfile.ZIP_STORED)


def _torchvision(path: Path, emnist: Emnist) -> Path:
    files = gzipped(emnist) | dict(idx_files(emnist))
    return write_folder(path, {f"EMNIST/raw/{name}": data for name, data in files.items()})


def _kaggle_with_idx(path: Path, emnist: Emnist) -> Path:
    files = dict(csv_files(emnist)) | prefixed("emnist_source_files/", idx_files(emnist))
    return write_zip(path / "archive.zip", files)


def _one_csv(path: Path, emnist: Emnist) -> Path:
    write_folder(path, dict(csv_files(emnist)))
    return path / f"emnist-{next(iter(emnist))}-train.csv"


def _zipped_csv(path: Path, emnist: Emnist) -> Path:
    return write_folder(path, {f"{name}.zip": zip_of_one(name, data) for name, data in csv_files(emnist)})


FORMS: dict[str, Callable[[Path, Emnist], Path]] = {
    "gzip.zip": lambda path, e: nist_zip(path / "gzip.zip", e),
    "zip without a folder": lambda path, e: write_zip(path / "download", gzipped(e)),
    "zip of bare idx": lambda path, e: write_zip(path / "idx.zip", prefixed("some/where/", idx_files(e))),
    "folder of gz": lambda path, e: write_folder(path, gzipped(e)),
    "folder of idx": lambda path, e: write_folder(path, dict(idx_files(e))),
    "one idx": lambda path, e: write_folder(path, gzipped(e)) / f"emnist-{next(iter(e))}-test-images-idx3-ubyte.gz",
    "nested folder": lambda path, e: write_folder(path, gzipped(e, "gzip/")),
    "torchvision root": _torchvision,
    "torchvision EMNIST": lambda path, e: _torchvision(path, e) / "EMNIST",
    "torchvision raw": lambda path, e: _torchvision(path, e) / "EMNIST" / "raw",
    "kaggle folder": lambda path, e: write_folder(path, dict(csv_files(e))),
    "kaggle zip": lambda path, e: write_zip(path / "archive.zip", dict(csv_files(e))),
    "kaggle zip with idx": _kaggle_with_idx,
    "one csv": _one_csv,
    "zipped csv": _zipped_csv,
    "one zipped csv": lambda path, e: _zipped_csv(path, e) / f"emnist-{next(iter(e))}-test.csv.zip",
    "matlab.zip": lambda path, e: write_zip(path / "matlab.zip", prefixed("matlab/", mat_files(e))),
    "matlab folder": lambda path, e: write_folder(path, dict(mat_files(e, compress=False))),
    "one mat": lambda path, e: write_folder(path, dict(mat_files(e))) / f"emnist-{next(iter(e))}.mat",
}
"""Writers of every form: into an empty folder; what they return is what a user would name."""
