"""Any picture a person has -> one grey image. Used by the recognizer; a bad picture raises ImageError.

Formats are told from the first bytes, never from the name, and only those listed in `FORMATS` are ever handed to
Pillow: its other decoders would start other programs (EPS) or load forty modules to fail.
"""

import io
import os
import stat
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import ImageError

MAX_SIDE = 1600
"""Larger pictures are reduced to about this many pixels before anything is looked for in them."""

FORMATS = {
    b"\x89PNG\r\n\x1a\n": ("PNG", "PngImagePlugin"),
    b"\xff\xd8\xff": ("JPEG", "JpegImagePlugin"),
    b"GIF8": ("GIF", "GifImagePlugin"),
    b"BM": ("BMP", "BmpImagePlugin"),
    b"RIFF": ("WEBP", "WebPImagePlugin"),
    b"II*\0": ("TIFF", "TiffImagePlugin"),
    b"MM\0*": ("TIFF", "TiffImagePlugin"),
    b"II+\0": ("TIFF", "TiffImagePlugin"),
    b"MM\0+": ("TIFF", "TiffImagePlugin"),
    **{b"P%d" % kind: ("PPM", "PpmImagePlugin") for kind in range(1, 7)},
    b"Pf": ("PPM", "PpmImagePlugin"),
}
"""First bytes of a file -> Pillow's name of the format and the module that reads it."""

_KNOWN_STRANGERS = {
    b"%PDF": "a PDF; save its page as a PNG first",
    b"<svg": "an SVG drawing; save it as a PNG first",
    b"<?xm": "XML, perhaps an SVG drawing; save it as a PNG first",
    b"<!DO": "a web page",
    b"<htm": "a web page",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x1f\x8b": "a gzip file; unpack it first",
}

_SEVERAL_FRAMES = {"GIF", "TIFF", "WEBP", "PNG"}


class Decoded(NamedTuple):
    """One picture, ready for preprocessing.

    Attributes:
        grey: upright, 0 black; uint8 (h, w) in [0, 255], or float32 (h, w) in [0, 1] where 8 bits do not suffice.
        note: what the reader should know about how it was read; usually "".
    """

    grey: NDArray[np.uint8] | NDArray[np.float32]
    note: str = ""


def read_bytes(path: str | Path) -> bytes:
    """Return the content of a file, or of stdin for "-".

    Raises:
        ImageError: it cannot be read; the text says why.
    """
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read()
        mode = os.stat(path).st_mode  # noqa: PTH116 - pathlib would refuse some names that the system takes
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
            raise ImageError("not a picture: a device or socket")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise ImageError("no such file or folder") from None
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the name
        raise ImageError(f"cannot be read: {error}") from None


def decode(data: bytes, max_megapixels: int = PredictConfig.max_megapixels) -> Decoded:
    """Decode a picture file.

    Args:
        data: the file's bytes: PNG, JPEG, WebP, BMP, GIF, TIFF or PPM (PBM, PGM, PFM).
        max_megapixels: larger pictures are refused before they are unpacked.

    Raises:
        ImageError: not such a file, damaged, or too large.
    """
    name, plugin = _sniff(data)
    try:
        import_module(f"PIL.{plugin}")
        opener, _ = Image.OPEN[name]  # Image.open would load four other decoders first
        with opener(io.BytesIO(data), "") as image:
            width, height = image.size
            if width * height > max_megapixels * 1_000_000:
                raise ImageError(
                    f"{width}x{height} pixels are {width * height / 1e6:,.0f} megapixels, "
                    f"the limit is {max_megapixels}; reduce the picture"
                )
            note = _frames_note(image, name)
            image.draft(None, (MAX_SIDE, MAX_SIDE))  # JPEG only: decode at a half, a quarter or an eighth
            return Decoded(from_image(image).grey, note)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError(f"more pixels than the limit of {max_megapixels} megapixels; reduce the picture") from None
    except MemoryError:
        raise ImageError("not enough memory to unpack it") from None
    except Exception as error:  # on damaged files Pillow's decoders raise almost anything
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ImageError(f"damaged {name} file ({reason})") from None


