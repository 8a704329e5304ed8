"""Estimate the paper before any ink is found; `ink` and `normalize` use it.

The estimate says whether the paper is the bright side, how bright it is at each place, and how noisy it is.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emnist_cli.core.imaging.ops import Gray, Mask, box_blur, resize, slide


def is_dark_ink(gray: Gray) -> bool:
    """Tell whether ink is darker than paper.

    Three things speak for a side being ink. It is the rarer one: seen against its surroundings (so that a shadow or
    slope of light does not count), brightness has a long tail there. The border is not of it. And, for bold characters
    in tight crops, there is less of it at the border than within.
    """
    small = _without_frame(resize(gray, min(1.0, 64 / max(gray.shape))))
    local = small - box_blur(small, max(small.shape) // 2)
    local -= local.mean()
    squares = local * local
    spread = float(squares.mean()) ** 0.5
    if spread < 1e-6:
        return True
    skew = float((squares * local).mean()) / spread**3
    dark = small < (float(small.min()) + float(small.max())) / 2
    border = _border(dark)
    within = max(-1.0, min(3 * (border - np.count_nonzero(dark) / dark.size), 1.0))
    light = max(-2.0, min(skew, 2.0)) + (2 * border - 1) + within
    return bool(light < 0.1)  # where nothing speaks for either side, paper is the bright one


def _border(dark: Mask) -> float:
    """The share of dark pixels along the border."""
    sides = dark[0], dark[-1], dark[:, 0], dark[:, -1]
    return sum(np.count_nonzero(side) for side in sides) / sum(side.size for side in sides)


def _without_frame(small: Gray) -> Gray:
    """Leave out a dark frame: the edge of a scanner's lid, the lines of a cell. It says nothing of what it surrounds.

    Not a bright one: that is the margin of a 1 that fills its picture more often than the wall around a blackboard.
    """
    dark = small < (float(small.min()) + float(small.max())) / 2
    outside = _border(dark)
    if outside <= 0.85:
        return small
    for inset in range(1, min(small.shape) // 5):
        if outside - _border(dark[inset:-inset, inset:-inset]) > 0.85:
            return small[inset:-inset, inset:-inset]
    return small


def estimate_paper(bright: Gray) -> Gray:
    """How bright the paper is at each pixel, by morphological closing on a coarse grid.

    A dark structure narrower than two fifths of the picture is ink and closed over; a wider one (a shadow) is paper.

    Args:
        bright: float32 (h, w) in [0, 1], ink darker than paper.

    Returns:
        float32 (h, w).
    """
    height, width = bright.shape
    block = max(1, -(-max(height, width) // 48))
    grid = _brightest(bright, block)
    light = _fit_light(grid)
    # Each closes over all ink. The one on its own takes a slope that ends at the border for ink, the one relative
    # to a plane the foot of a shadow's edge; so the darker of the two is paper.
    alone, relative = _close(np.stack([grid, grid / light]))
    closed: Gray = np.minimum(alone / light, relative)
    if block > 1:
        closed = slide(closed, 1, np.minimum)  # beside a shadow's edge the darker side counts, or the edge were ink
    paper: Gray = closed * light
    if block > 1:
        size = (grid.shape[1] * block, grid.shape[0] * block)
        paper = np.asarray(Image.fromarray(paper).resize(size, Image.Resampling.BILINEAR))[:height, :width]
    return paper


def _brightest(bright: Gray, block: int) -> Gray:
    """The brightness that a quarter of each block of pixels exceeds; blocks cut by the border repeat their edge."""
    if block == 1:
        return bright
    height, width = bright.shape
    rows, columns = -(-height // block), -(-width // block)
    padded = np.empty((rows * block, columns * block), np.float32)
    padded[:height, :width] = bright
    padded[height:, :width] = bright[-1]
    padded[:, width:] = padded[:, width - 1, None]
    blocks = padded.reshape(rows, block, columns, block).swapaxes(1, 2).reshape(rows, columns, block * block)
    blocks.sort(axis=2)  # numpy sorts so few values faster than it partitions them
    return blocks[:, :, block * block * 3 // 4]


def _close(grids: Gray) -> Gray:
    """Morphological closing of each of (n, rows, columns) with a square of two fifths of the picture."""
    radius = max(1, max(grids.shape[1:]) // 5)
    return slide(slide(grids, radius, np.maximum), radius, np.minimum)


def _fit_light(grid: Gray) -> Gray:
    """Fit a plane to the paper's brightness, by least squares that soon ignore what is darker: the ink.

    At the picture's border the closing cannot tell a stroke from paper that gets darker there; a plane can.
    """
    terms = _plane_terms(*grid.shape)
    values = grid.ravel().astype(np.float64)
    ridge = 1e-6 * np.eye(3)
    weights = np.ones_like(values)
    for _ in range(6):
        weighted = terms * weights
        plane = np.linalg.solve(weighted @ terms.T + ridge, weighted @ values) @ terms
        before, weights = weights, np.where(values < plane - 0.02, 0.02, 1.0)
        if np.array_equal(weights, before):
            break
    light: Gray = np.maximum(plane, 0.1 * values.max() + 0.02).reshape(grid.shape).astype(np.float32)
    return light


@lru_cache(maxsize=64)
def _plane_terms(rows: int, columns: int) -> NDArray[np.float64]:
    """1, x and y of each pixel, float64 (3, rows * columns), x and y in [-1, 1]; a line of pixels has no slope."""
    terms = np.ones((3, rows, columns))
    terms[1:] = 0 if min(rows, columns) == 1 else np.mgrid[-1 : 1 : columns * 1j, -1 : 1 : rows * 1j].swapaxes(1, 2)
    return terms.reshape(3, -1)


def measure_paper(depth: Gray) -> tuple[float, float]:
    """Middle and spread of what is paper among depths: what is not far above the rest, narrowed step by step.

    A plain median would do where paper is most of the picture; in the tight crop of a bold letter it is not.

    Returns:
        The paper's own depth, and the standard deviation of its noise.
    """
    step = max(1, round((depth.size / 8000) ** 0.5))
    ordered = np.sort(depth[::step, ::step], axis=None)
    last = len(ordered) - 1
    limit = (float(ordered[int(0.1 * last)]) + float(ordered[int(0.98 * last)])) / 2
    middle = noise = 0.0
    for _ in range(4):
        paper = ordered[: np.searchsorted(ordered, np.float32(limit), side="right")]
        half = (len(paper) - 1) // 2
        middle = float(paper[half])
        # The median deviation: the half of the values that is nearest to the middle is a slice of them in order.
        noise = 1.4826 * float(np.maximum(paper[half] - paper[: len(paper) - half], paper[half:] - paper[half]).min())
        before, limit = limit, max(limit, middle + 2.5 * noise)
        if limit == before:
            break
    return middle, noise
