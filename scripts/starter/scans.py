"""Pictures of characters: original scans, prepared as `emnist predict` does, and what came in EMNIST's form."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.files.labelled import Labelled, read_folder
from emnist_cli.core.imaging.decode import decode_image, read_bytes
from emnist_cli.core.preprocessing.normalize import preprocess

from .pool import CLASSES


class Finished(NamedTuple):
    """A picture that is in EMNIST's form already."""

    image: NDArray[np.uint8]
    label: str


def read_scans(folder: Path, part: str) -> list[Labelled]:
    """List the scans of one part of a folder with a labels.csv (file,label,writer,part)."""
    return read_folder(folder, where=f"part={part}")


def read_writers(folder: Path, part: str) -> set[str]:
    """Return the writers of one part of such a folder."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return {row["writer"] for row in csv.DictReader(file) if row["part"] == part}


def prepare(scan: Labelled, rng: np.random.Generator) -> NDArray[np.uint8] | None:
    """Return a scan as the network sees it, or None if there is no ink in it."""
    del rng  # nothing is left to chance
    finished = preprocess(decode_image(read_bytes(scan.found.path)).gray)
    return None if finished is None else (finished * 255 + 0.5).astype(np.uint8)


def read_archive(archive: Path, sources: Path) -> dict[str, list[Finished]]:
    """Return the training pictures of an archive's byclass split by the collection that they came from.

    Args:
        archive: laid out like EMNIST's.
        sources: .npz with `names` and, for each picture, `byclass_train` as an index into it; where there is no such
            file, the archive is taken for EMNIST itself, and all of it is called "emnist".
    """
    images, ids = sources.read_split(archive, "byclass", "train")
    if not sources.exists():
        return {"emnist": [Finished(image, CLASSES[i]) for image, i in zip(images, ids, strict=True)]}
    table = np.load(sources)
    found: dict[str, list[Finished]] = {name: [] for name in table["names"].tolist()}
    for image, i, name in zip(images, ids, table["names"][table["byclass_train"]].tolist(), strict=True):
        found[name].append(Finished(image, CLASSES[i]))
    return found


def as_it_is(picture: Finished, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture unchanged."""
    del rng
    return picture.image
