"""A few hundred real digits as a prepared split, so that training can be tested in seconds."""

from functools import cache
from pathlib import Path

import numpy as np

from emnist_cli.core.data import cache as data_cache
from emnist_cli.core.data import dataset
from emnist_cli.core.data.chunks import PARTS
from emnist_cli.core.data.dataset import LabelledImages
from emnist_cli.core.preprocessing.normalize import preprocess
from tests import golden

PENS = {"train": (0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.11), "test": (0.045, 0.065, 0.085)}


@cache
def pictures(characters: str, part: str) -> LabelledImages:
    """Draw characters by three donors with several pens, in EMNIST's form."""
    images, labels = [], []
    for label, character in enumerate(characters):
        for donor in range(3):
            for pen in PENS[part]:
                picture = preprocess(golden.gray(character, donor, pen=pen))
                assert picture is not None
                images.append(np.round(picture * 255).astype(np.uint8))
                labels.append(label)
    made = LabelledImages(np.stack(images), np.array(labels, np.int64))
    for array in made:
        array.flags.writeable = False  # it is handed out again
    return made


def prepare(data_dir: Path, split: str = "digits", characters: str = "0123456789") -> None:
    """Make `data_dir` a data folder that has a small split."""
    folder = dataset.cache_folder(data_dir, split)
    folder.mkdir(parents=True)
    counts = {}
    for part in PARTS:
        images, labels = pictures(characters, part)
        counts[part] = data_cache.write_part(folder, part, len(labels), iter([(images, labels)]))
    data_cache.write_record(data_dir, folder, split, counts, data_cache.Origin("strokes.zip", 0, 0, ""))
