"""Recognize groups of ink segments, each alone with other ink treated as paper; segmentation and filtering use it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.imaging.ops import Gray, dilate, quantile, resize
from emnist_cli.core.pages.char_boxes import PixelBox
from emnist_cli.core.pages.ink_map import InkMap
from emnist_cli.core.preprocessing.ink import Ink
from emnist_cli.core.preprocessing.normalize import _finish

ComponentLabels = NDArray[np.int32]

_SIDE = 96  # pixels; larger crops are reduced, the network sees 28


def classify(
    page: InkMap, owner: ComponentLabels, groups: Sequence[tuple[PixelBox, Sequence[int]]], recognizer: Recognizer
) -> Gray:
    """Recognize groups of pieces, each as one character.

    Args:
        page: the page.
        owner: int32 (rows, columns) of the reduced page; number of the piece each pixel belongs to, 0 for none.
        groups: box on the reduced page, and the numbers of the pieces.
        recognizer: of characters.

    Returns:
        float32 (len(groups), labels).
    """
    pictures = [_picture(page, owner, box, pieces) for box, pieces in groups]
    out = np.full((len(groups), len(recognizer.labels)), 1 / len(recognizer.labels), np.float32)
    seen = [i for i, picture in enumerate(pictures) if picture is not None]
    if seen:
        out[seen] = recognizer.probabilities(np.stack([p for p in pictures if p is not None]))
    return out


def _picture(page: InkMap, owner: ComponentLabels, box: PixelBox, pieces: Sequence[int]) -> Gray | None:
    """One group as the network takes it, float32 (28, 28); None without ink."""
    top, left = max(0, box.top - 2), max(0, box.left - 2)
    bottom, right = min(owner.shape[0], box.bottom + 2), min(owner.shape[1], box.right + 2)
    depth = page.depth(top, left, bottom, right)
    cells = owner[top:bottom, left:right]
    own = cells == pieces[0]
    for piece in pieces[1:]:
        own |= cells == piece
    mask = own.repeat(page.factor, 0).repeat(page.factor, 1)[: depth.shape[0], : depth.shape[1]]
    if not mask.any():
        return None
    near = dilate(own, 1) & (own | (cells == 0))
    near = near.repeat(page.factor, 0).repeat(page.factor, 1)[: depth.shape[0], : depth.shape[1]]
    level = quantile(depth[mask], 0.8)
    low = min(page.stain, 0.4 * level)
    density = np.clip((depth - low) / max(level - low, 1e-3), 0, 1) * near
    scale = _SIDE / max(density.shape)
    if scale < 0.7:
        density = resize(density, scale)
    density = density.astype(np.float32)
    if density.max() < 0.5:  # a hair that is longer than any character
        return None
    return _finish(Ink(density, density > 0.5))
