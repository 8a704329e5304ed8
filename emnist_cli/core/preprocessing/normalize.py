"""Convert a grayscale image of any size to EMNIST's 28x28 format; the recognizer and page reading use it.

This is the image that a network trained on EMNIST expects. EMNIST's own conversion (arXiv 1702.05373, section II-A,
figure 1) is: binary, Gaussian blur, crop to the ink, center in a square with the aspect ratio kept and a 2-pixel
border, bicubic to 28x28. The same is done here to images that EMNIST never had to handle: `preprocessing.ink` finds
the ink first, and strokes are brought to the stroke width of EMNIST's pens. Increase `manifest.PREPROCESSING` with
every change to the output of this module: a model is trained for one version of it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from emnist_cli.core.config import IMAGE_SIZE, NormalizeConfig
from emnist_cli.core.imaging.ops import Gray, Mask, bordered, bounds, resize
from emnist_cli.core.preprocessing.background import is_dark_ink
from emnist_cli.core.preprocessing.ink import Ink, find_ink

WORK_SIDE = 320
"""Ink is looked for in pictures reduced to at most this many pixels a side."""

BOX, STROKE = NormalizeConfig.box, NormalizeConfig.stroke
"""Longer side of the ink in the finished picture, and the range of stroke widths that is left alone, in its pixels."""

_CANVAS, _BLUR, _TRACE = NormalizeConfig.canvas, NormalizeConfig.blur, NormalizeConfig.trace


def preprocess(gray: NDArray[np.uint8] | Gray, ink: str = "auto") -> Gray | None:
    """Bring a picture of one character into EMNIST's form.

    Args:
        gray: upright, 0 black; uint8 (h, w) in [0, 255] or float32 (h, w) in [0, 1].
        ink: "dark" or "light" where it is known, else "auto".

    Returns:
        float32 (28, 28) in [0, 1], white ink on black, or None when there is no ink.
    """
    return preprocess_many([gray], ink)[0]


def preprocess_many(grays: Sequence[NDArray[np.uint8] | Gray], ink: str = "auto") -> list[Gray | None]:
    """Bring pictures of one character each into EMNIST's form, as `preprocess` does, those that have it all at once.

    Args:
        grays: upright, 0 black; each uint8 (h, w) in [0, 255] or float32 (h, w) in [0, 1].
        ink: "dark" or "light" where it is known, else "auto".

    Returns:
        For each, float32 (28, 28) in [0, 1], white ink on black, or None when there is no ink.
    """
    passed: dict[int, Gray] = {}
    for kind, full in ((np.uint8, 255), (np.float32, 1)) if ink != "dark" else ():
        which = [i for i, gray in enumerate(grays) if gray.shape == (IMAGE_SIZE, IMAGE_SIZE) and gray.dtype == kind]
        if which:
            pictures = np.stack([grays[i] for i in which]).astype(np.float32) / np.float32(full)
            found = np.flatnonzero(finished(pictures))
            passed |= zip([which[k] for k in found], _normalise(pictures[found]), strict=True)
    dark = {"dark": True, "light": False}.get(ink)
    return [passed[i] if i in passed else _prepare(gray, dark) for i, gray in enumerate(grays)]


def finished(pictures: NDArray[np.uint8] | Gray) -> Mask:
    """Tell which pictures are in EMNIST's form beyond doubt: looking for ink in them could only spoil them.

    Their border and most of the rest is black, the ink bright, in EMNIST's place, size and stroke width, and it is no
    frame that may be drawn around something.

    Args:
        pictures: uint8 in [0, 255] or float32 in [0, 1], (n, 28, 28).

    Returns:
        bool (n,).
    """
    black = pictures == 0
    border_black = black[:, :: IMAGE_SIZE - 1].all((1, 2)) & black[:, :, :: IMAGE_SIZE - 1].all((1, 2))
    bright = pictures.max((1, 2)) >= (128 if pictures.dtype == np.uint8 else 0.5)
    density = _normalise(pictures)
    passed: Mask = border_black & bright & (black.sum((1, 2)) > IMAGE_SIZE**2 / 2)
    passed &= _have_form(density) & ~_have_four_sides(density > _TRACE)
    return passed


def _normalise(pictures: NDArray[np.uint8] | Gray) -> Gray:
    """Divide each of (n, h, w) by its maximum; a black one stays black."""
    brightest = pictures.max((1, 2), keepdims=True)
    return np.divide(pictures, np.where(brightest > 0, brightest, 1), dtype=np.float32)


def _prepare(gray: NDArray[np.uint8] | Gray, dark: bool | None) -> Gray | None:
    """Find the ink of one picture and bring it into EMNIST's form."""
    found = _locate(gray, dark)
    if found is None:
        return None
    if found.density.shape == (IMAGE_SIZE, IMAGE_SIZE) and _have_form(found.density[None])[0]:
        return found.density
    return _finish(found)


