"""What is known of the paper before any ink is: whether it is the bright side, how bright where, how noisy."""

import numpy as np
from PIL import Image

from emnist_cli.core.inference.pixels import Grey, Mask, box_blur, quantile, resize, slide


def is_dark_ink(grey: Grey) -> bool:
    """Tell whether ink is darker than paper.

    Three things speak for a side being ink. It is the rarer one: seen against its surroundings (so that a shadow or
    slope of light does not count), brightness has a long tail there. The border is not of it. And, for bold characters
    in tight crops, there is less of it at the border than within.
    """
    small = _without_frame(resize(grey, min(1.0, 64 / max(grey.shape))))
    local = small - box_blur(small, max(small.shape) // 2)
    spread = float(local.std())
    if spread < 1e-6:
        return True
    skew = float(((local - local.mean()) ** 3).mean()) / spread**3
    dark = small < (float(small.min()) + float(small.max())) / 2
    border = _border(dark)
    within = float(np.clip(3 * (border - dark.mean()), -1, 1))
    light = float(np.clip(skew, -2, 2)) + (2 * border - 1) + within
    return light < 0.1  # where nothing speaks for either side, paper is the bright one


def _border(dark: Mask) -> float:
    """The share of dark pixels along the border."""
    return float(np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]]).mean())


def _without_frame(small: Grey) -> Grey:
    """Leave out a dark frame: the edge of a scanner's lid, the lines of a cell. It says nothing of what it surrounds.

    Not a bright one: that is the margin of a 1 that fills its picture more often than the wall around a blackboard.
    """
    dark = small < (float(small.min()) + float(small.max())) / 2
    outside = _border(dark)
    for inset in range(1, min(small.shape) // 5):
        if outside - _border(dark[inset:-inset, inset:-inset]) > 0.85:
            return small[inset:-inset, inset:-inset]
    return small


def estimate_paper(bright: Grey) -> Grey:
    """How bright the paper is at each pixel, by morphological closing on a coarse grid.

    A dark structure narrower than two fifths of the picture is ink and closed over; a wider one (a shadow) is paper.

    Args:
        bright: float32 (h, w) in [0, 1], ink darker than paper.

    Returns:
        float32 (h, w).
    """
    height, width = bright.shape
    block = max(1, -(-max(height, width) // 48))
    padded = np.pad(bright, ((0, -height % block), (0, -width % block)), mode="edge")
    rows, columns = padded.shape[0] // block, padded.shape[1] // block
    blocks = padded.reshape(rows, block, columns, block).swapaxes(1, 2).reshape(rows, columns, block * block)
    brightest = blocks.shape[2] * 3 // 4
    grid = np.partition(blocks, brightest, axis=2)[:, :, brightest]
    light = _fit_light(grid)
    # Each closes over all ink. The one on its own takes a slope that ends at the border for ink, the one relative
    # to a plane the foot of a shadow's edge; so the darker of the two is paper.
    closed = np.minimum(_close(grid) / light, _close(grid / light))
    if block > 1:
        closed = slide(closed, 1, np.minimum)  # beside a shadow's edge the darker side counts, or the edge were ink
    paper = Image.fromarray((closed * light).astype(np.float32))
    return np.asarray(paper.resize((columns * block, rows * block), Image.Resampling.BILINEAR))[:height, :width]


def _close(grid: Grey) -> Grey:
    """Morphological closing with a square of two fifths of the picture."""
    radius = max(1, max(grid.shape) // 5)
    return slide(slide(grid, radius, np.maximum), radius, np.minimum)


def _fit_light(grid: Grey) -> Grey:
    """Fit a plane to the paper's brightness, by least squares that soon ignore what is darker: the ink.

    At the picture's border the closing cannot tell a stroke from paper that gets darker there; a plane can.
    """
    rows, columns = grid.shape
    y, x = (
        np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j] if min(rows, columns) > 1 else np.zeros((2, rows, columns))
    )
    terms = np.stack([np.ones_like(x), x, y], axis=-1).reshape(-1, 3)
    values = grid.ravel().astype(np.float64)
    weights = np.ones_like(values)
    for _ in range(6):
        weighted = terms * weights[:, None]
        plane = terms @ np.linalg.solve(weighted.T @ terms + 1e-6 * np.eye(3), weighted.T @ values)
        weights = np.where(values < plane - 0.02, 0.02, 1.0)
    light: Grey = np.maximum(plane, 0.1 * values.max() + 0.02).reshape(rows, columns).astype(np.float32)
    return light


def measure_paper(depth: Grey) -> tuple[float, float]:
    """Middle and spread of what is paper among depths: what is not far above the rest, narrowed step by step.

    A plain median would do where paper is most of the picture; in the tight crop of a bold letter it is not.

    Returns:
        The paper's own depth, and the standard deviation of its noise.
    """
    step = max(1, round((depth.size / 8000) ** 0.5))
    sample = depth[::step, ::step].ravel()
    limit = (quantile(sample, 0.1) + quantile(sample, 0.98)) / 2
    middle = noise = 0.0
    for _ in range(4):
        paper = sample[sample <= limit]
        middle = quantile(paper, 0.5)
        noise = 1.4826 * quantile(np.abs(paper - np.float32(middle)), 0.5)
        limit = max(limit, middle + 2.5 * noise)
    return middle, noise
