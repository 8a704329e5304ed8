"""Separate the ink of a grayscale page from the paper; it is the first step of `segment`.

Light and shadow are divided out, and what is dark against its surroundings is separated from noise. Nothing here
knows what a character is. The page is examined in a reduced copy of at most `WORK_SIDE` pixels a side, and
`InkMap.depth` returns any part of it at full resolution.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from emnist_cli.core.imaging.ops import Gray, Mask, resize
from emnist_cli.core.preprocessing.components import find_components, find_runs

WORK_SIDE = 2400
"""Lines and characters are looked for in pages reduced to at most this many pixels a side."""

MIN_DEPTH = 0.07
"""Ink absorbs at least this share of the light that its paper returns; fainter marks are paper."""

_BLOCK = 8  # pixels of the reduced page a side of a cell of the map of light
_WIDEST = 1 / 8  # of the longer side: a wider dark place is a shadow
_LEAST_WIDEST = 160  # pixels; on a small picture, strokes may be bold
_STROKES = 8  # times as wide as strokes: so is a wider dark place
_SURROUNDINGS = (1 / 30, 1 / 10, 1 / 5)  # of the longer side
_DECISIVE = 0.5  # of at most 1: how one-sided differences from the surroundings are
_CELL = 16  # pixels a side of a cell of the maps of noise and of ink
_DIM = 0.35  # of the brightness of most of the paper
_AROUND = (9, 21)  # cells a side in which noise is measured: at least, at most
_QUARTER = 0.319  # standard deviations from the mean are a quarter of the values of a normal distribution
_CLEAR = 0.15  # depth that is ink at first sight
_SHARE = 0.42  # of the depth of ink nearby from which a pixel is ink


class InkMap(NamedTuple):
    """A page and its ink.

    Attributes:
        shade: as given, dark ink or light; uint8 or float32 (h, w).
        dark: whether ink is darker than paper.
        factor: pixels of the page a side of one pixel of the reduced page.
        light: float32 (rows, columns) of the reduced page: brightness of the paper, in [0, 1].
        dim: brightness below which paper is in too deep a shadow to be read, or a dark table.
        trace: bool (rows, columns): what is darker than most of the paper's noise.
        mask: bool (rows, columns): what is also dark enough to be ink beside the ink around it.
        absorbed: float32 (rows, columns): how much of the paper's light is missing; 0 paper, 1 black.
        stain: in [0, 1]; less missing light than this is noise.
    """

    shade: NDArray[np.uint8] | Gray
    dark: bool
    factor: int
    light: Gray
    dim: float
    trace: Mask
    mask: Mask
    absorbed: Gray
    stain: float

    def depth(self, top: int, left: int, bottom: int, right: int) -> Gray:
        """How much of the paper's light is missing in a part of the page, in all its pixels.

        Args:
            top: first row, of the reduced page.
            left: first column.
            bottom: exclusive.
            right: exclusive.

        Returns:
            float32, `factor` times as many pixels a side, fewer at the page's end; 0 paper, 1 black.
        """
        rows = slice(top * self.factor, bottom * self.factor)
        columns = slice(left * self.factor, right * self.factor)
        gray = _upright(resize(self.shade[rows, columns], 1), self.dark)
        light = self.light[top:bottom, left:right].repeat(self.factor, 0).repeat(self.factor, 1)
        return _absorbed(gray, light[: gray.shape[0], : gray.shape[1]], self.dim)


def find_page_ink(shade: NDArray[np.uint8] | Gray) -> InkMap:
    """Tell ink from paper.

    Args:
        shade: the upright page, 0 black; uint8 in [0, 255] or float32 in [0, 1], (h, w).
    """
    factor = -(-max(shade.shape) // WORK_SIDE)
    small = np.asarray(Image.fromarray(shade).reduce(factor)) if factor > 1 else shade
    gray = resize(small, 1)
    dark = _is_dark_ink(gray)
    bright = _upright(gray, dark)
    widest = max(max(bright.shape) * _WIDEST, _LEAST_WIDEST)
    depth = 1 - bright / _light(bright, widest)
    stroke = page_stroke_width(depth > max(4 * float(np.quantile(np.abs(depth[::4, ::4]), 0.25)) / _QUARTER, _CLEAR))
    # Now that the strokes' width is known, what is wider is a shadow.
    light = _light(bright, min(max(_STROKES * stroke, 4 * _BLOCK), widest))
    middle, noise = _measure(1 - bright / light, min(max(_AROUND[0], round(_STROKES * stroke / _CELL)), _AROUND[1]))
    light *= 1 - np.clip(_spread(middle, _CELL, bright.shape), 0, 0.12)
    dim = _DIM * float(np.quantile(light[::4, ::4], 0.9))
    depth = _absorbed(bright, light, dim)
    least = _spread(np.maximum(4 * noise, MIN_DEPTH), _CELL, depth.shape)
    mask = depth > np.maximum(least, _SHARE * _level(depth))
    side = max(9, round(4 * stroke))
    trace, mask = (ink & ~_solid_border(ink, side) for ink in (depth > least / 2, mask))
    return InkMap(shade, dark, factor, light, dim, trace, mask, depth, float(3 * np.median(noise)))


def _absorbed(bright: Gray, light: Gray, dim: float) -> Gray:
    """The share of the light that is missing; where there is hardly any, noise must not pass for ink."""
    absorbed: Gray = np.divide(light - bright, np.maximum(light, np.float32(dim)), dtype=np.float32)
    return absorbed


def close_gaps(mask: Mask) -> Mask:
    """Fill gaps of up to half a stroke's width in upright strokes, which would part a line of broken letters in two.

    Not before rules and boxes are taken out: what is written would be joined to them.
    """
    above, below = mask.copy(), mask.copy()
    for step in range(1, round(page_stroke_width(mask) / 2) + 1):
        above[step:] |= mask[:-step]
        below[:-step] |= mask[step:]
    return mask | (above & below)


def _solid_border(mask: Mask, side: int) -> Mask:
    """What reaches in from the border and is as wide as `side`: a table beside the sheet, a finger, a binding."""
    core = ndimage.uniform_filter(mask.astype(np.float32), side, mode="nearest") > 0.85
    solid = ndimage.maximum_filter(core.view(np.uint8), side + 6, mode="nearest").view(np.bool_) & mask
    parts = find_components(solid)
    at_border = (parts.boxes[:, :2] == 0).any(axis=1) | (parts.boxes[:, 2:] == mask.shape).any(axis=1)
    return parts.mask(at_border)


def page_stroke_width(mask: Mask) -> float:
    """How wide strokes are, in pixels: half of the ink is in runs, along rows and columns, that are no longer.

    What touches the border or goes from side to side is left out, if there is anything else.
    """
    parts = find_components(mask)
    start, end = parts.boxes[:, :2], parts.boxes[:, 2:]
    inside = (start > 0) & (end < mask.shape) & (end - start < 0.8 * np.array(mask.shape))
    ink = parts.mask(inside[:, 0] & inside[:, 1]) if inside.all(axis=1).any() else mask
    every = np.sort(np.concatenate([runs.end - runs.start for runs in (find_runs(ink), find_runs(ink.T))]))
    if not len(every):
        return 0.0
    weight = np.cumsum(every)
    return float(every[np.searchsorted(weight, weight[-1] / 2)])


def _upright(gray: Gray, dark: bool) -> Gray:
    return gray if dark else 1 - gray


def _is_dark_ink(gray: Gray) -> bool:
    """Tell which side is ink: against its surroundings, which are mostly paper, brightness has a long tail there.

    Narrow surroundings are asked first, as a small sheet on a table needs them; of bold characters they say nothing.
    """
    cells = _cells(gray, _BLOCK, 0.5)
    light = 0.0
    for share in _SURROUNDINGS:
        usual = ndimage.median_filter(cells, max(3, round(max(cells.shape) * share)), mode="nearest")
        local = (gray - _spread(usual, _BLOCK, gray.shape))[::2, ::2]
        cubes = local * local * local
        light = float(cubes.sum() / max(np.abs(cubes).sum(), 1e-6))
        if abs(light) > _DECISIVE:
            break
    return light <= 0


def _light(bright: Gray, window: float) -> Gray:
    """Brightness of the paper at each pixel, by morphological closing on a coarse grid."""
    grid = _cells(bright, _BLOCK, 0.8)
    size = max(3, round(window / _BLOCK))
    closed = ndimage.grey_closing(grid, size=(size, size), mode="nearest")
    closed = ndimage.minimum_filter(closed, 5, mode="nearest")  # beside a shadow's edge the darker side counts
    return np.maximum(_spread(ndimage.uniform_filter(closed, 3, mode="nearest"), _BLOCK, bright.shape), 0.02)


def _measure(depth: Gray, around: int) -> tuple[Gray, Gray]:
    """The paper's own depth and the standard deviation of its noise, by cells.

    Each is of what is nearest to paper in cells, and of the clearer third of `around` x `around` cells.
    """
    middle = ndimage.percentile_filter(_cells(depth, _CELL, 0.4), 35, around, mode="nearest")
    quarter = _cells(np.abs(depth - _spread(middle, _CELL, depth.shape)), _CELL, 0.25)
    return middle, ndimage.percentile_filter(quarter, 35, around, mode="nearest") / _QUARTER


def _level(depth: Gray) -> Gray:
    """How deep the ink around each pixel is."""
    level = ndimage.maximum_filter(_cells(depth, _CELL, 0.97), 5, mode="nearest")
    return _spread(ndimage.uniform_filter(level, 3, mode="nearest"), _CELL, depth.shape)


def _cells(values: Gray, side: int, share: float) -> Gray:
    """The value that `share` of each cell of `side` x `side` pixels is below; cells cut by the border repeat it."""
    height, width = values.shape
    rows, columns = -(-height // side), -(-width // side)
    values = np.pad(values, ((0, rows * side - height), (0, columns * side - width)), mode="edge")
    cells = values.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(rows, columns, side * side)
    index = int(share * (side * side - 1))
    return np.ascontiguousarray(np.partition(cells, index, axis=2)[:, :, index])


def _spread(cells: Gray, side: int, shape: tuple[int, ...]) -> Gray:
    """Scale a map of cells up to the pixels of `shape`."""
    size = (cells.shape[1] * side, cells.shape[0] * side)
    return np.asarray(Image.fromarray(cells).resize(size, Image.Resampling.BILINEAR))[: shape[0], : shape[1]]
