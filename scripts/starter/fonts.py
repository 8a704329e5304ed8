"""Openly licensed handwriting fonts -> pictures in EMNIST's form.

Each font is one hand that prints its letters apart, under the SIL Open Font License 1.1. They come as npm packages:
for every NAME in `FONTS`, `npm pack @fontsource/NAME` gives an archive, and package/files/NAME-latin-400-normal.woff
out of it goes into one folder for all, as NAME.woff.
"""

import string
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageFont

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.preprocessing.normalize import BOX, STROKE, stroke_width

CHARACTERS = string.digits + string.ascii_letters

# Chosen by eye. Not here: joined and brush scripts, type that no pen wrote, and all but three of a family of school
# hands that share most letters.
FONTS = {
    "annie-use-your-telescope": "",
    "architects-daughter": "",
    "caveat": "",
    "chilanka": "",
    "comic-neue": "",
    "covered-by-your-grace": "",
    "dekko": "",
    "delius": "",
    "edu-nsw-act-foundation": "",
    "edu-qld-beginner": "vw",  # end in a hook, read as r
    "edu-tas-beginner": "",
    "gaegu": "",
    "gamja-flower": "g",  # as in print
    "give-you-glory": "AMgnr6q",  # the form of the other case; 8, b
    "gloria-hallelujah": "",
    "gochi-hand": "z",  # a 3
    "grape-nuts": "",
    "handlee": "",
    "hi-melody": "ij",  # rings for dots
    "indie-flower": "",
    "kalam": "",
    "kavivanar": "",
    "klee-one": "",
    "loved-by-the-king": "",
    "mali": "",
    "mansalva": "Qq",  # an underlined O; struck through
    "nanum-pen-script": "ij",  # bars for dots
    "neucha": "",
    "nothing-you-could-do": "q",  # a 2
    "over-the-rainbow": "FHJOPRXYZ2egopxyz",  # curls
    "pangolin": "",
    "patrick-hand": "",
    "playpen-sans": "",
    "reenie-beanie": "C",  # an L
    "shadows-into-light": "",
    "short-stack": "",
    "sriracha": "",
    "sue-ellen-francisco": "",
    "swanky-and-moo-moo": "G8",  # a q; open at the top
    "the-girl-next-door": "",
    "waiting-for-the-sunrise": "Cc",  # an L
    "zeyada": "AGJQXZ4fkwxz",  # curls; Z and z a 2
}
"""The fonts, and of each the characters left out: those that few would read as what they stand for."""

SOURCE = f"{len(FONTS)} handwriting fonts, npm packages @fontsource/NAME"

_CAPITAL = 96  # height of a capital as drawn, and longer side of the ink while it is varied
_MARGIN = 16  # around it, for bends and thicker strokes
_CANVAS = _CAPITAL + 2 * _MARGIN
_STEP = 16  # side of the cells that the canvas is bent in; divides it
_SOFT = 1.5  # blur on the canvas, as in `preprocess`
_TRACE = 20  # of 255, from which a pixel counts as part of the ink's box, as there
_PEN = 0.115  # usual stroke width beside a capital's height
_WIDEST = 5.0

_NODES = np.arange(0.0, _CANVAS + 1, _STEP)
_BOXES = [(x, y, x + _STEP, y + _STEP) for y in range(0, _CANVAS, _STEP) for x in range(0, _CANVAS, _STEP)]
_SMOOTH = np.exp(-0.5 * (np.subtract.outer(_NODES, _NODES) / (0.3 * _CANVAS)) ** 2)
_SMOOTH /= np.sqrt((_SMOOTH**2).sum(axis=1, keepdims=True))  # what it makes of noise has a standard deviation of 1


class Glyph(NamedTuple):
    """A character as a font draws it.

    Attributes:
        density: float32 (h, w) in [0, 1], white ink on black, cropped to the ink; the font's capitals are 96 high.
        label: the character.
        font: its name in `FONTS`.
        size: longer side of the ink's box beside the height of the font's capitals.
    """

    density: NDArray[np.float32]
    label: str
    font: str
    size: float


