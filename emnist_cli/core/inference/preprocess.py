"""A grey picture of any size -> the 28x28 picture that a network trained on EMNIST expects.

EMNIST's own conversion (arXiv 1702.05373, section II-A, figure 1): binary, Gaussian blur, crop to the ink, centred in
a square with the aspect kept and a 2-pixel border, bicubic to 28x28. Here the same is done to pictures that EMNIST
never had to take: `ink.py` finds the ink first, and strokes are brought to the thickness of EMNIST's pens.
Change what comes out of here and `manifest.PREPROCESSING` goes up: models are trained for one version of it.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.inference.ink import Ink, find_ink
from emnist_cli.core.inference.paper import is_dark_ink
from emnist_cli.core.inference.pixels import Grey, resize

WORK_SIDE = 320
"""Ink is looked for in pictures reduced to at most this many pixels a side."""

BOX = 24
"""Longer side of the ink in the finished picture: 28 less EMNIST's border of 2 pixels either side."""

STROKE = (1.8, 4.6)
"""Range of stroke widths, in finished pixels, that is left alone; measured on EMNIST, see docs/preprocessing.md."""

_CANVAS = 4 * BOX  # longer side of the ink while strokes are worked on
_BLUR = 1.5  # standard deviation in canvas pixels; EMNIST's 1 in 128 pixels, plus its scanner's own
_TRACE = 0.08  # density from which a pixel counts as part of the ink's box


def preprocess(grey: NDArray[np.uint8] | Grey, ink: str = "auto") -> Grey | None:
    """Bring a picture of one character into EMNIST's form.

    Args:
        grey: upright, 0 black; uint8 (h, w) in [0, 255] or float32 (h, w) in [0, 1].
        ink: "dark" or "light" where it is known, else "auto".

    Returns:
        float32 (28, 28) in [0, 1], white ink on black, or None when there is no ink.
    """
    found = _locate(grey, {"dark": True, "light": False}.get(ink))
    if found is None:
        return None
    if _is_finished(found.density):
        return found.density
    return _finish(found)


def _locate(grey: NDArray[np.uint8] | Grey, dark: bool | None) -> Ink | None:
    """Find the ink in a reduced picture; where it is small there, look again at that place alone."""
    scale = min(1.0, WORK_SIDE / max(grey.shape))
    small = resize(grey, scale)
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
    return _locate(grey[rows, columns], dark) or found


def _finish(ink: Ink) -> Grey:
    """Crop, set stroke width and softness, scale, centre."""
    density = _crop(ink.density)
    side = max(density.shape)
    if side > 1.5 * BOX:  # more detail than the finished picture holds: sharpen to ink and paper, as EMNIST starts
        gain = min(4.0, side / BOX)
        density = np.clip(0.5 + gain * (density - 0.5), 0, 1)
    width = stroke_width(density) * BOX / side
    wanted = float(np.clip(width, *STROKE))
    if side > 1.5 * BOX or wanted != width:
        density = _redraw(density, (wanted - width) * _CANVAS / BOX, blur=_BLUR if side > 1.5 * BOX else 0.0)
    return _centre(_crop(density))


def _redraw(density: Grey, change: float, blur: float) -> Grey:
    """Scale to the working canvas, thicken strokes by `change` pixels there (thin if negative), blur."""
    scale = _CANVAS / max(density.shape)
    padded = np.pad(resize(density, scale, Image.Resampling.BICUBIC), 8 + max(0, round(change)))
    padded = _thicken(padded, change / 2) if abs(change) >= 0.5 else padded
    image = Image.fromarray((np.clip(padded, 0, 1) * 255 + 0.5).astype(np.uint8))
    return resize(np.asarray(image.filter(ImageFilter.GaussianBlur(blur))), 1)


def _thicken(density: Grey, radius: float) -> Grey:
    """Grow ink by a disc of `radius` pixels, or shrink it by a negative one; fractions blend two discs."""
    if radius < 0:
        return np.float32(1) - _thicken(np.float32(1) - density, -radius)
    whole = int(radius)
    inner, outer = _grow(density, whole), _grow(density, whole + 1)
    return inner + (outer - inner) * np.float32(radius - whole)


def _grow(density: Grey, radius: int) -> Grey:
    """Maximum over a disc, edges replicated."""
    if radius == 0:
        return density
    padded = np.pad(density, radius, mode="edge")
    height, width = density.shape
    out = density.copy()
    for dy in range(-radius, radius + 1):
        reach = int((radius**2 - dy**2 + radius * 0.8) ** 0.5)
        for dx in range(-min(reach, radius), min(reach, radius) + 1):
            np.maximum(out, padded[radius + dy : radius + dy + height, radius + dx : radius + dx + width], out=out)
    return out


def stroke_width(density: Grey) -> float:
    """Mean stroke width in pixels: twice the ink's area over the length of its outline.

    The outline's length is the picture's total variation, which blur does not change.

    Args:
        density: float32 (h, w) in [0, 1], white ink on black.
    """
    padded = np.pad(density, 1)
    dy, dx = np.diff(padded, axis=0)[:, :-1], np.diff(padded, axis=1)[:-1]
    outline = float(np.sqrt(dy * dy + dx * dx).sum())
    return 2 * float(density.sum()) / max(outline, 1e-6)


def _centre(density: Grey) -> Grey:
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
    finished: Grey = np.minimum(out / out.max(), np.float32(1))
    return finished


def _is_finished(density: Grey) -> bool:
    """Tell whether ink already has EMNIST's size, place and stroke width, and so must pass unchanged."""
    if density.shape != (IMAGE_SIZE, IMAGE_SIZE):
        return False
    top, left, bottom, right = _box(density)
    centred = abs(top + bottom - IMAGE_SIZE) <= 2 and abs(left + right - IMAGE_SIZE) <= 2
    fits = BOX - 2 <= max(bottom - top, right - left) <= BOX + 2
    return centred and fits and STROKE[0] <= stroke_width(density) <= STROKE[1]


def _crop(density: Grey) -> Grey:
    top, left, bottom, right = _box(density)
    return density[top:bottom, left:right]


def _box(density: Grey) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what has any density; bottom and right exclusive."""
    rows, columns = np.flatnonzero(density.max(1) > _TRACE), np.flatnonzero(density.max(0) > _TRACE)
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
