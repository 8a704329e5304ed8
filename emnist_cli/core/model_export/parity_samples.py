"""Images to test a network on, for model export and import.

Answers are compared on them, and ranges of 8-bit values are measured with them. If the user gives none, they are
characters of a font, varied as in training: no data ships with the package.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emnist_cli.core.errors import DataError, UsageError
from emnist_cli.core.files.discovery import find_pictures
from emnist_cli.core.labels import CHARSETS
from emnist_cli.core.parallel.run_files import prepare_files
from emnist_cli.core.preprocessing.normalize import preprocess_many

COMPARED, MEASURED = 256, 512
"""Pictures that answers are compared on, and others by which ranges in 8 bits are measured."""

_SIDE = 96  # pixels that a character is drawn in


def draw_pictures(count: int = COMPARED + MEASURED, seed: int = 1) -> NDArray[np.float32]:
    """Draw digits and letters in turn, each varied in its own way.

    Args:
        count: how many.
        seed: the same one gives the same pictures.

    Returns:
        float32 (count, 28, 28) in [0, 1], in EMNIST's form.
    """
    import tensorflow as tf  # only now: pictures are read before TensorFlow is started

    from emnist_cli.core.networks.augmentation import augment

    font = ImageFont.load_default(_SIDE * 0.6)
    plain = preprocess_many([_draw(character, font) for character in CHARSETS["alnum"]], "dark")
    shown = np.stack([np.asarray(picture) for picture in plain])[np.arange(count) % len(plain)]
    varied: NDArray[np.float32] = augment(tf.constant(shown[..., None]), tf.constant([seed, 0], tf.int64)).numpy()
    return varied[..., 0]


def _draw(character: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> NDArray[np.uint8]:
    image = Image.new("L", (_SIDE, _SIDE), 255)
    ImageDraw.Draw(image).text((_SIDE / 2, _SIDE / 2), character, 0, font, anchor="mm")
    return np.asarray(image)


def read_pictures(folder: Path, count: int = COMPARED + MEASURED) -> NDArray[np.float32]:
    """Read some of a folder's pictures, those in folders within included, chosen at random from a fixed seed.

    They take the same way as those of `emnist predict`; what cannot be read is left out.

    Returns:
        float32 (n, 28, 28) in [0, 1], at most `count` of them.

    Raises:
        UsageError: there is no such folder.
        DataError: none of its pictures could be used.
    """
    if not folder.is_dir():
        raise UsageError(f"--folder: expected a folder of pictures. Received: {folder}")
    found = list(find_pictures([str(folder)], recursive=True))
    chosen = [found[i] for i in np.random.default_rng(1).permutation(len(found))[:count]]
    pictures = [image.pixels for image in prepare_files(chosen) if image.pixels is not None]
    if not pictures:
        raise DataError(f"{folder}: none of its pictures could be used")
    return np.stack(pictures)
