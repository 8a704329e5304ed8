"""Pictures of characters: original scans, prepared as `emnist predict` does, and what came in EMNIST's form."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.data import idx
from emnist_cli.core.inference.images import decode, read_bytes
from emnist_cli.core.inference.preprocess import preprocess

from .pool import CLASSES


class Scan(NamedTuple):
    """A picture in a file."""

    path: Path
    label: str


class Finished(NamedTuple):
    """A picture that is in EMNIST's form already."""

    image: NDArray[np.uint8]
    label: str


def read_scans(folder: Path, part: str) -> list[Scan]:
    """List the scans of a folder with a labels.csv (file,label,writer,part)."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return [Scan(folder / row["file"], row["label"]) for row in csv.DictReader(file) if row["part"] == part]


def read_writers(folder: Path, part: str) -> set[str]:
    """Return the writers of one part of such a folder."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return {row["writer"] for row in csv.DictReader(file) if row["part"] == part}


def prepare(scan: Scan, rng: np.random.Generator) -> NDArray[np.uint8] | None:
    """Return a scan as the network sees it, or None if there is no ink in it."""
    del rng  # nothing is left to chance
    finished = preprocess(decode(read_bytes(scan.path)).grey)
    return None if finished is None else (finished * 255 + 0.5).astype(np.uint8)


def read_archive(archive: Path, sources: Path, name: str) -> list[Finished]:
    """Return those training pictures of the archive's byclass split that came from one collection.

    Args:
        archive: laid out like EMNIST's.
        sources: .npz with `names` and, for each picture, `byclass_train` as an index into it.
        name: of the collection.
    """
    images, ids = idx.read_split(archive, "byclass", "train")
    table = np.load(sources)
    mine = np.flatnonzero(table["names"][table["byclass_train"]] == name)
    return [Finished(images[i], CLASSES[ids[i]]) for i in mine]


def as_it_is(picture: Finished, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture unchanged."""
    del rng
    return picture.image
