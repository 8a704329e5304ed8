"""Finding the ink in a grey picture of one character: which side is ink, how dark the paper is where, what to drop.

Knows nothing of EMNIST's form; `preprocess.py` brings the ink found here into it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emnist_cli.core.inference.components import Components, find_components

Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]

MIN_DEPTH = 0.07
"""Ink absorbs at least this share of the light that its paper returns; fainter marks are paper."""

MIN_SIZE = 0.0125
"""A character is at least this share of its picture's longer side; what is smaller is dust."""


class Ink(NamedTuple):
    """The ink of a character.

    Attributes:
        density: float32 (h, w) in [0, 1]; 1 full ink, 0 paper; whatever is not the character is 0.
        mask: bool (h, w), where density is more than about half.
        level: how much of the paper's light full ink absorbs, (0, 1].
    """

    density: Grey
    mask: Mask
    level: float


def is_dark_ink(grey: Grey) -> bool:
    """Tell whether ink is darker than paper.

    Ink is the rarer side: seen against the surroundings (so that a shadow or slope does not count), its
    distribution has a long tail. A bold character in a tight crop has none; there the picture's border decides.
    """
    small = resize(grey, min(1.0, 64 / max(grey.shape)))
    local = small - _box_blur(small, max(small.shape) // 2)
    spread = float(local.std())
    if spread < 1e-6:
        return True
    skew = float(((local - local.mean()) ** 3).mean()) / spread**3
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    middle = (float(small.min()) + float(small.max())) / 2
    light = float(np.clip(skew, -2, 2)) - float(2 * (border > middle).mean() - 1)
    return light < 0.1  # where nothing speaks for either side, paper is the bright one


def find_ink(grey: Grey, dark: bool) -> Ink | None:
    """Separate the character from paper, shadows, rules and specks.

    Args:
        grey: float32 (h, w) in [0, 1]; a few hundred pixels a side at most.
        dark: whether ink is darker than paper.

    Returns:
        The ink, or None where there is none.
    """
    bright = grey if dark else 1 - grey
    light = estimate_paper(bright)
    depth = (light - bright) / np.maximum(light, np.float32(0.05))
    offset, noise = measure_paper(depth)
    depth -= np.float32(offset)
    candidates = depth[depth > max(MIN_DEPTH, 4 * noise)]
    if candidates.size < 3:
        return None
    level = quantile(candidates, 0.8)
    threshold = max(0.45 * level, MIN_DEPTH, 4 * noise)
    mask = keep_character(depth > threshold, depth)
    if mask is None:
        return None
    low = min(3 * noise, 0.4 * level)
    density = np.clip((depth - low) / (level - low), 0, 1)
    density *= _dilate(mask, 2)
    return Ink(density.astype(np.float32), mask, level)


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


def quantile(values: Grey, share: float) -> float:
    """The value below which `share` of `values` lie; numpy's own would load its masked arrays first, 7 ms."""
    index = int(share * (values.size - 1))
    return float(np.partition(values, index, axis=None)[index])


def estimate_paper(bright: Grey) -> Grey:
    """How bright the paper is at each pixel, by morphological closing on a coarse grid.

    A dark structure narrower than a third of the picture is ink and closed over; a wider one (a shadow) is paper.

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
        closed = _slide(closed, 1, np.minimum)  # beside a shadow's edge the darker side counts, or the edge were ink
    paper = Image.fromarray((closed * light).astype(np.float32))
    return np.asarray(paper.resize((columns * block, rows * block), Image.Resampling.BILINEAR))[:height, :width]


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
    return np.maximum(plane, 0.1 * values.max() + 0.02).reshape(rows, columns).astype(np.float32)


def _close(grid: Grey) -> Grey:
    """Morphological closing with a square of a third of the picture."""
    radius = max(1, max(grid.shape) // 6)
    return _slide(_slide(grid, radius, np.maximum), radius, np.minimum)


def _slide(grid: Grey, radius: int, pick: np.ufunc) -> Grey:
    """Maximum or minimum over a square window of `radius` either way; what lies outside is left out."""
    for axis in (0, 1):
        outside = -np.inf if pick is np.maximum else np.inf
        pad = [(radius, radius) if a == axis else (0, 0) for a in (0, 1)]
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(grid, pad, constant_values=outside), 2 * radius + 1, axis=axis
        )
        grid = pick.reduce(windows, axis=-1)
    return grid


def keep_character(mask: Mask, depth: Grey) -> Mask | None:
    """Drop rules, frames, what hugs the border, and specks.

    Args:
        mask: bool (h, w), everything dark enough to be ink.
        depth: float32 (h, w), how dark.

    Returns:
        The character's own pixels, or None when only specks are left.
    """
    mask = remove_rules(mask)
    parts = find_components(mask)
    if not len(parts.area):
        return None
    keep = _choose(parts, mask.shape)
    sizes = (parts.boxes[keep, 2:] - parts.boxes[keep, :2]).max(axis=1)
    if parts.area[keep].sum() < 6 or sizes.max() < max(3, MIN_SIZE * max(mask.shape)):
        return None
    return parts.mask(keep)


def _choose(parts: Components, shape: tuple[int, ...]) -> Mask:
    """Decide which components make up the character."""
    top, left, bottom, right = parts.boxes.T
    tall, wide = bottom - top, right - left
    at_border = (top == 0) | (left == 0) | (bottom == shape[0]) | (right == shape[1])
    frame = _is_frame(parts)
    # What lies along an edge of the picture is a shadow, a fold or the neighbour, if there is anything else.
    weight = parts.area * np.where(at_border, 0.25, 1.0) * np.where(frame, 0.0, 1.0)
    main = int(weight.argmax() if weight.any() else parts.area.argmax())
    keep = np.zeros(len(parts.area), bool)
    keep[main] = True
    box = parts.boxes[main].copy()
    reach = max(tall[main], wide[main])
    for i in np.argsort(-parts.area, kind="stable"):
        if keep[i] or frame[i] or parts.area[i] < 0.03 * parts.area[main]:
            continue
        if at_border[i] and not at_border[main]:
            continue
        gap_y = max(top[i] - box[2], box[0] - bottom[i], 0)
        gap_x = max(left[i] - box[3], box[1] - right[i], 0)
        if gap_y <= reach and gap_x <= 0.5 * reach:  # the dot of an i can be high up
            keep[i] = True
            box = np.concatenate([np.minimum(box[:2], parts.boxes[i, :2]), np.maximum(box[2:], parts.boxes[i, 2:])])
    return keep


def _is_frame(parts: Components) -> Mask:
    """Tell which components are boxes drawn around another large one: hollow, with four straight sides."""
    top, left, bottom, right = parts.boxes.T
    frame = np.zeros(len(parts.area), bool)
    for i in np.flatnonzero(parts.area > 0.1 * parts.area.max()):
        inside = (top > top[i]) & (left > left[i]) & (bottom < bottom[i]) & (right < right[i])
        large = (bottom - top > 0.3 * (bottom[i] - top[i])) & (parts.area > 0.03 * parts.area[i])
        if (inside & large).any():
            own = parts.labels[top[i] : bottom[i], left[i] : right[i]] == i + 1
            depth_y, depth_x = max(1, own.shape[0] // 8), max(1, own.shape[1] // 8)
            sides = (own[:depth_y].any(0), own[-depth_y:].any(0), own[:, :depth_x].any(1), own[:, -depth_x:].any(1))
            frame[i] = all(side.mean() > 0.9 for side in sides)
    return frame


def remove_rules(mask: Mask) -> Mask:
    """Take out straight lines that run from border to border: ruled paper, cells of a form.

    Only if what remains is a character on its own, clear of the border; else the line may be the bar of a tightly
    cropped T. Where a stroke crosses a line, its pixels stay. Paper with nothing but ruled lines has no character;
    a lone upright line is kept, being a 1 that fills its picture.
    """
    across, upright = _rules(mask), _rules(mask.T).T
    rules = across | upright
    if not rules.any():
        return mask
    rest = mask & ~_dilate(rules, 1)
    parts = find_components(rest)
    inner = (parts.boxes[:, :2] > 0).all(axis=1) & (parts.boxes[:, 2:] < rest.shape).all(axis=1)
    large = (parts.boxes[:, 2:] - parts.boxes[:, :2]).max(axis=1, initial=0) > 0.08 * max(mask.shape)
    if (inner & large).any():
        return rest | (mask & _bridge(rest))
    return mask if large.any() or upright.any() else rest


def _rules(mask: Mask) -> Mask:
    """Thin horizontal lines that touch both the left and the right border, slightly slanted ones included."""
    height, width = mask.shape
    run = max(4, width // 4)
    closed = _dilate(mask, 1)  # slant and noise cut a thin line into pieces
    if closed.sum(axis=1).max() < run:
        return np.zeros_like(mask)
    total = np.cumsum(np.pad(closed, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    full = total[:, run:] - total[:, :-run] >= run
    count = np.cumsum(np.pad(full, ((0, 0), (run, run - 1))), axis=1, dtype=np.int32)
    opened = closed & (count[:, run:] - count[:, :-run] > 0)
    parts = find_components(opened)
    slack = width // 50
    spans = (parts.boxes[:, 1] <= slack) & (parts.boxes[:, 3] >= width - slack)
    rules = np.zeros_like(mask)
    thin = parts.area < width * min(0.08 * height, width / 8)
    for i in np.flatnonzero(spans & thin):
        rule = parts.labels == i + 1
        thickness = rule.sum(axis=0)
        rules |= rule & (thickness <= 1.5 * np.sort(thickness)[width // 2] + 1)  # thicker: a stroke lies on the line
    return rules


def _bridge(rest: Mask) -> Mask:
    """Pixels between two pieces of ink that face each other across a small gap."""
    reach = max(2, max(rest.shape) // 25)
    image = Image.fromarray(rest)
    bridged = np.zeros_like(rest)
    for axis in (0, 1):
        grid = np.asarray(image, np.float32)
        pad = [(reach, reach) if a == axis else (0, 0) for a in (0, 1)]
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(grid, pad), reach + 1, axis=axis).max(axis=-1)
        before, after = (windows[:-reach], windows[reach:]) if axis == 0 else (windows[:, :-reach], windows[:, reach:])
        bridged |= (before > 0) & (after > 0)
    return bridged


def _dilate(mask: Mask, radius: int) -> Mask:
    """Grow a mask by a square of `radius` either way."""
    for axis in (0, 1):
        source, grown = mask.swapaxes(0, axis), mask.copy()
        target = grown.swapaxes(0, axis)
        for step in range(1, min(radius, len(source) - 1) + 1):
            target[step:] |= source[:-step]
            target[:-step] |= source[step:]
        mask = grown
    return mask


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


def _box_blur(grey: Grey, radius: int) -> Grey:
    """Mean over a square window, edges replicated; float32 in and out."""
    for axis in (0, 1):
        pad = [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)]
        total = np.cumsum(np.pad(grey.astype(np.float64), pad, mode="edge"), axis=axis)
        size = 2 * radius + 1
        taken = total[size:] - total[:-size] if axis == 0 else total[:, size:] - total[:, :-size]
        grey = (taken / size).astype(np.float32)
    return grey
