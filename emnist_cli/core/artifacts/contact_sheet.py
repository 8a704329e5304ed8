"""Draw predictions on one contact sheet for review, for `emnist predict --contact-sheet`.

Each entry shows the image, what the network saw of it, and the answer.
"""

import functools
import heapq
import os
import textwrap
from bisect import bisect_left
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.errors import ImageError, UsageError
from emnist_cli.core.imaging import decode
from emnist_cli.core.imaging.grayscale import from_image
from emnist_cli.core.imaging.ops import Gray
from emnist_cli.core.labels import CHARSETS
from emnist_cli.core.records import Prediction

Look = Callable[[NDArray[np.uint8] | NDArray[np.float32]], Gray | None]
"""Makes of a gray picture, as `decode.decode_image` gives it, what the network sees; None without ink."""

KINDS = {c: "digit" if c.isdigit() else "upper" if c.isupper() else "lower" for c in CHARSETS["alnum"]}
MOST = 1000  # predictions on a sheet
SHAPE = 3 / 2  # width by height of a large sheet
TITLE, LABEL, PERCENT, KIND, SMALL, LINES = 20, 34, 19, 14, 12, 16  # sizes of type; from line to line
WHITE, INK, GRAY, LINE, BACK = "#ffffff", "#1c1c1c", "#666666", "#c8c8c8", "#f1f1f1"
LEVELS = ((0.8, "#1a7f37"), (0.5, "#b45f06"), (0.0, "#c21d1d"))  # least confidence: green, amber, red
LEGEND = "left: the picture    right: as the model sees it"
CHECKER = (150, 178)  # grays under what is transparent, on which neither black nor white ink vanishes
MARGIN, HEADER, GAP = 20, 48, 8  # pixels around the sheet, above its first cell, and between all things
PICTURE = 4 * IMAGE_SIZE  # side of the place of a picture, and of what the network saw
BAR = GAP + PICTURE + GAP  # top of the bar that is as long as the confidence is high
ANSWER, NAME = BAR + 40, BAR + 62  # base lines of what was answered and of the path
WIDTH, HEIGHT = 3 * GAP + 2 * PICTURE, NAME + 12  # of a cell