def _locate(gray: NDArray[np.uint8] | Gray, dark: bool | None) -> Ink | None:
    """Find the ink in a reduced picture; where it is small there, look again at that place alone."""
    scale = min(1.0, WORK_SIDE / max(gray.shape))
    small = resize(gray, scale)
    if dark is None:
        dark = is_dark_ink(small)
    found = find_ink(small, dark)
    if found is None or scale == 1:
        return found
    top, left, bottom, right = _box(found.density)
    side = max(bottom - top, right - left)
    if side >= WORK_SIDE / 5:
        return found
    margin = side // 2
    rows = slice(max(0, int((top - margin) / scale)), int((bottom + margin) / scale))
    columns = slice(max(0, int((left - margin) / scale)), int((right + margin) / scale))
    return _locate(gray[rows, columns], dark) or found


def _finish(ink: Ink) -> Gray:
    """Crop, set stroke width and softness, scale, centre."""
    density = _crop(ink.density)
    side = max(density.shape)
    if side > 1.5 * BOX:  # more detail than the finished picture holds: sharpen to ink and paper, as EMNIST starts
        gain = min(4.0, side / BOX)
        density = np.clip(0.5 + gain * (density - 0.5), 0, 1)
    width = stroke_width(density) * BOX / side
    wanted = max(STROKE[0], min(width, STROKE[1]))
    if side > 1.5 * BOX or wanted != width:
        density = _redraw(density, (wanted - width) * _CANVAS / BOX, blur=_BLUR if side > 1.5 * BOX else 0.0)
    return _centre(_crop(density))


def _redraw(density: Gray, change: float, blur: float) -> Gray:
    """Scale to the working canvas, thicken strokes by `change` pixels there (thin if negative), blur."""
    scale = _CANVAS / max(density.shape)
    padded = bordered(resize(density, scale, Image.Resampling.BICUBIC), 8 + max(0, round(change)))
    padded = _thicken(padded, change / 2) if abs(change) >= 0.5 else padded
    image = Image.fromarray((np.clip(padded, 0, 1) * 255 + 0.5).astype(np.uint8))
    return resize(np.asarray(image.filter(ImageFilter.GaussianBlur(blur))), 1)


def _thicken(density: Gray, radius: float) -> Gray:
    """Grow ink by a disc of `radius` pixels, or shrink it by a negative one; fractions blend two discs."""
    if radius < 0:
        return np.float32(1) - _thicken(np.float32(1) - density, -radius)
    whole = int(radius)
    inner, outer = _grow(density, whole), _grow(density, whole + 1)
    return inner + (outer - inner) * np.float32(radius - whole)


