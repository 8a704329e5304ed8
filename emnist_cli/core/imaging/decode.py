"""Decode an image file of any supported format to one grayscale image; the recognizer and page reading use it.

A bad image raises ImageError. The format is detected from the first bytes, never from the name. Only the formats
listed in `FORMATS` are ever passed to Pillow: its other decoders would start other programs (EPS) or load forty
modules only to fail.
"""

import io
import os
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image

from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import ImageError, nearest
from emnist_cli.core.imaging.grayscale import MAX_SIDE, Decoded, explained, from_image
from emnist_cli.core.platform.stderr import silent_stderr

MAX_BYTES = 512 * 2**20
"""Larger files are refused."""

_LOOKED_AT = 1000  # names in a folder, for one that was probably meant

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
    b"Pf": ("PPM", "PpmImagePlugin"),  # PFM, gray
}
"""First bytes of a file -> Pillow's name of the format and the module that reads it."""

_KNOWN_STRANGERS = {
    b"%PDF": "a PDF; its page as text: emnist read; one character: save it as a PNG first",
    b"<svg": "an SVG drawing; save it as a PNG first",
    b"<?xm": "XML, perhaps an SVG drawing; save it as a PNG first",
    b"<!DO": "a web page",
    b"<htm": "a web page",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; fetch it: git lfs pull",
    b"\x1f\x8b": "a gzip file; unpack it first",
}

_SEVERAL_FRAMES = {"GIF", "TIFF", "WEBP", "PNG"}


class Opened(NamedTuple):
    """An open picture file.

    Attributes:
        image: as the file has it: of any mode, not yet turned upright, a large JPEG reduced.
        note: as of `Decoded`.
    """

    image: Image.Image
    note: str


def read_bytes(path: str | Path) -> bytes:
    """Return the content of a file, or of stdin for "-".

    Raises:
        ImageError: it cannot be read; the text says why.
    """
    try:
        if str(path) == "-":
            return _read_limited(sys.stdin.buffer)
        status = os.stat(path)  # noqa: PTH116 - pathlib would refuse some names that the system takes
        mode = status.st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
            raise ImageError("not a picture: a device or socket")
        if stat.S_ISREG(mode):
            _check_size(status.st_size)
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - for small files a third of the time
                return file.read()
        with Path(path).open("rb") as file:
            return _read_limited(file)
    except FileNotFoundError:
        raise ImageError(f"no such file or folder{_neighbour(Path(path))}") from None
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the name
        raise ImageError(f"cannot be read: {error}") from None


def _neighbour(path: Path) -> str:
    """Return advice where something of nearly that name, with the same numbers, is among the first in the folder."""
    with suppress(OSError, ValueError):
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _LOOKED_AT) if _digits(entry.name) == _digits(path.name)]
        if near := nearest(path.name, names, 0.75):
            return f"; did you mean {path.with_name(near)}?"
    return ""


def _digits(name: str) -> str:
    return "".join(filter(str.isdigit, name))


def _read_limited(stream: BinaryIO) -> bytes:
    """Read a pipe to its end; one without end must not take the memory of all others."""
    data = stream.read(MAX_BYTES + 1)
    _check_size(len(data))
    return data


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise ImageError(f"more than {MAX_BYTES // 2**20} MiB, which no picture that is read here has")


def decode_image(data: bytes, max_megapixels: int = PredictConfig.max_megapixels) -> Decoded:
    """Decode a picture file.

    Args:
        data: the file's bytes: PNG, JPEG, WebP, BMP, GIF, TIFF or PPM (PBM, PGM).
        max_megapixels: larger pictures are refused before they are unpacked.

    Raises:
        ImageError: not such a file, damaged, or too large.
    """
    with opened(data, max_megapixels) as (image, note):
        return Decoded(from_image(image).gray, note)


@contextmanager
def opened(
    data: bytes, max_megapixels: int = PredictConfig.max_megapixels, max_side: int | None = MAX_SIDE
) -> Iterator[Opened]:
    """Open and unpack a picture file; what fails while it is open is an ImageError too.

    Args:
        data: as for `decode`.
        max_megapixels: as for `decode`.
        max_side: pixels a side that a JPEG has at least, if it has more to begin with; None for all of it.

    Raises:
        ImageError: as for `decode`.
    """
    name, plugin = _sniff(data)
    with explained(f"damaged {name} file"):
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
            if max_side:
                least = max_side / max(width, height)
                image.draft(None, (int(width * least), int(height * least)))  # JPEG only: decode at 1/2, 1/4 or 1/8
            with silent_stderr() if name == "TIFF" else nullcontext():  # libtiff comments on damage
                image.load()
            yield Opened(image, note)


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


def ignore_pillow_warnings() -> None:
    """Keep what Pillow thinks of a damaged file from the user and from logs; for processes that only read images."""
    warnings.filterwarnings("ignore", module="PIL")
