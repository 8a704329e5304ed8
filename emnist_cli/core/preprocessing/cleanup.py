"""Decide which of the dark pixels belong to the character; `preprocessing.ink` uses it.

Rules, frames, ink along the border and specks are dropped.
"""

import numpy as np

from emnist_cli.core.imaging.ops import Mask, bordered, dilate, windows
from emnist_cli.core.preprocessing.components import Components, find_components, find_runs, join_runs

MIN_SIZE = 0.0125
"""A character is at least this share of its picture's longer side; what is smaller is dust."""

_MOST_PARTS = 100  # a character has fewer; a picture full of dots must not take long


def keep_character(mask: Mask) -> Mask | None:
    """Drop rules, frames, what hugs the border, and specks.

    Args:
        mask: bool (h, w), everything dark enough to be ink.

    Returns:
        The character's own pixels, or None when only specks are left.
    """
    mask = remove_rules(mask)
    parts = find_components(mask)
    if not len(parts.area):
        return None
    keep = _choose(parts, mask.shape)
    if not keep.any():
        return None
    sizes = (parts.boxes[keep, 2:] - parts.boxes[keep, :2]).max(axis=1)
    if parts.area[keep].sum() < 6 or sizes.max() < max(3, MIN_SIZE * max(mask.shape)):
        return None
    return mask if keep.all() else parts.mask(keep)


def _choose(parts: Components, shape: tuple[int, ...]) -> Mask:
    """Decide which components make up the character."""
    top, left, bottom, right = parts.boxes.T
    tall, wide = bottom - top, right - left
    at_border = (top == 0) | (left == 0) | (bottom == shape[0]) | (right == shape[1])
    frame = _is_frame(parts)
    # What lies along an edge of the picture is a shadow, a fold or the neighbour, if there is anything else.
    weight = parts.area * np.where(at_border, 0.25, 1.0) * ~(frame | _is_sliver(parts, shape))
    main = int(weight.argmax())
    keep = np.zeros(len(parts.area), bool)
    if not weight[main]:
        return keep
    keep[main] = True
    box = parts.boxes[main].copy()
    reach = max(tall[main], wide[main])
    possible = (parts.area >= 0.03 * parts.area[main]) & ~frame & ~(at_border & ~at_border[main])
    largest = np.argsort(-parts.area, kind="stable")[:_MOST_PARTS]
    for i in largest[possible[largest] & (largest != main)]:
        gap_y = max(top[i] - box[2], box[0] - bottom[i], 0)
        gap_x = max(left[i] - box[3], box[1] - right[i], 0)
        if gap_y <= reach and gap_x <= 0.5 * reach:  # the dot of an i can be high up
            keep[i] = True
            box = np.concatenate([np.minimum(box[:2], parts.boxes[i, :2]), np.maximum(box[2:], parts.boxes[i, 2:])])
    return keep


def _is_sliver(parts: Components, shape: tuple[int, ...]) -> Mask:
    """Tell which components lie along a border and hardly reach in: the edge of the page, the tip of a neighbour."""
    top, left, bottom, right = parts.boxes.T
    thin = 0.04 * max(shape)
    along_side = ((left == 0) | (right == shape[1])) & (right - left < min(thin, shape[1] / 2))
    along_end = ((top == 0) | (bottom == shape[0])) & (bottom - top < min(thin, shape[0] / 2))
    sliver: Mask = along_side | along_end
    return sliver


def _is_frame(parts: Components) -> Mask:
    """Tell which components are boxes drawn around another large one: hollow, with four straight sides."""
    frame = np.zeros(len(parts.area), bool)
    largest = np.argsort(-parts.area, kind="stable")[:10]
    outer = parts.boxes[largest, None]
    inside = (parts.boxes[:, :2] > outer[..., :2]).all(axis=2) & (parts.boxes[:, 2:] < outer[..., 2:]).all(axis=2)
    tall = parts.boxes[:, 2] - parts.boxes[:, 0]
    large = (tall > 0.3 * tall[largest, None]) & (parts.area > 0.03 * parts.area[largest, None])
    for i in largest[(inside & large).any(axis=1)]:
        top, left, bottom, right = parts.boxes[i]
        own = parts.mask(np.arange(len(frame)) == i)[top:bottom, left:right]
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
    rest = mask & ~dilate(rules, 1)
    parts = find_components(rest)
    inner = (parts.boxes[:, :2] > 0).all(axis=1) & (parts.boxes[:, 2:] < rest.shape).all(axis=1)
    large = (parts.boxes[:, 2:] - parts.boxes[:, :2]).max(axis=1, initial=0) > 0.08 * max(mask.shape)
    if (inner & large).any():
        return rest | (mask & _bridge(rest))
    lone = not across.any() and len(find_components(upright).area) == 1
    return mask if large.any() or lone else rest


def _rules(mask: Mask) -> Mask:
    """Thin horizontal lines that touch both the left and the right border, slightly slanted ones included."""
    height, width = mask.shape
    rules = np.zeros_like(mask)
    if not dilate(mask.max(axis=0, keepdims=True), 1).all():  # a column without ink: most pictures end here
        return rules
    runs = find_runs(dilate(mask, 1))  # slant and noise cut a thin line into pieces
    parts = join_runs(runs.select(runs.end - runs.start >= max(4, width // 4)))
    spans = (parts.boxes[:, 1] == 0) & (parts.boxes[:, 3] == width)
    thin = parts.area < width * min(0.08 * height, width / 8)
    for i in np.flatnonzero(spans & thin):
        rule = parts.mask(np.arange(len(thin)) == i)
        thickness = rule.sum(axis=0)
        rules |= rule & (thickness <= 1.5 * np.sort(thickness)[width // 2] + 1)  # thicker: a stroke lies on the line
    return rules


def _bridge(rest: Mask) -> Mask:
    """Pixels between two pieces of ink that face each other across a small gap."""
    reach = max(2, max(rest.shape) // 25)
    bridged = np.zeros_like(rest)
    for axis in (0, 1):
        lines = bordered(rest, reach).swapaxes(0, axis)[:, reach:-reach]
        ink_within = windows(lines, reach + 1, 0, np.logical_or)
        target = bridged.swapaxes(0, axis)
        target |= ink_within[:-reach] & ink_within[reach:]
    return bridged
