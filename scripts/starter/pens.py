"""Pen strokes -> pictures: in EMNIST's form at once, or photographed first and prepared as `emnist predict` would.

A stroke can be drawn any number of times, each time by another hand: other slant and proportions, strokes a little
out of place, another pen. All of it is a function of the generator given.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.preprocessing.normalize import BOX, STROKE, preprocess

from .strokes import Character, Stroke

_FINE = 4  # canvas pixels for each finished one
_SOFT = 1.5  # blur on the canvas, as in `preprocess`
_PEN = 0.115  # usual width beside a capital's longer side: that of Chars74K's tablet, and near EMNIST's
_SAME_PEN = 0.65  # share of the drawings with the writer's own pen
_ALIKE = 0.7  # correlation below which a photograph shows noise or a blot rather than its character


def draw(character: Character, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a character in EMNIST's form, by a hand and a pen chosen at random.

    Returns:
        uint8 (28, 28), white on black, as `preprocess` would leave it.
    """
    strokes = _another_hand(character.strokes, rng)
    width = float(np.clip(_pen_width(character, rng), STROKE[0] * 0.95, STROKE[1] * 1.05))
    # The blur adds about one finished pixel to the ink's box.
    canvas = _ink(strokes, BOX * _FINE - 3, width * _FINE, IMAGE_SIZE * _FINE, rng)
    canvas = canvas.filter(ImageFilter.GaussianBlur(_SOFT * rng.uniform(0.7, 1.6)))
    small = np.asarray(canvas.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC), np.float32)
    return (small * (255 / max(float(small.max()), 1.0)) + 0.5).astype(np.uint8)


def photograph(character: Character, rng: np.random.Generator) -> NDArray[np.uint8] | None:
    """Draw a character on paper, photograph it badly, and prepare the picture as `emnist predict` would.

    Returns:
        uint8 (28, 28), white on black, or None where the ink was not found again.
    """
    long = float(np.exp(rng.uniform(np.log(30), np.log(130))))  # the ink's longer side in pixels
    side = round(long * rng.uniform(1.15, 1.9))
    strokes = _another_hand(character.strokes, rng)
    width = _pen_width(character, rng) * rng.uniform(0.5, 1.1) / BOX * long
    ink = _ink(strokes, 2 * long, max(2 * width, 2.0), 2 * side, rng).reduce(2)
    finished = preprocess(_photo(np.asarray(ink, np.float32) / np.float32(255), long, rng))
    if finished is None or _likeness(finished, ink) < _ALIKE:
        return None
    return (finished * 255 + 0.5).astype(np.uint8)


