"""What a recognizer is given -> one grey image, or why there is none."""

import os

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import ImageError
from emnist_cli.core.inference import grey, images
from emnist_cli.core.inference.files import Found

Source = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.generic] | Found
"""A path, a file's content, an open picture, or an array (see `grey.from_array`)."""


def name_of(source: Source) -> str:
    """Return the path of a picture as it was named; "" for one in memory."""
    if isinstance(source, Found):
        return source.path
    return os.fsdecode(source) if isinstance(source, str | os.PathLike) else ""


def decode(source: Source, max_megapixels: int = PredictConfig.max_megapixels) -> grey.Decoded | ImageError:
    """Read a picture; what is wrong with it is returned, since the others of its batch go on."""
    try:
        return _open(source, max_megapixels)
    except ImageError as error:
        return error
    except MemoryError:
        return ImageError("not enough memory to read it")


def _open(source: Source, max_megapixels: int) -> grey.Decoded:
    if isinstance(source, Found):
        if source.problem:
            raise source.problem
        source = source.path if source.data is None else source.data
    if isinstance(source, str | os.PathLike):
        return images.decode(images.read_bytes(os.fsdecode(source)), max_megapixels)
    if isinstance(source, bytes):
        return images.decode(source, max_megapixels)
    if isinstance(source, Image.Image):
        return grey.from_image(source)
    return grey.from_array(np.asarray(source))