def _sniff(data: bytes) -> tuple[str, str]:
    if not data:
        raise ImageError("empty file (0 bytes)")
    for magic, found in FORMATS.items():
        if data.startswith(magic) and (found[0] != "WEBP" or data[8:12] == b"WEBP"):
            return found
    if data[4:8] == b"ftyp":
        what = "an HEIC, AVIF or video file; save it as a JPEG or PNG first"
    else:
        what = next((text for magic, text in _KNOWN_STRANGERS.items() if data.lstrip().startswith(magic)), "")
    known = ", ".join(dict.fromkeys(name for name, _ in FORMATS.values()))
    raise ImageError(f"not a picture in a known format ({known}). Received: {what or repr(data[:12])}")


def _frames_note(image: Image.Image, name: str) -> str:
    if name not in _SEVERAL_FRAMES or not getattr(image, "is_animated", False):
        return ""
    unit = "pages" if name == "TIFF" else "frames"
    return f"has {getattr(image, 'n_frames', 'several')} {unit}, only the first was read"


def from_image(image: Image.Image) -> Decoded:
    """Turn an open Pillow picture of any mode into grey: upright, reduced, laid on contrasting paper if clear."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return Decoded(_scale_numbers(np.asarray(image)))
    if image.mode not in ("1", "L", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode != "RGBA" and image.has_transparency_data:
        image = image.convert("RGBA")
    factor = max(image.size) // MAX_SIDE
    if factor > 1:
        image = image.reduce(factor)
    if image.mode == "RGBA":
        return Decoded(_lay_on_paper(image))
    return Decoded(_grey(image))


def from_array(array: NDArray[np.generic]) -> Decoded:
    """Turn an array into grey.

    Args:
        array: (h, w), (h, w, 1), (h, w, 3) or (h, w, 4); bool, uint8 in [0, 255], wider integers, or floats in
            [0, 1] (or any range, then scaled by their extremes).

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
    return from_image(Image.fromarray(array))


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    """Luminance, or the colour channel that shows the ink where luminance hardly does (yellow on white)."""
    if image.mode == "RGB":
        small = np.asarray(image.reduce(max(1, max(image.size) // 100)), np.float32)
        spread = small.std(axis=(0, 1))
        luminance = (small @ np.array([0.299, 0.587, 0.114], np.float32)).std()
        if spread.max() > 2.5 * luminance:
            image = image.getchannel(int(spread.argmax()))
    return np.asarray(image.convert("L"))


def _lay_on_paper(image: Image.Image) -> NDArray[np.uint8]:
    """Lay a picture with transparency on paper: on its own where it shows some, else on what contrasts with the ink."""
    alpha = image.getchannel("A")
    grey = _grey(image.convert("RGB"))
    opaque = grey[np.asarray(alpha) > 127]
    if opaque.size and float(opaque.std()) > 5:
        paper = int(np.partition(opaque, opaque.size // 2)[opaque.size // 2])
    else:  # all of one brightness: the ink alone, however much of it
        paper = 0 if opaque.size and float(opaque.mean()) > 127 else 255
    laid = Image.new("L", image.size, paper)
    laid.paste(Image.fromarray(grey), mask=alpha)
    return np.asarray(laid)


def _scale_numbers(array: NDArray[np.generic]) -> NDArray[np.float32]:
    """Bring integers to [0, 1] by the smallest usual depth that holds them, floats by 1, 255 or their extremes."""
    values: NDArray[np.float32] = np.nan_to_num(array.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    depths = (1.0, 255.0) if array.dtype.kind == "f" else (255.0, 4095.0, 65535.0)
    depth = next((d for d in depths if low >= 0 and high <= d), None)
    if depth is not None:
        return values / np.float32(depth)
    return (values - np.float32(low)) / np.float32(max(high - low, 1e-6))
