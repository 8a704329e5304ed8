"""Small operations on grayscale images and masks, for preprocessing and page reading.

Pillow and numpy do not have them, or are slower.
"""

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Gray = NDArray[np.float32]
Mask = NDArray[np.bool_]
"""A picture or map, float32 (h, w); a mask, bool (h, w)."""

_Kind = TypeVar("_Kind", bound=np.generic)


def resize(gray: NDArray[np.uint8] | Gray, scale: float, resample: Image.Resampling = Image.Resampling.BOX) -> Gray:
    """Scale a picture by a factor, never below one pixel a side.

    Args:
        gray: uint8 (h, w) in [0, 255] or float32 (h, w) in [0, 1].
        scale: 1 leaves the size as it is.
        resample: how; the default is the mean over each new pixel's area.

    Returns:
        float32 in [0, 1].
    """
    if scale != 1:
        height, width = gray.shape
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        gray = np.asarray(Image.fromarray(gray).resize(size, resample))
    return np.divide(gray, np.float32(255)) if gray.dtype == np.uint8 else gray.astype(np.float32)


def quantile(values: Gray, share: float) -> float:
    """The value below which `share` of `values` lie; numpy's own would load its masked arrays first, 7 ms."""
    index = int(share * (values.size - 1))
    return float(np.partition(values, index, axis=None)[index])


def bordered(values: NDArray[_Kind], margin: int, outside: float = 0) -> NDArray[_Kind]:
    """Surround a picture with `margin` pixels of one value; np.pad takes ten times as long on a small one."""
    height, width = values.shape[-2:]
    out = np.full((*values.shape[:-2], height + 2 * margin, width + 2 * margin), outside, values.dtype)
    out[..., margin : margin + height, margin : margin + width] = values
    return out


def box_blur(gray: Gray, radius: int) -> Gray:
    """Mean over a square window, edges replicated; float32 in and out. For small pictures."""
    rows, columns = gray.shape
    return np.asarray(_box_means(rows, radius) @ gray @ _box_means(columns, radius).T, np.float32)


@lru_cache(maxsize=64)
def _box_means(size: int, radius: int) -> Gray:
    """The matrix, float32 (size, size), that takes a column of pixels to the means of its windows."""
    window = np.arange(-radius, radius + 1) + np.arange(size)[:, None]
    means = np.zeros((size, size))
    np.add.at(means, (np.arange(size)[:, None], window.clip(0, size - 1)), 1 / window.shape[1])
    return means.astype(np.float32)


def slide(grid: Gray, radius: int, pick: np.ufunc) -> Gray:
    """Maximum or minimum over a square window of `radius` either way; what lies outside is left out.

    Args:
        grid: float32 (..., h, w).
        radius: pixels.
        pick: np.maximum or np.minimum.
    """
    grid = bordered(grid, radius, -np.inf if pick is np.maximum else np.inf)
    for axis in (-2, -1):
        grid = windows(grid, 2 * radius + 1, axis, pick)
    return grid


def windows(values: NDArray[_Kind], size: int, axis: int, pick: np.ufunc) -> NDArray[_Kind]:
    """Combine each window of `size` values along an axis; windows double, so few passes are made.

    Args:
        values: any shape.
        size: of the window, at most the length of the axis.
        axis: along which.
        pick: a ufunc for which a value may count twice, such as np.maximum.

    Returns:
        The same shape, but for `size - 1` values less along the axis.
    """
    values, done = values.swapaxes(0, axis), 1
    while done < size:
        step = min(done, size - done)
        values = pick(values[:-step], values[step:])
        done += step
    return values.swapaxes(0, axis)


def bounds(mask: Mask) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what is true, bottom and right exclusive; something must be."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def dilate(mask: Mask, radius: int) -> Mask:
    """Grow a mask by a square of `radius` either way."""
    for axis in (0, 1):
        source, grown = mask.swapaxes(0, axis), mask.copy()
        target = grown.swapaxes(0, axis)
        for step in range(1, min(radius, len(source) - 1) + 1):
            target[step:] |= source[:-step]
            target[:-step] |= source[step:]
        mask = grown
    return mask
