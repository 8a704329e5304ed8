"""Real handwriting for the tests: pen strokes of UNIPEN donors, drawn afresh in whatever form a test asks for."""

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

FIXTURES = Path(__file__).parent / "fixtures"

Strokes = list[list[list[int]]]


@cache
def characters() -> dict[str, list[Strokes]]:
    """Return strokes by character: three donors each for the 62 classes, points as x, y in [0, 100], y downwards."""
    found: dict[str, list[Strokes]] = json.loads((FIXTURES / "strokes.json").read_text())
    return found


def draw(strokes: Strokes, size: tuple[int, int] = (200, 200), pen: float = 0.06, margin: float = 0.2) -> Image.Image:
    """Draw strokes with a round pen.

    Args:
        strokes: as `characters` gives them.
        size: width and height in pixels.
        pen: width of the pen as a share of the smaller side.
        margin: free on every side, as a share of the smaller side.

    Returns:
        A picture of mode L, black ink (0) on white paper (255), with smooth edges.
    """
    fine = 4
    width, height = size[0] * fine, size[1] * fine
    side = min(width, height)
    points = np.concatenate([np.asarray(stroke, float) for stroke in strokes])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = side * (1 - 2 * margin) / max(float(extent.max()), 1.0)
    offset = (np.array([width, height]) - extent * scale) / 2
    radius = pen * side / 2
    image = Image.new("L", (width, height), 255)
    canvas = ImageDraw.Draw(image)
    for stroke in strokes:
        path = [tuple(p) for p in (np.asarray(stroke, float) - low) * scale + offset]
        canvas.line(path, fill=0, width=round(2 * radius), joint="curve")
        for x, y in path:
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return image.reduce(fine)


def picture(character: str, donor: int = 0, **how: object) -> Image.Image:
    """Draw one donor's character; `how` as for `draw`."""
    return draw(characters()[character][donor], **how)  # type: ignore[arg-type]


def ink_box(finished: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of what is not black in a finished picture."""
    rows, columns = np.flatnonzero(finished.max(1) > 0.05), np.flatnonzero(finished.max(0) > 0.05)
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
