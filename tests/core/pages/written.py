"""Lines of real handwriting for the tests: as a page to look at, or as what would be found on it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.pages.char_boxes import Glyph, Layout, PixelBox, TextLine
from tests.handwriting import characters

_X_HEIGHT, _DESCENT = 0.58, 0.35


def extent(character: str) -> tuple[float, float]:
    """Return how far a character goes above and below the line it stands on, in cap heights."""
    if character in "acemnorsuvwxz":
        return _X_HEIGHT, 0.0
    if character in "gpqy":
        return _X_HEIGHT, _DESCENT
    return (0.9, _DESCENT) if character == "j" else (1.0, 0.0)


def boxes(lines: Sequence[str], donor: int, cap: int) -> list[list[list[tuple[str, PixelBox]]]]:
    """Place the characters of lines of words."""
    placed = []
    for i, line in enumerate(lines):
        x, words = float(cap), []
        for text in line.split(" "):
            word = []
            for character in text:
                points = np.concatenate([np.asarray(s, float) for s in characters()[character][donor]])
                width, height = np.maximum(np.ptp(points, axis=0), 1)
                above, below = extent(character)
                wide = min(max(width / height, 0.12) * (above + below), 1.0) * cap
                y = cap * (2 + 2.2 * i)
                word.append(
                    (character, PixelBox(int(x), int(y - above * cap), int(x + wide) + 1, int(y + below * cap) + 1))
                )
                x += wide + 0.25 * cap
            words.append(word)
            x += 0.8 * cap
        placed.append(words)
    return placed


def page(lines: Sequence[str], donor: int = 0, cap: int = 60) -> Image.Image:
    """Write lines on a page: mode L, black on white."""
    placed = boxes(lines, donor, cap)
    every = [box for line in placed for word in line for _, box in word]
    size = max(b.right for b in every) + cap, max(b.bottom for b in every) + cap
    fine = 4
    image = Image.new("L", (size[0] * fine, size[1] * fine), 255)
    for character, box in ((c, b) for line in placed for word in line for c, b in word):
        _trace(image, characters()[character][donor], box, fine, 0.09 * cap * fine)
    return image.reduce(fine)


def _trace(image: Image.Image, strokes: list[list[list[int]]], box: PixelBox, fine: int, pen: float) -> None:
    canvas = ImageDraw.Draw(image)
    points = np.concatenate([np.asarray(stroke, float) for stroke in strokes])
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1)
    inner = np.array([box.right - box.left, box.bottom - box.top]) * fine - pen
    for stroke in strokes:
        path = (np.asarray(stroke, float) - low) / span * np.maximum(inner, 0)
        path = path + np.array([box.left, box.top]) * fine + pen / 2
        canvas.line([tuple(p) for p in path], fill=0, width=round(pen), joint="curve")
        for x, y in path:
            canvas.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=0)


def layout(recognizer: Recognizer, lines: Sequence[str], donor: int = 0, cap: int = 60) -> Layout:
    """Return what is found on `page`, by what its characters look like one by one."""
    image = np.asarray(page(lines, donor, cap))
    found = []
    for line in boxes(lines, donor, cap):
        words = []
        for word in line:
            crops = [np.pad(image[b.top : b.bottom, b.left : b.right], 8, constant_values=255) for _, b in word]
            seen = [recognizer.look(crop) for crop in crops]
            rows = recognizer.probabilities(np.stack([s for s in seen if s is not None]))
            words.append(tuple(Glyph(b, row) for (_, b), row in zip(word, rows, strict=True)))
        found.append(TextLine(_around([g.box for w in words for g in w]), tuple(words)))
    return Layout(image.shape[1], image.shape[0], tuple(found))


def _around(found: list[PixelBox]) -> PixelBox:
    lefts, tops, rights, bottoms = zip(*found, strict=True)
    return PixelBox(min(lefts), min(tops), max(rights), max(bottoms))
