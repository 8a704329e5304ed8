"""Write contact sheets and page overlays to image files; the predict and read commands use it.

No other image is ever replaced.
"""

import io
import os
from collections.abc import Sequence
from pathlib import Path

from PIL import ExifTags, Image

from emnist_cli.core.artifacts.copy_by_label import reader_of
from emnist_cli.core.atomic_file import write_file
from emnist_cli.core.errors import UsageError

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
DPI = 150  # how fine a sheet is printed
_MADE_BY = "emnist contact sheet"


def check_image_path(path: Path, paths: Sequence[str] = (), recursive: bool = False) -> None:
    """Refuse a file for the sheet, before a long run, that cannot be meant.

    Args:
        path: of the sheet.
        paths: what is read, as for `discovery.find_pictures`.
        recursive: as for `discovery.find_pictures`.

    Raises:
        UsageError: no such format is written, the folder is not there, the file is a picture that is no such sheet, or
            the sheet would be read as a picture.
    """
    try:
        Image.new("RGB", (1, 1)).save(io.BytesIO(), FORMATS[path.suffix.lower()])
    except (KeyError, OSError):  # also where Pillow was built without that format
        raise UsageError(f"--contact-sheet: expected {', '.join(FORMATS)}. Received: {path}") from None
    if not os.access(path.parent, os.W_OK) or not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise UsageError(f"--contact-sheet: expected a file in a folder that can be written to. Received: {path}")
    reader = reader_of(path, paths, recursive) or reader_of(path.parent, paths, recursive)
    if reader is not None:
        raise UsageError(f"--contact-sheet: {reader} reads it as a picture; choose a file elsewhere. Received: {path}")
    if path.exists() and not is_made_by(path, _MADE_BY):
        raise UsageError(f"--contact-sheet: expected a new file, or an earlier sheet. Received: {path}, a picture")


def write_image(sheet: Image.Image, path: Path) -> None:
    """Write a sheet in the format of its suffix; the file appears, or is replaced, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    write_file(path, encode_image(sheet, path.suffix, _MADE_BY, dpi=(DPI, DPI)))


def encode_image(image: Image.Image, suffix: str, made_by: str, **how: object) -> bytes:
    """Return a picture file's content, which `is_made_by` knows again.

    Args:
        image: to write.
        suffix: of `FORMATS`.
        made_by: what is said to have made it.
        how: for `Image.save`.
    """
    content = io.BytesIO()  # straight to a file Pillow does not say why it fails
    about = Image.Exif()
    about[ExifTags.Base.Software] = made_by
    image.save(content, FORMATS[suffix.lower()], exif=about, **how)
    return content.getvalue()


def is_made_by(path: Path, made_by: str) -> bool:
    """Tell whether a picture file is one of ours."""
    try:
        with Image.open(path) as image:
            return image.getexif().get(ExifTags.Base.Software) == made_by
    except Exception:  # no picture, or a damaged one, which may be worth something, too
        return False
