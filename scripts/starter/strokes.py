"""Pen strokes, read from UNIPEN or Chars74K, and brought to one size.

What a pen of constant width does is kept: each character knows how large its writer wrote it, so that a small one
can be drawn with strokes that are thick beside it. In a picture scaled to its ink that is all that tells a `c`
from a `C`: by size alone, relative to the writer's other characters, 77% of UNIPEN's can be told apart.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float32]


class Character(NamedTuple):
    """One character as its writer moved the pen.

    Attributes:
        strokes: each float32 (n, 2) of x and y, y downwards; the longer side of all together is 1, from 0.
        label: the character.
        writer: who wrote it.
        size: its longer side beside that of the writer's capitals, about 1 for a capital and 0.7 for an "o".
    """

    strokes: list[Stroke]
    label: str
    writer: str
    size: float


def read_unipen(path: Path, part: str) -> list[Character]:
    """Read one part of UNIPEN, "train" or "test", in the file's order.

    Args:
        path: an .npz of train_r01_v07 (doi 10.5281/zenodo.1195803) with arrays `points` int32 (n, 2), `stroke_len`
            points a stroke, `strokes` strokes a character, `label`, `writer`, `part`.
        part: whose writers.
    """
    data = np.load(path)
    pieces = np.split(data["points"].astype(np.float32), np.cumsum(data["stroke_len"])[:-1])
    first = np.concatenate([[0], np.cumsum(data["strokes"])])
    labels, writers = data["label"].tolist(), data["writer"].tolist()
    chosen = np.flatnonzero(data["part"] == part)
    return _scaled([(pieces[first[i] : first[i + 1]], labels[i], writers[i]) for i in chosen])


def read_tablet(path: Path, writers: set[str]) -> list[Character]:
    """Read the strokes of Chars74K's hand-drawn characters: JSON, {character: {writer: [[[x, y], ...], ...]}}."""
    table: dict[str, dict[str, list[list[list[float]]]]] = json.loads(path.read_text())
    return _scaled(
        [
            ([np.asarray(stroke, np.float32) for stroke in strokes], label, writer)
            for label, by_writer in table.items()
            for writer, strokes in by_writer.items()
            if writer in writers
        ]
    )


def _scaled(found: Sequence[tuple[list[Stroke], str, str]]) -> list[Character]:
    """Bring every character to one size, and note how large it was."""
    sides = np.array([max(float(np.ptp(np.concatenate(strokes), axis=0).max()), 1.0) for strokes, _, _ in found])
    labels = np.array([label for _, label, _ in found])
    sizes = sides / _capital_heights(sides, labels, np.array([writer for _, _, writer in found]))
    out = []
    for (strokes, label, writer), side, size in zip(found, sides.tolist(), sizes.tolist(), strict=True):
        low = np.concatenate(strokes).min(axis=0)
        out.append(Character([(stroke - low) / side for stroke in strokes], label, writer, size))
    return out


def _capital_heights(
    sides: NDArray[np.float64], labels: NDArray[np.str_], writers: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Return, for each character, how large its writer's capitals are.

    By all that the writer wrote, each character divided by what is usual for its class: many wrote few capitals.
    """
    _, person = np.unique(writers, return_inverse=True)
    _, kind = np.unique(labels, return_inverse=True)
    usual = np.ones(kind.max() + 1)
    for _ in range(3):  # what is usual depends on whose writing is large, and that on what is usual
        heights = _medians(sides / usual[kind], person)
        usual = _medians(sides / heights[person], kind)
        capitals = [k for k in range(len(usual)) if labels[kind == k][0].isupper()]
        usual /= np.median(usual[capitals]) if capitals else 1.0
    return _medians(sides / usual[kind], person)[person]


def _medians(values: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group))[:-1]
    return np.array([np.median(mine) for mine in np.split(values[order], ends)])