class Sheet:
    """The predictions to draw: the first ones or the least certain ones, in memory that does not grow."""

    def __init__(self, size: int = 60, least_certain: bool = False) -> None:
        """Begin an empty sheet.

        Args:
            size: how many predictions it takes.
            least_certain: keep those of the lowest confidence, lowest first, and such as have none only where there
                is room for them; else the first that come.

        Raises:
            UsageError: a size that is none.
        """
        if not isinstance(size, int) or not 1 <= size <= MOST:
            raise UsageError(f"--sheet-size: expected a whole number in 1..{MOST}. Received: {size!r}")
        self._size, self._least_certain, self._added = size, least_certain, 0
        self._kept: list[tuple[float, int, Prediction]] = []  # a heap: on top is what goes when there is too much

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, prediction: Prediction) -> None:
        """Take a prediction, or leave it out."""
        certainty = 2.0 if prediction.confidence is None else prediction.confidence
        item = (-certainty if self._least_certain else 0.0, -self._added, prediction)
        self._added += 1
        push = heapq.heappush if len(self) < self._size else heapq.heappushpop
        push(self._kept, item)

    def draw(self, look: Look) -> Image.Image:
        """Draw the sheet. Pictures are read again; where that fails, the cell says so.

        Args:
            look: is asked for what the network saw where a prediction has no `picture`.

        Returns:
            A picture of mode RGB.
        """
        right, down = WIDTH + GAP, HEIGHT + GAP
        columns = max(1, round((len(self) * SHAPE * down / right) ** 0.5))
        rows = max(1, -(-len(self) // columns))
        size = (2 * MARGIN + columns * right - GAP, HEADER + rows * down - GAP + MARGIN)
        sheet = Image.new("RGB", size, WHITE)
        self._put_header(ImageDraw.Draw(sheet), size[0] - 2 * MARGIN)
        for i, (_, _, prediction) in enumerate(sorted(self._kept, key=lambda item: item[:2], reverse=True)):
            sheet.paste(_cell(prediction, look), (MARGIN + i % columns * right, HEADER + i // columns * down))
        return sheet

    def _put_header(self, pen: ImageDraw.ImageDraw, width: int) -> None:
        """Say what the sheet shows and, where there is room, what is what in a cell."""
        title = f"{self._added:,} picture{'s' if self._added != 1 else ''}"
        if len(self) < self._added:
            title = f"{'' if self._least_certain else 'first '}{len(self):,} of {title}"
        title = _shorten(title + ", least certain first" * self._least_certain, TITLE, width)
        pen.text((MARGIN, HEADER - 18), title, INK, _font(TITLE), "ls")
        if width > 2 * MARGIN + _font(TITLE).getlength(title) + _font(KIND).getlength(LEGEND):
            pen.text((MARGIN + width, HEADER - 18), LEGEND, GRAY, _font(KIND), "rs")


def _cell(prediction: Prediction, look: Look) -> Image.Image:
    cell = Image.new("RGB", (WIDTH, HEIGHT), WHITE)
    pen = ImageDraw.Draw(cell)
    pen.rectangle((0, 0, WIDTH - 1, HEIGHT - 1), outline=LINE)
    parts = [prediction.error] if prediction.status == "error" else _pictures(prediction, look)
    side = (WIDTH - (len(parts) + 1) * GAP) // len(parts)
    for i, part in enumerate(parts):
        left = GAP + i * (PICTURE + GAP)
        pen.rectangle((left, GAP, left + side - 1, GAP + PICTURE - 1), BACK)
        if isinstance(part, str):
            _put_text(pen, part, left, side)
        else:
            cell.paste(part, (left + (PICTURE - part.width) // 2, GAP + (PICTURE - part.height) // 2))
    _put_answer(pen, prediction)
    pen.text((GAP, NAME), _shorten(_plain(prediction.path), SMALL, WIDTH - 2 * GAP), GRAY, _font(SMALL), "ls")
    return cell


def _put_answer(pen: ImageDraw.ImageDraw, prediction: Prediction) -> None:
    """The answer and what kind of character it is; the confidence as a number and as a bar."""
    confidence = prediction.confidence
    if confidence is None:
        text, colour = ("not read", LEVELS[-1][1]) if prediction.status == "error" else ("no ink", GRAY)
        pen.text((GAP, ANSWER), text, colour, _font(PERCENT), "ls")
        return
    colour, right = next(colour for least, colour in LEVELS if confidence >= least), WIDTH - GAP
    pen.rectangle((GAP, BAR, right - 1, BAR + 3), BACK)
    pen.rectangle((GAP, BAR, GAP + round(confidence * (right - GAP - 1)), BAR + 3), colour)
    pen.text((right, ANSWER), f"{confidence:.1%}", colour, _font(PERCENT), "rs")
    best = prediction.alternatives[0].label if prediction.alternatives else "?"  # a row put right by hand has none
    label, sure = prediction.label or best, prediction.status == "ok"
    size, kind = (LABEL, KINDS[label]) if label in KINDS else (PERCENT, "")
    quoted = f"\u201c{_shorten(_plain(label), size, PICTURE * 2 // 3)}\u201d"
    pen.text((GAP, ANSWER), quoted, INK if sure else GRAY, _font(size), "ls")
    for i, word in enumerate([kind] if sure else ["uncertain", kind]):
        pen.text((2 * GAP + _font(size).getlength(quoted), ANSWER - i * LINES), word, GRAY, _font(KIND), "ls")


def _pictures(prediction: Prediction, look: Look) -> list[Image.Image | str]:
    """The original and what the network saw of it, at most PICTURE pixels a side; or why they cannot be shown."""
    seen = prediction.picture
    try:
        if not os.path.isfile(prediction.path):  # noqa: PTH113 - a pipe would keep us waiting
            raise ImageError("read from stdin, not kept" if prediction.path == "-" else "the file is gone")
        with decode.opened(decode.read_bytes(prediction.path)) as (image, _):
            original: Image.Image | str = _fit(image)
            gray = from_image(image).gray
        if seen is None:
            seen = look(gray)
    except (ImageError, MemoryError) as error:
        original = str(error) or "not enough memory"
    if seen is None:
        return [original, ""]
    shade = Image.fromarray((seen * 255 + 0.5).astype(np.uint8))
    return [original, shade.resize((PICTURE, PICTURE), Image.Resampling.NEAREST)]


def _fit(image: Image.Image) -> Image.Image:
    """Upright, in colour, scaled to PICTURE pixels on its longer side, on a chequered ground where it is clear."""
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray((from_image(image).gray * 255 + 0.5).astype(np.uint8))
    image = ImageOps.exif_transpose(image)
    image = image.convert("LA") if image.mode == "La" else image
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    width, height = (max(1, round(side * PICTURE / max(image.size))) for side in image.size)
    how = Image.Resampling.LANCZOS if max(image.size) > PICTURE else Image.Resampling.NEAREST
    image = image.resize((width, height), how, reducing_gap=2.0)
    if image.mode == "RGB":
        return image
    fields = np.add.outer(np.arange(height) // GAP, np.arange(width) // GAP) % 2
    ground = Image.fromarray(np.asarray(CHECKER, np.uint8)[fields]).convert("RGB")
    ground.paste(image, mask=image)
    return ground


def _put_text(pen: ImageDraw.ImageDraw, text: str, left: int, width: int) -> None:
    """Several lines at the place of a picture."""
    room, most = width - 2 * GAP, PICTURE // LINES - 1
    lines = textwrap.wrap(_plain(text), room * 2 // SMALL, max_lines=most, placeholder=" ...")
    for i, line in enumerate(lines, 1):
        pen.text((left + GAP, GAP + i * LINES), _shorten(line, SMALL, room), INK, _font(SMALL), "ls")


def _shorten(text: str, size: int, width: int) -> str:
    """Leave out the middle of a text that is wider than `width` pixels."""

    def cut(count: int) -> str:
        return f"{text[: count // 2]}...{text[len(text) - (count + 1) // 2 :]}" if count < len(text) else text

    def is_wide(count: int) -> bool:
        return _font(size).getlength(cut(count)) > width

    most = min(len(text), width)  # no letter is narrower than a pixel
    return text if most == len(text) and not is_wide(most) else cut(bisect_left(range(most), True, key=is_wide) - 1)


def _plain(text: str) -> str:
    """Characters that the font in Pillow lacks become escapes; so do those that break lines."""
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in text)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