def glyphs(folder: Path) -> Iterator[Glyph]:
    """Draw every character of every font that is not left out.

    Args:
        folder: the fonts, as NAME.woff.

    Raises:
        ValueError: a font is not there.
    """
    for name in FONTS:
        if not (folder / f"{name}.woff").is_file():
            raise ValueError(
                f"{folder} has no {name}.woff: npm pack @fontsource/{name}, and copy "
                f"package/files/{name}-latin-400-normal.woff out of the archive under that name"
            )
    for name, left_out in FONTS.items():
        path = str(folder / f"{name}.woff")
        trial = ImageFont.truetype(path, _CAPITAL)  # several capitals, as single ones of a hand stand out
        high = float(np.median([ink.shape[0] for letter in "EHINT" if (ink := _ink(trial, letter)) is not None]))
        font = ImageFont.truetype(path, _CAPITAL * _CAPITAL / high)
        unknown = _ink(font, "\U0010ffff")  # never a character: drawn as the font draws what it lacks
        for label in CHARACTERS:
            ink = _ink(font, label)
            if label in left_out or ink is None or (unknown is not None and np.array_equal(ink, unknown)):
                continue
            yield Glyph(ink.astype(np.float32) / np.float32(255), label, name, max(ink.shape) / _CAPITAL)