def _grow(density: Gray, radius: int) -> Gray:
    """Maximum over a disc; what lies outside is left out."""
    height, width = density.shape
    padded = bordered(density, radius, -np.inf)
    wide, reach = padded[:, radius : radius + width].copy(), 0  # maximum over `reach` pixels to the left and right
    out = density.copy()
    for dy in range(radius, -1, -1):  # from the disc's ends to its middle, where it is widest
        wanted = min(radius, int((radius**2 - dy**2 + radius * 0.8) ** 0.5))
        for dx in range(reach + 1, wanted + 1):
            np.maximum(wide, padded[:, radius - dx : radius - dx + width], out=wide)
            np.maximum(wide, padded[:, radius + dx : radius + dx + width], out=wide)
        reach = wanted
        np.maximum(out, wide[radius - dy : radius - dy + height], out=out)
        np.maximum(out, wide[radius + dy : radius + dy + height], out=out)
    return out


def stroke_width(density: Gray) -> float:
    """Mean stroke width in pixels: twice the ink's area over the length of its outline.

    The outline's length is the picture's total variation, which blur does not change.

    Args:
        density: float32 (h, w) in [0, 1], white ink on black.
    """
    return float(_stroke_widths(density))


def _stroke_widths(densities: Gray) -> NDArray[np.float64]:
    """Stroke width of each picture of (..., h, w)."""
    padded = bordered(densities, 1)
    here = padded[..., :-1, :-1]
    dy, dx = padded[..., 1:, :-1] - here, padded[..., :-1, 1:] - here
    dy *= dy
    dx *= dx
    dy += dx
    outline = np.sqrt(dy, out=dy).sum((-2, -1)).astype(np.float64)
    widths: NDArray[np.float64] = 2 * densities.sum((-2, -1)).astype(np.float64) / np.maximum(outline, 1e-6)
    return widths


def _centre(density: Gray) -> Gray:
    """Scale cropped ink to a longer side of 24 pixels and centre its box in 28x28."""
    height, width = density.shape
    side = max(height, width)
    if side != BOX:
        size = (max(1, round(width * BOX / side)), max(1, round(height * BOX / side)))
        density = np.asarray(Image.fromarray(density).resize(size, Image.Resampling.BICUBIC), np.float32)
        height, width = density.shape
    out = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32)
    top, left = (IMAGE_SIZE - height) // 2, (IMAGE_SIZE - width) // 2
    out[top : top + height, left : left + width] = np.clip(density, 0, None)
    centred: Gray = np.minimum(out / out.max(), np.float32(1))
    return centred


def _have_form(densities: Gray) -> Mask:
    """Tell for each of (n, 28, 28) whether its ink has EMNIST's size, place and stroke width already."""
    ink = densities > _TRACE
    margins = [(side.argmax(1), side[:, ::-1].argmax(1)) for side in (ink.max(2), ink.max(1))]
    centred = np.all([abs(before - after) <= 2 for before, after in margins], axis=0)
    side = IMAGE_SIZE - np.min([before + after for before, after in margins], axis=0)
    width = _stroke_widths(densities)
    form: Mask = centred & (abs(side - BOX) <= 2) & (STROKE[0] <= width) & (width <= STROKE[1])
    return form


def _have_four_sides(ink: Mask) -> Mask:
    """Tell for each of (n, 28, 28) whether its ink lines all four sides of its place, as a frame does."""
    lined = _line_top_and_bottom(ink)
    lined[lined] = _line_top_and_bottom(ink[lined].swapaxes(1, 2))  # left and right of the few that come so far
    return lined


def _line_top_and_bottom(ink: Mask) -> Mask:
    depth = (IMAGE_SIZE - BOX) // 2 + BOX // 8
    lined: Mask = np.all([side.max(1).sum(1) > 0.8 * BOX for side in (ink[:, :depth], ink[:, -depth:])], axis=0)
    return lined


def _crop(density: Gray) -> Gray:
    top, left, bottom, right = _box(density)
    return density[top:bottom, left:right]


def _box(density: Gray) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what has any density; bottom and right exclusive."""
    return bounds(density > _TRACE)
