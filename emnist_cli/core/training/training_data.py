"""The data a network is trained on: a split of EMNIST, labelled images or a csv file; the train command uses it."""

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emnist_cli.core.data import dataset
from emnist_cli.core.data.dataset import LabelledImages
from emnist_cli.core.errors import DataError
from emnist_cli.core.evaluation.csv_layout import CsvImages
from emnist_cli.core.files.labelled import Labelled, find_class
from emnist_cli.core.labels import CHARSETS, CUSTOM, find_split
from emnist_cli.core.parallel.run_files import prepare_files


class TrainingData(NamedTuple):
    """What to train on.

    Attributes:
        split: name of an EMNIST split, or `CUSTOM`.
        classes: in order of id, the characters each stands for.
        pictures: to learn from, and to hold some of them out.
        about: the data in words, as the manifest has it.
        data_dir: where the split's test half is; None for a folder or a csv file.
    """

    split: str
    classes: tuple[str, ...]
    pictures: LabelledImages
    about: str
    data_dir: Path | None


def from_split(split: str, data_dir: Path) -> TrainingData:
    """Train on a split that is in the data folder.

    Raises:
        DataError: it is not.
    """
    classes = tuple(c.characters for c in find_split(split).classes)
    return TrainingData(
        split, classes, dataset.load_split(split, "train", data_dir), dataset.describe_split(split, data_dir), data_dir
    )


def from_folder(
    folder: Path,
    items: Sequence[Labelled],
    known: Sequence[str] = (),
    on_picture: Callable[[], None] = lambda: None,
    on_failure: Callable[[str, str], None] = lambda path, error: None,
) -> TrainingData:
    """Train on labelled pictures, which go through the same preprocessing as those of `emnist predict`.

    Args:
        folder: that they are in.
        items: the pictures and what they show.
        known: classes of the network that training starts from; kept if they have a place for every label.
        on_picture: called after each picture.
        on_failure: called with the path of a picture that cannot be used, and why.

    Raises:
        DataError: no picture can be used, or they show one class only.
    """
    images, labels = [], []
    for item, image in zip(items, prepare_files(item.found for item in items), strict=True):
        if image.pixels is None:
            on_failure(image.path, image.error or "no ink in it")
        else:
            images.append(np.round(image.pixels * 255).astype(np.uint8))
            labels.append(unicodedata.normalize("NFC", item.label))
        on_picture()
    if not images:
        raise DataError(f"{folder}: none of its {len(items):,} pictures could be used")
    classes = _classes(labels, known)
    ids = np.array([find_class(label, classes) for label in labels], np.int64)
    return TrainingData(
        CUSTOM, classes, LabelledImages(np.stack(images), ids), f"{len(images):,} pictures of {folder.name}", None
    )


def from_csv(path: Path, images: CsvImages) -> TrainingData:
    """Train on a csv file; it has no test half, some of its images are held out as those of a folder are.

    Args:
        path: of the file.
        images: what `csv_layout.load_csv` found in it.
    """
    classes = tuple(c.characters for c in images.split.classes)
    count = len(images.pictures.labels)
    return TrainingData(images.split.name, classes, images.pictures, f"{count:,} images of {path.name}", None)


def _classes(labels: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    if known and all(find_class(label, known) is not None for label in labels):
        return tuple(known)
    words = [label for label in labels if len(label) != 1 and label not in known]
    if words:
        raise DataError(f"a label is one character, any that there is. Received: {words[0]!r}")
    order = {character: i for i, character in enumerate(CHARSETS["alnum"])}
    found = sorted(set(labels), key=lambda label: (order.get(label, len(order)), label))
    if len(found) < 2:
        raise DataError(f"there is one class only, {found[0]!r}; telling characters apart needs two or more")
    return tuple(found)