def _photo(ink: NDArray[np.float32], long: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Put ink on paper under uneven light, out of focus, with noise, as a JPEG: uint8, dark on light."""
    side = len(ink)
    light = _smooth(rng, side, 2) * rng.uniform(0, 0.12) + rng.uniform(0.6, 0.97)
    dry = np.clip(1 - rng.exponential(0.12) * np.abs(_smooth(rng, side, max(3, side // 5))), 0.4, 1)
    contrast = rng.uniform(0.3, 0.95) if rng.random() < 0.9 else rng.uniform(0.15, 0.3)
    photo = Image.fromarray((np.clip(light * (1 - contrast * ink * dry), 0, 1) * 255).astype(np.uint8))
    if rng.random() < 0.6:
        photo = photo.filter(ImageFilter.BoxBlur(rng.exponential(0.02) * long))
    noise = rng.normal(0, rng.exponential(3), (side, side))
    packed = io.BytesIO()
    noisy = np.clip(np.asarray(photo) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(packed, "JPEG", quality=int(rng.integers(30, 90)))
    return np.asarray(Image.open(packed))


def _likeness(finished: NDArray[np.float32], ink: Image.Image) -> float:
    """Return the correlation of a prepared picture with the ink that it was made of, brought to the same box."""
    whole = ink.crop(ink.getbbox())
    scale = BOX / max(whole.size)
    size = (max(1, round(whole.width * scale)), max(1, round(whole.height * scale)))
    clean = Image.new("L", (IMAGE_SIZE, IMAGE_SIZE))
    clean.paste(whole.resize(size, Image.Resampling.BOX), ((IMAGE_SIZE - size[0]) // 2, (IMAGE_SIZE - size[1]) // 2))
    soft = clean.filter(ImageFilter.GaussianBlur(1))
    blurred = Image.fromarray((finished * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    return float(np.corrcoef(np.asarray(soft).ravel(), np.asarray(blurred).ravel())[0, 1])


def _another_hand(strokes: list[Stroke], rng: np.random.Generator) -> list[Stroke]:
    """Slant, turn and stretch the character, put its strokes a little out of place, let the hand tremble."""
    angle, slant = rng.normal(0, 0.08), rng.normal(0, 0.15)
    wide = np.exp(rng.normal(0, 0.12))
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.array(
        [[wide, -slant], [0, 1]]
    )
    tremble = rng.exponential(0.008)
    bend, phase = rng.normal(0, 0.02, 2), rng.uniform(0, 6.28, 2)
    loose = rng.exponential(0.015)
    out = []
    for stroke in strokes:
        moved = stroke @ matrix.T + rng.normal(0, loose, 2)
        moved += bend * np.sin(4 * stroke[:, ::-1] + phase)
        if len(stroke) > 4:
            wobble = np.convolve(rng.normal(0, 1, len(stroke)), np.ones(3) / 3, "same")
            moved += wobble[:, None] * rng.normal(0, tremble, 2)
        out.append(moved.astype(np.float32))
    return out


def _pen_width(character: Character, rng: np.random.Generator) -> float:
    """Return a width in finished pixels, the ink's box being 24.

    Mostly that of a pen which the writer's other characters were written with as well, which makes small ones thick;
    pens differ, so that a thick stroke speaks for a small letter without settling it. Else any: who crops or scales
    scans, or changes pens, leaves nothing to tell size by.
    """
    if rng.random() < _SAME_PEN:
        return BOX * _PEN * float(np.exp(rng.normal(0, 0.35))) / min(max(character.size, 0.25), 2.5)
    return float(rng.uniform(1.8, 5.0))


def _ink(strokes: list[Stroke], box: float, width: float, side: int, rng: np.random.Generator) -> Image.Image:
    """Draw strokes so that ink of the given width fills a box in the middle of a square: mode L, ink 255."""
    points = np.concatenate(strokes)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = max(box - width, 1.0) / max(float(extent.max()), 1e-3)
    if float(extent.max()) * scale < width:  # a dot
        scale = 1.0
    offset = (side - extent * scale) / 2 - low * scale
    canvas = Image.new("L", (side, side))
    pen = ImageDraw.Draw(canvas)
    kind = rng.random()
    for stroke in strokes:
        path = stroke * scale + offset
        if kind < 0.7:
            _round(pen, path, width)
        elif kind < 0.85:
            _flat(pen, path, width, angle=rng.normal(0.8, 0.3))
        else:
            _pressed(pen, path, width, rng)
    return canvas


def _round(pen: ImageDraw.ImageDraw, path: Stroke, width: float) -> None:
    pen.line(path.ravel().tolist(), fill=255, width=max(round(width), 1), joint="curve")
    for x, y in (path[0], path[-1]):
        _dot(pen, x, y, width)


def _flat(pen: ImageDraw.ImageDraw, path: Stroke, width: float, angle: float) -> None:
    """A nib that is broad in one direction, as of a marker: several lines side by side."""
    nib = np.array([np.cos(angle), -np.sin(angle)]) * width * 0.35
    for shift in np.linspace(-1, 1, 5):
        _round(pen, path + (nib * shift).astype(np.float32), width * 0.62)


def _pressed(pen: ImageDraw.ImageDraw, path: Stroke, width: float, rng: np.random.Generator) -> None:
    """A soft pen: broader where it is pressed."""
    pressure = 1 + 0.35 * np.sin(np.linspace(0, rng.uniform(1, 7), len(path)) + rng.uniform(0, 6.28))
    for a, b, force in zip(path, path[1:], pressure, strict=False):
        pen.line([*a.tolist(), *b.tolist()], fill=255, width=max(round(width * force), 1))
        _dot(pen, b[0], b[1], width * force)
    _dot(pen, path[0][0], path[0][1], width * pressure[0])


def _dot(pen: ImageDraw.ImageDraw, x: float, y: float, width: float) -> None:
    pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)


def _smooth(rng: np.random.Generator, side: int, grid: int) -> NDArray[np.float32]:
    """Smooth noise, standard deviation about 1: float32 (side, side)."""
    coarse = Image.fromarray(rng.normal(0, 1, (grid, grid)).astype(np.float32))
    return np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
