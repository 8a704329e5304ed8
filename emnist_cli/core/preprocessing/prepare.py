"""Bring anything that can be read as an image into EMNIST's form; the recognizer, evaluation and training use it."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import IMAGE_SIZE, PredictConfig
from emnist_cli.core.errors import ImageError
from emnist_cli.core.imaging.grayscale import Decoded
from emnist_cli.core.imaging.inputs import ImageSource, decode_input, name_of_input
from emnist_cli.core.imaging.ops import resize
from emnist_cli.core.preprocessing.normalize import preprocess, preprocess_many

GrayImage = NDArray[np.uint8] | NDArray[np.float32]
"""A grayscale image: uint8 (h, w) in [0, 255] or float32 (h, w) in [0, 1]."""


class PreparedImage(NamedTuple):
    """One image in EMNIST's form, or why there is none.

    Attributes:
        path: the image as it was named; "" for one given in memory.
        pixels: float32 (28, 28) in [0, 1], upright, white ink on black; None without ink, or if `error` says why.
        error: why the image could not be read; else "".
        note: something worth knowing about the file, as that only its first page was read; usually "".
    """

    path: str
    pixels: NDArray[np.float32] | None
    error: str = ""
    note: str = ""


class ImagePreparer(NamedTuple):
    """Reads and preprocesses images, the same way for prediction, evaluation and training.

    Attributes:
        ink: "auto", "dark" or "light": which side of the image is ink.
        raw: images are 28x28, white ink on black, as EMNIST has them; they are only scaled to [0, 1].
        transposed: images are stored as in EMNIST's files, with rows and columns swapped.
        max_megapixels: larger image files are refused.
    """

    ink: str = PredictConfig.ink
    raw: bool = False
    transposed: bool = False
    max_megapixels: int = PredictConfig.max_megapixels

    def prepare(self, sources: Iterable[ImageSource]) -> list[PreparedImage]:
        """Read and preprocess images, each before the next is asked for; one that fails does not cost the others."""
        prepared: dict[int, PreparedImage] = {}
        small: dict[int, tuple[str, Decoded]] = {}
        for i, source in enumerate(sources):
            path, decoded = name_of_input(source), decode_input(source, self.max_megapixels)
            if isinstance(decoded, ImageError):
                prepared[i] = PreparedImage(path, None, str(decoded))
            elif decoded.gray.shape == (IMAGE_SIZE, IMAGE_SIZE):
                small[i] = path, decoded  # all at once is ten times as fast; larger ones would take too much memory
            else:
                prepared[i] = _prepared(path, decoded, self._normalize([decoded.gray])[0])
        normalized = self._normalize([decoded.gray for _, decoded in small.values()])
        for (i, (path, decoded)), pixels in zip(small.items(), normalized, strict=True):
            prepared[i] = _prepared(path, decoded, pixels)
        return [prepared[i] for i in sorted(prepared)]

    def look(self, gray: GrayImage) -> NDArray[np.float32] | None:
        """Return what the network sees of a grayscale image, float32 (28, 28) in [0, 1]; None without ink.

        Raises:
            ImageError: it cannot be preprocessed.
        """
        pixels = self._normalize([gray])[0]
        if isinstance(pixels, ImageError):
            raise pixels
        return pixels

    def _normalize(self, grays: list[GrayImage]) -> list[NDArray[np.float32] | ImageError | None]:
        if self.transposed:
            grays = [gray.T for gray in grays]
        if self.raw:
            return [_scale(gray) for gray in grays]
        try:
            return [*preprocess_many(grays, self.ink)]
        except Exception:
            return [self._preprocess(gray) for gray in grays]

    def _preprocess(self, gray: GrayImage) -> NDArray[np.float32] | ImageError | None:
        try:
            return preprocess(gray, self.ink)
        except MemoryError:
            return ImageError("not enough memory to read it")
        except Exception as error:
            return ImageError(f"cannot be preprocessed ({type(error).__name__}: {error}); please report it")


def _scale(gray: GrayImage) -> NDArray[np.float32] | ImageError | None:
    if gray.shape != (IMAGE_SIZE, IMAGE_SIZE):
        height, width = gray.shape
        return ImageError(f"--raw expects {IMAGE_SIZE}x{IMAGE_SIZE} pixels. Received: {width}x{height}")
    return resize(gray, 1) if gray.any() else None


def _prepared(path: str, decoded: Decoded, pixels: NDArray[np.float32] | ImageError | None) -> PreparedImage:
    if isinstance(pixels, ImageError):
        return PreparedImage(path, None, str(pixels))
    return PreparedImage(path, pixels, note=decoded.note)
