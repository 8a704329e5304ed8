"""Small pages of hand-printed lines for the tests, drawn with UNIPEN donors' strokes; each character's box is known."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emnist_cli.core.imaging.ops import bounds
from emnist_cli.core.pages.char_boxes import PixelBox
from tests.handwriting import picture

Gray = NDArray[np.float32]

SMALL, DEEP = "acemnorsuvwxz", "gjpqy"


class Made(NamedTuple):
    """A page, white paper 1 and black ink 0, float32 (h, w), and its characters' boxes, line by line."""

    gray: Gray
    boxes: list[list[PixelBox]]

    @property
    def shade(self) -> NDArray[np.uint8]:
        return (self.gray.clip(0, 1) * 255 + 0.5).astype(np.uint8)

    def on(self, paper: Gray | float) -> "Made":
        """The same ink on other paper, float32 (h, w) in [0, 1]."""
        return self._replace(gray=(self.gray * paper).astype(np.float32))


def character(label: str, height: int, donor: int = 0, pen: float = 0.09) -> Gray:
    """The ink of one character, cropped: float32 (h, w), 1 black."""
    side = 2 * round(height * (0.68 if label in SMALL else 1))
    drawn = picture(label, donor, size=(side, side), pen=pen * height / side, margin=0.25)
    ink = 1 - np.asarray(drawn, np.float32) / 255
    top, left, bottom, right = bounds(ink > 0.3)
    return ink[top:bottom, left:right]


def write(
    lines: list[str], height: int = 60, *, gap: float = 0.25, word: float = 1.0, pitch: float = 2.0, bend: float = 0.0
) -> Made:
    """Write lines of characters and spaces, by all three donors, but for the first one's i: it is no i.

    Args:
        lines: of characters that `tests.handwriting` has, and spaces.
        height: of a capital letter, in pixels.
        gap: between characters, in heights; negative where they overlap.
        word: between words, in heights.
        pitch: from line to line, in heights.
        bend: how far the middle of a line sinks below its ends, in heights.
    """
    width = int(max(map(len, lines)) * (1 + max(gap, word * 0.6)) * height + 3 * height)
    ink = np.zeros((int((len(lines) * pitch + 2) * height), width), np.float32)
    boxes: list[list[PixelBox]] = []
    for row, text in enumerate(lines):
        x = 1.5 * height
        boxes.append([])
        for place, label in enumerate(text):
            if label == " ":
                x += (word - gap) * height
                continue
            drawn = character(label, height, 1 + (row + place) % 2 if label == "i" else (row + place) % 3)
            sunk = bend * (1 - (2 * x / width - 1) ** 2) + 0.28 * (label in DEEP)
            left, bottom = int(x), int((1.5 + row * pitch + 1 + sunk) * height)
            box = PixelBox(left, bottom - drawn.shape[0], left + drawn.shape[1], bottom)
            part = ink[box.top : box.bottom, box.left : box.right]
            np.maximum(part, drawn, out=part)
            boxes[-1].append(box)
            x += drawn.shape[1] + gap * height
    return Made(1 - ink, boxes)


def turned(made: Made, degrees: float) -> Made:
    """Turn a page about its middle, counterclockwise; boxes are turned with their middles, and keep their size."""
    image = Image.fromarray(made.gray)
    gray = np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=1.0))
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    before, after = np.array(made.gray.shape[::-1]) / 2, np.array(gray.shape[::-1]) / 2

    def move(box: PixelBox) -> PixelBox:
        x, y = turn @ (np.array([box.left + box.right, box.top + box.bottom]) / 2 - before) + after
        wide, tall = (box.right - box.left) / 2, (box.bottom - box.top) / 2
        return PixelBox(round(x - wide), round(y - tall), round(x + wide), round(y + tall))

    return Made(gray, [[move(box) for box in line] for line in made.boxes])


def overlap(one: PixelBox, other: PixelBox) -> float:
    """Intersection over union."""
    wide = min(one.right, other.right) - max(one.left, other.left)
    tall = min(one.bottom, other.bottom) - max(one.top, other.top)
    both = max(wide, 0) * max(tall, 0)
    return both / (sum((b.right - b.left) * (b.bottom - b.top) for b in (one, other)) - both)
