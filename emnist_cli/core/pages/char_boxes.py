"""The layout of a page before it is recognized: lines of words of characters; the page modules share it.

Each character carries the recognizer's probabilities. `segment` creates the layout. The code that decides labels by
their neighbors, and everything that writes a page, starts from it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class PixelBox(NamedTuple):
    """A place on the page.

    Attributes:
        left: column of the first pixel, of the upright page as given.
        top: row of the first pixel.
        right: exclusive.
        bottom: exclusive.
    """

    left: int
    top: int
    right: int
    bottom: int


class Glyph(NamedTuple):
    """One character as found.

    Attributes:
        box: of its ink.
        probabilities: float32 (labels,), calibrated, in the order of `Recognizer.labels`; they sum to 1.
    """

    box: PixelBox
    probabilities: NDArray[np.float32]


class TextLine(NamedTuple):
    """One line of text.

    Attributes:
        box: of its characters together.
        words: at least one, left to right, each of at least one character.
    """

    box: PixelBox
    words: tuple[tuple[Glyph, ...], ...]


class Layout(NamedTuple):
    """A page's lines.

    Attributes:
        width: of the upright page, in pixels.
        height: of the upright page, in pixels.
        lines: top to bottom; where blocks stand clearly side by side, those of the left one first.
    """

    width: int
    height: int
    lines: tuple[TextLine, ...]
