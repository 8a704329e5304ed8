"""Draw the result on a page, for `emnist read --overlay`, so that people can check before they trust it.

Each character gets a box and its label. `run_pages` draws the overlay, and the command writes it to files.
"""

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from PIL import Image, ImageDraw, ImageFont

from emnist_cli.core.artifacts import image_file
from emnist_cli.core.artifacts.contact_sheet import LEVELS
from emnist_cli.core.artifacts.copy_by_label import reader_of
from emnist_cli.core.artifacts.image_file import FORMATS
from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.core.page_records import UNSURE, Character, Page

_MADE_BY = "emnist overlay"
_HEIGHT = 34  # pixels that a usual character is drawn high
_LEAST, _MOST = 1000, 5000  # pixels of the longer side, where that would make it smaller or larger
_FADED = 0.5  # how far the page is brought towards white, so that what is drawn stands out
_WORD, _PLATE = "#7fa8d9", (255, 255, 255, 200)


def draw_overlay(page: Page, picture: Image.Image) -> Image.Image:
    """Draw boxes and labels on a page: green, amber or red by confidence; thin blue ones around words.

    Args:
        page: as it was read.
        picture: upright, of the page's size.

    Returns:
        A picture of mode RGB, scaled so that usual characters are well legible.
    """
    characters = [character for *_, character in page.characters]
    heights = [c.box[3] - c.box[1] for c in characters]
    scale = _scale(max(picture.size), median(heights) if heights else _HEIGHT)
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    sheet = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)  # type: ignore[arg-type]
    sheet = Image.blend(sheet, Image.new("RGB", sheet.size, "white"), _FADED)
    pen = ImageDraw.Draw(sheet, "RGBA")
    usual = round(min(max(0.6 * scale * median(heights), 12), 48)) if heights else 12
    for word in (word for line in page.lines for word in line.words):
        pen.rectangle(_scaled(word.box, scale, 3), outline=_WORD)
    for character in characters:
        _put(pen, character, scale, usual, sheet.width)
    return sheet


def _scale(side: int, height: float) -> float:
    wanted = _HEIGHT / max(height, 1)
    return max(min(wanted, _MOST / side, 4), min(1, _LEAST / side))


def _scaled(box: Sequence[int], scale: float, margin: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(side * scale) for side in box)
    return left - margin, top - margin, max(right, left + 1) + margin - 1, max(bottom, top + 1) + margin - 1


def _put(pen: ImageDraw.ImageDraw, character: Character, scale: float, size: int, width: int) -> None:
    """The box, and above it the label on a plate that covers little of the page; below where there is no room."""
    colour = next(colour for least, colour in LEVELS if character.confidence >= least)
    left, top, right, bottom = _scaled(character.box, scale, 1)
    pen.rectangle((left, top, right, bottom), outline=colour, width=1 if character.label else 2)
    font = _font(size)
    text = character.label or UNSURE
    wide = font.getlength(text)
    x = min(max(0.0, (left + right - wide) / 2), width - wide)
    y = top - size if top >= size else bottom + 2
    pen.rectangle((x - 1, y, x + wide, y + size - 1), _PLATE)
    pen.text((x, y + size * 0.82), text, colour, font, "ls")


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def encode_overlay(sheet: Image.Image, suffix: str) -> bytes:
    """Return a picture file's content.

    Args:
        sheet: as `draw` gives it.
        suffix: of `image_file.FORMATS`, as ".png".
    """
    return image_file.encode_image(sheet, suffix, _MADE_BY)


def check_overlay_path(place: Path, paths: Sequence[str], recursive: bool, is_folder: bool = False) -> None:
    """Refuse a file or folder for overlays, before a long run, that cannot be meant.

    Args:
        place: an image file, or a folder.
        paths: what is read, as for `discovery.find_pictures`.
        recursive: as for `discovery.find_pictures`.
        is_folder: `place` is a folder that will be created if it does not exist.

    Raises:
        UsageError: no such format is written, the folder does not exist or cannot be created, what is there is an
            image that is no overlay, or overlays would be read as pages.
    """
    folder = place if is_folder or place.is_dir() else place.parent
    if folder is not place and place.suffix.lower() not in FORMATS:
        raise UsageError(
            f"--overlay: expected an existing folder, a name that ends with /, or a file {', '.join(FORMATS)}. "
            f"Received: {place}"
        )
    if is_folder:
        existing = next((path for path in (place, *place.parents) if os.path.lexists(path)), place)
        if not existing.is_dir() or not os.access(existing, os.W_OK):
            raise UsageError(f"--overlay: expected a folder that can be written to or created. Received: {place}/")
    elif not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"--overlay: expected a file in a folder that can be written to. Received: {place}")
    reader = reader_of(place, paths, recursive) or reader_of(folder, paths, recursive)
    if reader is not None:
        raise UsageError(f"--overlay: {reader} reads it as a page; choose a place elsewhere. Received: {place}")
    if folder is not place:
        check_replaceable(place)


def make_overlay_folder(folder: Path) -> None:
    """Create a folder for overlays, and the folders above it.

    Raises:
        OutputError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"--overlay: {folder} cannot be created ({error.strerror or error})") from None


def check_replaceable(path: Path) -> None:
    """Refuse to replace anything but an earlier overlay.

    Raises:
        UsageError: something else is there.
    """
    if path.exists() and not (path.is_file() and image_file.is_made_by(path, _MADE_BY)):
        raise UsageError(f"--overlay: expected a new file, or an earlier overlay. Received: {path}, something else")
