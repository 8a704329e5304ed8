"""Convert an open image or an array to grayscale, the input of preprocessing; the recognizer and page reader use it.

Preprocessing takes nothing else: the array says how dark or bright each pixel is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from emnist_cli.core.errors import ImageError

MAX_SIDE = 1600
"""Pictures of twice as many pixels a side and more are reduced to no fewer before anything is looked for in them."""


class Decoded(NamedTuple):
    """One picture, ready for preprocessing.

    Attributes:
        gray: upright, 0 black; uint8 (h, w) in [0, 255], or float32 (h, w) in [0, 1] where 8 bits do not suffice.
        note: what the reader should know about how it was read; usually "".
    """

    gray: NDArray[np.uint8] | NDArray[np.float32]
    note: str = ""


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what Pillow raises into an ImageError: on damaged files that can be almost anything."""
    try:
        yield
    except ImageError:
        raise
    except MemoryError:
        raise ImageError("not enough memory to unpack it") from None
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else ""
        if not isinstance(error, OSError | SyntaxError | ValueError) or not reason:
            reason = f"{type(error).__name__} {reason}".strip()
        raise ImageError(f"{what} ({reason})") from None


def from_image(image: Image.Image, max_side: int | None = MAX_SIDE) -> Decoded:
    """Turn a Pillow picture of any mode into gray: upright, reduced, laid on contrasting paper if clear.

    Args:
        image: the picture.
        max_side: pixels a side from twice which on it is reduced; None for never.

    Raises:
        ImageError: it has no pixels, or they cannot be had.
    """
    if 0 in image.size:
        raise ImageError(f"expected at least one pixel. Received: {image.width}x{image.height}")
    with explained(f"cannot be decoded, mode {image.mode}"):
        image.load()  # a PNG can have its EXIF after its pixels
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:  # else exif_transpose would copy it
            image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I") or image.mode == "F":
            return Decoded(_scale_numbers(np.asarray(image)))
        if image.mode == "1":
            image = image.convert("L")
        elif image.mode in ("La", "RGBa"):
            image = image.convert("LA" if image.mode == "La" else "RGBA")
        if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):  # nothing shines through
            image = image.convert("RGB")
        elif image.mode != "RGBA" and image.has_transparency_data:
            image = image.convert("RGBA")
        elif image.mode not in ("L", "RGB", "RGBA"):
            image = image.convert("RGB")
        factor = max(image.size) // max_side if max_side else 1
        if factor > 1:
            image = image.reduce(factor)
        return Decoded(_lay_on_paper(image) if image.mode == "RGBA" else _gray(image))


def from_array(array: NDArray[np.generic], max_side: int | None = MAX_SIDE) -> Decoded:
    """Turn an array into gray.

    Args:
        array: (h, w), (h, w, 1), (h, w, 3) or (h, w, 4); bool, uint8 in [0, 255], wider integers, or floats in
            [0, 1] (or any range, then scaled by their extremes).
        max_side: as for `from_image`.

    Raises:
        ImageError: another shape or type.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    kind = array.dtype.kind
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or kind not in "biuf":
        raise ImageError(f"expected an array (h, w), (h, w, 3) or (h, w, 4). Received: {array.dtype} {array.shape}")
    if array.size == 0:
        raise ImageError(f"expected at least one pixel. Received: an array of shape {array.shape}")
    if array.ndim == 2:
        return Decoded(array.astype(np.float32) if kind == "b" else _scale_numbers(array))
    if array.dtype != np.uint8:
        array = (np.clip(_scale_numbers(array), 0, 1) * 255 + 0.5).astype(np.uint8)
    return from_image(Image.fromarray(array), max_side)


def _gray(image: Image.Image) -> NDArray[np.uint8]:
    """Luminance, or the colour channel that shows the ink where luminance hardly does (yellow on white)."""
    if image.mode == "RGB":
        small = np.asarray(image.reduce(max(1, max(image.size) // 100)))
        if _has_colour(small):
            small = small.astype(np.float32)
            spread = small.std(axis=(0, 1))
            luminance = (small @ np.array([0.299, 0.587, 0.114], np.float32)).std()
            if spread.max() > 2.5 * luminance:
                image = image.getchannel(int(spread.argmax()))
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def _has_colour(rgb: NDArray[np.uint8]) -> bool:
    """Tell whether the channels of (h, w, 3) differ anywhere: quick, and most pictures are gray."""
    return bool((rgb[..., 0] != rgb[..., 1]).any() or (rgb[..., 0] != rgb[..., 2]).any())


def _lay_on_paper(image: Image.Image) -> NDArray[np.uint8]:
    """Lay a picture with transparency on paper: on its own where it shows some, else on what contrasts with the ink."""
    alpha = image.getchannel("A")
    gray = _gray(image.convert("RGB"))
    opaque = gray[np.asarray(alpha) > 127]
    if opaque.size > gray.size / 2 and float(opaque.std()) > 5:
        paper = int(np.partition(opaque, opaque.size // 2)[opaque.size // 2])
    else:  # the ink alone: little of the picture, or all of one brightness
        paper = 0 if opaque.size and float(opaque.mean()) > 127 else 255
    laid = Image.new("L", image.size, paper)
    laid.paste(Image.fromarray(gray), mask=alpha)
    return np.asarray(laid)


def _scale_numbers(array: NDArray[np.generic]) -> NDArray[np.float32]:
    """Bring numbers to [0, 1] by the smallest usual range that holds them, or by their extremes.

    Floats may overshoot 0..1 or 0..255 a little, as interpolation makes them; that is cut off.
    """
    values = array.astype(np.float32)  # worked on in place: there can be half a gigabyte of it
    np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    np.clip(values, -1e30, 1e30, out=values)  # beyond, their difference overflows
    low, high = float(values.min()), float(values.max())
    if array.dtype.kind == "f":
        ranges = [(1.0, -0.5, 2.0), (255.0, -64.0, 320.0)]
    else:
        ranges = [(255.0, 0.0, 255.0), (4095.0, 0.0, 4095.0), (65535.0, 0.0, 65535.0)]
    for full, least, most in ranges:
        if least <= low and high <= most:
            values /= np.float32(full)
            return np.clip(values, 0, 1, out=values)
    values -= np.float32(low)
    values /= np.float32(max(high - low, 1e-6))
    return values
