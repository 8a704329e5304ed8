"""Images of characters: original scans, prepared as `emnist predict` does, and arrays in EMNIST's format."""

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
    """An image that is in EMNIST's format already."""

    image: NDArray[np.uint8]
    label: str


class Half(NamedTuple):
    """Labeled images in EMNIST's format.

    Attributes:
        images: uint8 (n, 28, 28), upright.
        labels: int64 (n,), indexes into `CLASSES`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def items(self) -> list[Finished]:
        """Return the images one by one."""
        return [Finished(image, CLASSES[i]) for image, i in zip(self.images, self.labels, strict=True)]


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


def read_training_half(genuine: Path) -> Half:
    """Return EMNIST's training images whose class among the 62 of byclass is known."""
    with np.load(genuine) as arrays:
        labels = arrays["train_byclass"].astype(np.int64)
        known = labels >= 0
        return Half(arrays["train_images"][known], labels[known])


def read_test_halves(genuine: Path) -> tuple[Half, Half]:
    """Return the test halves of EMNIST's byclass and mnist splits, in this order."""
    with np.load(genuine) as arrays:
        byclass = Half(arrays["byclass_test_images"], arrays["byclass_test"].astype(np.int64))
        every = np.concatenate([byclass.images, arrays["test_extra_images"]])
        return byclass, Half(every[arrays["mnist_test_at"]], arrays["mnist_test"].astype(np.int64))


def read_others(others: Path, part: str) -> dict[str, Half]:
    """Return the other images in EMNIST's format, of one part, by the collection that they came from."""
    with np.load(others) as arrays:
        mine = arrays["part"] == part
        images, sources = arrays["images"][mine], arrays["source"][mine]
        labels = np.array([CLASSES.index(label) for label in arrays["label"][mine]], np.int64)
    return {str(name): Half(images[sources == name], labels[sources == name]) for name in np.unique(sources)}


def as_it_is(picture: Finished, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture unchanged."""
    del rng
    return picture.image
