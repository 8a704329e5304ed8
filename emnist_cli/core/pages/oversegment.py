"""Cut and stack the components of a line into segments; `segment` uses it.

Dots are attached to what they belong to, and wide components are cut wherever two characters may touch.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from emnist_cli.core.pages.char_boxes import PixelBox
from emnist_cli.core.pages.crops import ComponentLabels
from emnist_cli.core.pages.page_components import PageComponents, Tilt
from emnist_cli.core.pages.segments import Piece, Span, gap, shared, union
from emnist_cli.core.pages.sizes import Numbers
from emnist_cli.core.preprocessing.components import Indices

_MOST_CUT = 2.5  # strokes that are cut through at most


class Views(NamedTuple):
    """A page's parts as seen upright and along the slant of the writing.

    Attributes:
        upright: extents for upright letters.
        slanted: extents along the slant.
        tilt: of the page, with the slant.
    """

    upright: PageComponents
    slanted: PageComponents
    tilt: Tilt

    def piece(self, number: int) -> Piece:
        """One part as a piece."""
        top, left, bottom, right = self.upright.components.boxes[number].tolist()
        return Piece(
            (number + 1,),
            Span(float(self.upright.left[number]), float(self.upright.right[number])),
            Span(float(self.slanted.left[number]), float(self.slanted.right[number])),
            float(self.upright.top[number]),
            float(self.upright.bottom[number]),
            PixelBox(left, top, right, bottom),
        )


def make_pieces(
    views: Views,
    line: Indices,
    marks: Indices,
    owner: ComponentLabels,
    fresh: Iterator[int],
    size: float,
    stroke: float,
) -> list[Piece]:
    """Turn the parts of one line into pieces.

    Args:
        views: the page's parts.
        line: numbers of the line's parts.
        marks: numbers of the small ones that belong to one of them, if to any.
        owner: int32, number of the piece that each pixel of the reduced page belongs to; renumbered where one is cut.
        fresh: numbers that no piece has.
        size: how tall characters are.
        stroke: how thick strokes are.

    Returns:
        From left to right.
    """
    pieces = [piece for n in line.tolist() for piece in _cut(views.piece(n), owner, fresh, size, views.tilt, stroke)]
    pieces = _stack(sorted(pieces, key=lambda piece: piece.middle), size)
    for number in marks.tolist():
        _attach(pieces, views.piece(number), size)
    return sorted(pieces, key=lambda piece: piece.middle)


def _stack(pieces: list[Piece], size: float) -> list[Piece]:
    """Put together what stands above one another."""
    out: list[Piece] = []
    for piece in pieces:
        merged = piece
        for at in range(len(out) - 1, max(-1, len(out) - 4), -1):
            if _stacked(out[at], merged, size):
                merged = union([out.pop(at), merged])
        out.append(merged)
    return out


def _stacked(one: Piece, other: Piece, size: float) -> bool:
    """Tell whether two pieces stand one above the other, or one within the other's extent."""
    share = shared(one, other)
    if one.cut is not None or other.cut is not None or share <= 0.5:
        return False
    low = min(one.height, other.height)
    beside = min(one.bottom, other.bottom) - max(one.top, other.top)
    return beside < 0.4 * low or low < 0.5 * size or share > 0.85


def _attach(pieces: list[Piece], mark: Piece, size: float) -> None:
    """Put a mark to the piece that it belongs to, if there is one: the dot of an i, a broken end."""
    best, at = 1.0, -1
    for i, piece in enumerate(pieces):
        aside = max(gap(piece, mark), gap(mark, piece))
        above = piece.top - mark.bottom
        narrow = piece.width < 0.5 * size
        if aside < (0.2 * size if narrow else 0.0) and -0.1 * size < above < max(0.6 * size, 0.9 * piece.height):
            cost = max(aside, 0) / (0.3 * size) + max(above, 0) / (1.5 * size) + (0 if narrow else 0.4)
        elif aside < 0.05 * size and max(above, mark.top - piece.bottom) < 0.08 * size:
            cost = 0.2
        else:
            continue
        if cost < best:
            best, at = cost, i
    if at >= 0:
        pieces[at] = union([pieces[at], mark])


def _cut(
    piece: Piece, owner: ComponentLabels, fresh: Iterator[int], size: float, tilt: Tilt, stroke: float
) -> list[Piece]:
    """Cut a wide part wherever little ink stands in a column, upright or along the slant: where the thinnest one is."""
    if piece.width < 0.75 * size or piece.width < 0.6 * piece.height:
        return [piece]
    box, number = piece.box, piece.numbers[0]
    region = owner[box.top : box.bottom, box.left : box.right]
    rows, columns = np.nonzero(region == number)
    rows, columns = rows + box.top, columns + box.left
    slanted, upright, across = tilt.along(rows, columns), tilt.level.along(rows, columns), tilt.across(rows, columns)
    views = []
    for along in (slanted, upright):
        column = np.floor(along - along.min()).astype(np.int64)
        profile = np.bincount(column).astype(np.float64)
        cuts = _places(profile, size, stroke)
        views.append((min(profile[cuts], default=np.inf), column, profile, cuts))
    _, column, profile, cuts = min(views, key=lambda view: view[0])
    which = np.searchsorted(np.array(cuts, np.int64), column, side="right")
    out: list[Piece] = []
    for k in range(len(cuts) + 1):
        own = which == k
        if not own.any():
            continue
        name, cut = (next(fresh), float(profile[cuts[k - 1]] / stroke)) if out else (number, None)
        y, x = rows[own], columns[own]
        owner[y, x] = name
        out.append(
            Piece(
                (name,),
                Span(float(upright[own].min()), float(upright[own].max()) + 1),
                Span(float(slanted[own].min()), float(slanted[own].max()) + 1),
                float(across[own].min()),
                float(across[own].max()) + 1,
                PixelBox(int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1),
                cut,
            )
        )
    return out


def _places(profile: Numbers, size: float, stroke: float) -> list[int]:
    """Columns of little ink, apart from one another and from the ends."""
    smooth = np.convolve(profile, np.ones(3) / 3, "same")
    margin = max(3, int(0.2 * size))
    order = [int(i) for i in np.argsort(smooth, kind="stable") if margin <= i < len(smooth) - margin]
    chosen: list[int] = []
    most = max(_MOST_CUT * stroke, 3.0)
    for i in order:
        if smooth[i] > most or len(chosen) == 6:
            break
        if all(abs(i - j) >= margin for j in chosen):
            chosen.append(i)
    return sorted(chosen)
