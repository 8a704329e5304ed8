"""Small operations on grey pictures and masks that Pillow and numpy do not have, or have slower."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]
"""A picture or map, float32 (h, w); a mask, bool (h, w)."""


def resize(grey: NDArray[np.uint8] | Grey, scale: float, resample: Image.Resampling = Image.Resampling.BOX) -> Grey:
    """Scale a picture by a factor, never below one pixel a side.

    Args:
        grey: uint8 (h, w) in [0, 255] or float32 (h, w) in [0, 1].
        scale: 1 leaves the size as it is.
        resample: how; the default is the mean over each new pixel's area.

    Returns:
        float32 in [0, 1].
    """
    if scale != 1:
        height, width = grey.shape
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = np.asarray(Image.fromarray(grey).resize(size, resample))
    values = grey.astype(np.float32)
    return values / np.float32(255) if grey.dtype == np.uint8 else values


def quantile(values: Grey, share: float) -> float:
    """The value below which `share` of `values` lie; numpy's own would load its masked arrays first, 7 ms."""
    index = int(share * (values.size - 1))
    return float(np.partition(values, index, axis=None)[index])


def box_blur(grey: Grey, radius: int) -> Grey:
    """Mean over a square window, edges replicated; float32 in and out."""
    for axis in (0, 1):
        pad = [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)]
        total = np.cumsum(np.pad(grey.astype(np.float64), pad, mode="edge"), axis=axis)
        size = 2 * radius + 1
        taken = total[size:] - total[:-size] if axis == 0 else total[:, size:] - total[:, :-size]
        grey = (taken / size).astype(np.float32)
    return grey


def slide(grid: Grey, radius: int, pick: np.ufunc) -> Grey:
    """Maximum or minimum over a square window of `radius` either way; what lies outside is left out."""
    for axis in (0, 1):
        outside = -np.inf if pick is np.maximum else np.inf
        pad = [(radius, radius) if a == axis else (0, 0) for a in (0, 1)]
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(grid, pad, constant_values=outside), 2 * radius + 1, axis=axis
        )
        grid = pick.reduce(windows, axis=-1)
    return grid


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
