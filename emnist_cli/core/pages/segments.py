"""Segments of ink that are joined into characters; `oversegment` creates them and `characters` joins them."""

from collections.abc import Sequence
from typing import NamedTuple

from emnist_cli.core.pages.char_boxes import PixelBox


class Span(NamedTuple):
    """An extent along a line, in pixels; `end` is exclusive."""

    start: float
    end: float


class Piece(NamedTuple):
    """Ink that is not taken apart further.

    Attributes:
        numbers: of its pixels in the map of owners.
        upright: extent along the line.
        slanted: the same, seen along the slant of the writing.
        top: across the line.
        bottom: exclusive.
        box: on the reduced page.
        cut: how much ink was cut through on its left side, in strokes; None if it begins where ink begins.
    """

    numbers: tuple[int, ...]
    upright: Span
    slanted: Span
    top: float
    bottom: float
    box: PixelBox
    cut: float | None = None

    @property
    def middle(self) -> float:
        """Where it stands in its line."""
        return (self.slanted.start + self.slanted.end) / 2

    @property
    def width(self) -> float:
        """Along the line: the narrower of the two views."""
        return min(self.upright.end - self.upright.start, self.slanted.end - self.slanted.start)

    @property
    def height(self) -> float:
        """Across the line."""
        return self.bottom - self.top


def union(pieces: Sequence[Piece]) -> Piece:
    """Put pieces together."""
    return Piece(
        tuple(n for piece in pieces for n in piece.numbers),
        Span(min(p.upright.start for p in pieces), max(p.upright.end for p in pieces)),
        Span(min(p.slanted.start for p in pieces), max(p.slanted.end for p in pieces)),
        min(p.top for p in pieces),
        max(p.bottom for p in pieces),
        around([piece.box for piece in pieces]),
        pieces[0].cut,
    )


def around(boxes: Sequence[PixelBox]) -> PixelBox:
    """The box around boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return PixelBox(min(left), min(top), max(right), max(bottom))


def gap(one: Piece, other: Piece) -> float:
    """Paper between two pieces, `one` on the left; negative where they overlap upright and slanted."""
    return max(other.upright.start - one.upright.end, other.slanted.start - one.slanted.end)


def shared(one: Piece, other: Piece) -> float:
    """The share of the narrower one that stands above or below the other, in [0, 1]; by the view that shows less."""
    least = 1.0
    for a, b in ((one.upright, other.upright), (one.slanted, other.slanted)):
        both = min(a.end, b.end) - max(a.start, b.start)
        least = min(least, both / max(min(a.end - a.start, b.end - b.start), 1e-6))
    return max(least, 0.0)
