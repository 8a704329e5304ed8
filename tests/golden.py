"""Golden pictures of the preprocessing step alone: one sheet, a column a case, above what went in, below what came out.

    python -m tests.golden    writes the sheet anew; look at it before committing

A change here means that models see other pictures: raise `manifest.PREPROCESSING` when it is more than rounding.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from emnist_cli.core.preprocessing.normalize import preprocess
from tests.handwriting import picture

SHEET = Path(__file__).parent / "golden" / "preprocess.png"

Gray = NDArray[np.float32]


def gray(character: str, donor: int = 0, **how: object) -> Gray:
    return np.asarray(picture(character, donor, **how), np.float32) / 255


def paper(drawn: Gray, light: Gray | float = 0.9, ink: float = 0.2) -> Gray:
    return np.asarray((ink + (1 - ink) * drawn) * light, np.float32)


def noisy(drawn: Gray, amount: float) -> Gray:
    return drawn + np.random.default_rng(0).normal(0, amount, drawn.shape).astype(np.float32)


def uneven(drawn: Gray) -> Gray:
    return paper(drawn, np.linspace(0.25, 0.95, drawn.shape[1], dtype=np.float32)[None, :])


def shadowed(drawn: Gray) -> Gray:
    light = np.full(drawn.shape, 0.9, np.float32)
    light[:, : drawn.shape[1] // 2] = 0.5
    return paper(drawn, light)


def ruled(drawn: Gray) -> Gray:
    out = paper(drawn)
    out[[40, 41, 110, 111, 180, 181]] = 0.45
    return out


def boxed(drawn: Gray) -> Gray:
    out = paper(drawn)
    out[:4], out[-7:-4], out[:, :3], out[:, -4:] = 0.3, 0.3, 0.3, 0.3
    return out


def specked(drawn: Gray) -> Gray:
    out = paper(drawn)
    for y, x in np.random.default_rng(1).integers(0, 195, (30, 2)):
        out[y : y + 3, x : x + 3] = 0.3
    return out


def blurred(drawn: Gray) -> Gray:
    image = Image.fromarray((drawn * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(5))
    return np.asarray(image, np.float32) / 255


def tight(drawn: Gray) -> Gray:
    rows, columns = np.flatnonzero(drawn.min(1) < 0.5), np.flatnonzero(drawn.min(0) < 0.5)
    return drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def on_a_sheet(drawn: Gray) -> Gray:
    sheet = np.ones((1000, 1400), np.float32)
    sheet[700:750, 200:250] = drawn
    return sheet


CASES: dict[str, Callable[[], Gray]] = {
    "dark ink": lambda: gray("A"),
    "light ink": lambda: 1 - gray("A"),
    "hairline": lambda: gray("b", pen=0.01),
    "marker": lambda: gray("b", pen=0.16),
    "wide": lambda: gray("m", size=(300, 120)),
    "narrow": lambda: gray("l", size=(120, 300)),
    "two parts": lambda: gray("i", 1),
    "uneven light": lambda: uneven(gray("G", 1)),
    "shadow edge": lambda: shadowed(gray("G", 1)),
    "ruled paper": lambda: ruled(gray("K", 1)),
    "form cell": lambda: boxed(gray("K", 1)),
    "specks": lambda: specked(gray("4")),
    "noise": lambda: noisy(paper(gray("4"), 0.8), 0.06),
    "faint": lambda: noisy(paper(gray("4"), 0.9, ink=0.75), 0.01),
    "blur": lambda: blurred(gray("H")),
    "tight crop": lambda: tight(gray("5")),
    "tight T": lambda: tight(gray("T", 1)),
    "on a sheet": lambda: on_a_sheet(gray("e", 0, size=(50, 50), pen=0.08)),
    "28x28": lambda: 1 - gray("g", 2, size=(28, 28), pen=0.11, margin=2 / 28),
    "16x16": lambda: gray("h", 1, size=(16, 16), pen=0.13),
}


def outputs() -> list[NDArray[np.uint8]]:
    """Preprocess every case; what has no ink comes out black."""
    found = (preprocess(np.clip(make(), 0, 1)) for make in CASES.values())
    return [np.zeros((28, 28), np.uint8) if p is None else (p * 255 + 0.5).astype(np.uint8) for p in found]


def sheet() -> Image.Image:
    """Draw the sheet: inputs as thumbnails of 28 pixels above the outputs."""
    image = Image.new("L", (28 * len(CASES), 56), 128)
    for i, (make, output) in enumerate(zip(CASES.values(), outputs(), strict=True)):
        thumbnail = Image.fromarray((np.clip(make(), 0, 1) * 255).astype(np.uint8))
        thumbnail.thumbnail((28, 28), Image.Resampling.BOX)
        image.paste(thumbnail, (28 * i, 0))
        image.paste(Image.fromarray(output), (28 * i, 28))
    return image


if __name__ == "__main__":
    SHEET.parent.mkdir(exist_ok=True)
    sheet().save(SHEET)
