"""Turn any input of a recognizer into one grayscale image, or an error; the recognizer and page reading use it."""

import os

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import ImageError
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.imaging import decode, grayscale

ImageSource = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.generic] | ImageRef
"""A path, a file's content, an open image, or an array (see `grayscale.from_array`)."""


def name_of_input(source: ImageSource) -> str:
    """Return the path of a picture as it was named; "" for one in memory."""
    if isinstance(source, ImageRef):
        return source.path
    return os.fsdecode(source) if isinstance(source, str | os.PathLike) else ""


def decode_input(
    source: ImageSource, max_megapixels: int = PredictConfig.max_megapixels
) -> grayscale.Decoded | ImageError:
    """Read a picture; what is wrong with it is returned, since the others of its batch go on."""
    try:
        return _open(source, max_megapixels)
    except ImageError as error:
        return error
    except MemoryError:
        return ImageError("not enough memory to read it")


def _open(source: ImageSource, max_megapixels: int) -> grayscale.Decoded:
    if isinstance(source, ImageRef):
        if source.problem:
            raise source.problem
        source = source.path if source.data is None else source.data
    if isinstance(source, str | os.PathLike):
        return decode.decode_image(decode.read_bytes(os.fsdecode(source)), max_megapixels)
    if isinstance(source, bytes):
        return decode.decode_image(source, max_megapixels)
    if isinstance(source, Image.Image):
        return grayscale.from_image(source)
    return grayscale.from_array(np.asarray(source))