def vary(glyph: Glyph, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a glyph in EMNIST's form, as another hand with another pen might have: slanted, stretched, turned, bent.

    Returns:
        uint8 (28, 28), white on black, as `preprocess` would leave it.
    """
    ink = _crop(np.asarray(_bend(glyph.density, rng)))
    ink = _set_width(ink, _pen_width(glyph, rng))
    soft = Image.fromarray(ink).filter(ImageFilter.GaussianBlur(_SOFT * rng.uniform(0.7, 1.6)))
    return _finish(_crop(np.asarray(soft)))


def _ink(font: ImageFont.FreeTypeFont, text: str) -> NDArray[np.uint8] | None:
    """Draw text, cropped to the ink: uint8 (h, w), white on black; None where there is no ink."""
    mask = font.getmask(text)
    ink = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1])
    return _crop(ink) if ink.size and ink.max() > _TRACE else None


def _bend(density: NDArray[np.float32], rng: np.random.Generator) -> Image.Image:
    """Slant, stretch, turn and bend ink on the canvas, its longer side about `_CAPITAL`."""
    angle, slant = np.clip(rng.normal(0, (0.08, 0.15)), -0.3, 0.3)
    wide = np.exp(np.clip(rng.normal(0, 0.12), -0.3, 0.3))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[wide, -slant], [0.0, 1.0]])
    source = np.array(density.shape[::-1], float)
    matrix *= _CAPITAL / (np.abs(matrix) @ source).max()
    strength = min(rng.exponential(1.6), 4.0)  # canvas pixels
    moved = strength * (_SMOOTH @ rng.normal(size=(2, len(_NODES), len(_NODES))) @ _SMOOTH.T)
    grid = np.stack(np.meshgrid(_NODES, _NODES)) + moved - _CANVAS / 2
    x, y = np.einsum("ij,jyx->iyx", np.linalg.inv(matrix), grid) + source[:, None, None] / 2 + 1
    corners = np.stack([x[:-1, :-1], y[:-1, :-1], x[1:, :-1], y[1:, :-1], x[1:, 1:], y[1:, 1:], x[:-1, 1:], y[:-1, 1:]])
    mesh = [(box, tuple(corners[:, box[1] // _STEP, box[0] // _STEP].tolist())) for box in _BOXES]
    # A black pixel all round, or the ink would end hard where the picture does.
    padded = Image.fromarray(np.pad((density * 255 + 0.5).astype(np.uint8), 1))
    return padded.transform((_CANVAS, _CANVAS), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _pen_width(glyph: Glyph, rng: np.random.Generator) -> float:
    """Return a stroke width in finished pixels.

    Three times in four that of a pen which the font's capitals were written with as well, which makes small letters
    thick; else any.
    """
    if rng.random() < 0.75:
        width = BOX * _PEN * np.exp(rng.normal(0, 0.28)) / np.clip(glyph.size, 0.25, 2.5)
        return float(np.clip(width, STROKE[0], _WIDEST))
    return float(rng.uniform(STROKE[0], _WIDEST))


def _set_width(ink: NDArray[np.uint8], wanted: float) -> NDArray[np.uint8]:
    """Grow or shrink strokes so that they are `wanted` wide once the ink's longer side is `BOX`."""
    side, width = max(ink.shape), _width(ink)
    change = (wanted * side - BOX * width) / (BOX - wanted)  # the longer side changes with the strokes
    radius = max(change, -0.5 * width) / 2  # thinned further, strokes break where they are thinnest
    padded = np.pad(ink, max(0, int(radius)) + 6)  # room for the blur as well
    while abs(radius) >= 0.5 and not _keeps_form(padded, radius + 2 * np.sign(radius), width):
        radius *= 0.6
    return _grow(padded, radius)


def _keeps_form(ink: NDArray[np.uint8], radius: float, width: float) -> bool:
    """Tell whether strokes `width` wide may be grown by `radius`: no gap closes, no stroke breaks."""
    grown = _grow(ink, radius)
    # A bay that fills, as of a narrow m, leaves parts and holes as they were, but makes one stroke of two.
    return _euler(grown) == _euler(ink) and _width(grown) < 1.15 * (width + 2 * radius) + 1


def _width(ink: NDArray[np.uint8]) -> float:
    return stroke_width(ink.astype(np.float32) / np.float32(255))


def _grow(ink: NDArray[np.uint8], radius: float) -> NDArray[np.uint8]:
    """Maximum over an octagon, by crosses and squares in turn, minimum for a negative radius; fractions blend two."""
    if radius < 0:
        return 255 - _grow(255 - ink, -radius)
    whole = int(radius)
    inner = ink
    for step in range(whole):
        inner = _grow_once(inner, square=step % 2 == 1)
    outer = _grow_once(inner, square=whole % 2 == 1)
    share = np.uint16(round(256 * (radius - whole)))
    return ((inner * (256 - share) + outer * share) >> 8).astype(np.uint8)


def _grow_once(ink: NDArray[np.uint8], square: bool) -> NDArray[np.uint8]:
    out = ink.copy()
    np.maximum(out[1:], ink[:-1], out=out[1:])
    np.maximum(out[:-1], ink[1:], out=out[:-1])
    other = out.copy() if square else ink
    np.maximum(out[:, 1:], other[:, :-1], out=out[:, 1:])
    np.maximum(out[:, :-1], other[:, 1:], out=out[:, :-1])
    return out


def _euler(ink: NDArray[np.uint8]) -> int:
    """Number of parts less number of holes."""
    on = ink > 127
    across, down = on[:, 1:] & on[:, :-1], on[1:] & on[:-1]
    squares = across[1:] & across[:-1]
    return int(np.count_nonzero(on) - np.count_nonzero(across) - np.count_nonzero(down) + np.count_nonzero(squares))


def _finish(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale cropped ink to a longer side of `BOX` and centre its box."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC), np.float32)
    out = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    top, left = (IMAGE_SIZE - size[1]) // 2, (IMAGE_SIZE - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = small * (255 / max(float(small.max()), 1.0)) + 0.5
    return out


def _crop(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut to the box of what has any density."""
    rows, columns = np.flatnonzero(ink.max(1) > _TRACE), np.flatnonzero(ink.max(0) > _TRACE)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
