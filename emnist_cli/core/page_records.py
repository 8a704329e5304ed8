"""The result of reading a page, from lines down to characters; `core.pages` creates it, `emnist read` prints it.

Standard library only, as is `records`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from emnist_cli.core.records import Alternative

PageStatus = Literal["ok", "empty", "error"]

PAGE_STATUSES: tuple[PageStatus, ...] = ("ok", "empty", "error")

UNSURE = "?"
"""Stands in a text for a character that was too uncertain to be named; no model answers it."""

_PARAGRAPH = 1.6
"""Lines whose distance is so many times the usual one, or more, are apart."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the upright page; right and bottom are exclusive."""


@dataclass(frozen=True)
class Character:
    """One character.

    Attributes:
        label: the character; "" where it is less probable than was asked for.
        confidence: probability of the best answer, in its context; 4 decimals.
        box: around its ink.
        alternatives: the most likely answers, the best one included, best first.
    """

    label: str
    confidence: float
    box: Box
    alternatives: tuple[Alternative, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the record as the JSON outputs carry it."""
        return {
            "label": self.label,
            "confidence": self.confidence,
            "box": list(self.box),
            "alternatives": [a._asdict() for a in self.alternatives],
        }


@dataclass(frozen=True)
class Word:
    """Characters that stand together, from left to right; `box` is around their ink."""

    box: Box
    characters: tuple[Character, ...]

    @property
    def text(self) -> str:
        """The word as it is written."""
        return "".join(character.label or UNSURE for character in self.characters)

    @property
    def confidence(self) -> float:
        """Mean confidence of the characters."""
        return sum(c.confidence for c in self.characters) / max(1, len(self.characters))

    def as_dict(self) -> dict[str, Any]:
        """Return the record as the JSON outputs carry it."""
        return {"text": self.text, "box": list(self.box), "characters": [c.as_dict() for c in self.characters]}


@dataclass(frozen=True)
class Line:
    """Words on one line, from left to right; `box` is around their ink."""

    box: Box
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The line, with a space between words."""
        return " ".join(word.text for word in self.words)

    def as_dict(self) -> dict[str, Any]:
        """Return the record as the JSON outputs carry it."""
        return {"text": self.text, "box": list(self.box), "words": [word.as_dict() for word in self.words]}


@dataclass(frozen=True)
class Page:
    """What one page says, or why that cannot be told.

    Attributes:
        path: the file as it was named; "-" for stdin, "" for a page given in memory.
        status: "ok"; "empty" when there is nothing written on it; "error" when it could not be read.
        page: number of the page in its file, from 1; a picture has one.
        width, height: of the upright page in pixels; 0 when it could not be read.
        lines: in reading order.
        error: why status is "error"; else "".
        note: something worth knowing about the file; not part of `as_dict`.
        overlay: a picture file, the page with boxes and labels drawn; b"" where none was asked for. Not part of
            `as_dict`.
    """

    path: str
    status: PageStatus
    page: int = 1
    width: int = 0
    height: int = 0
    lines: tuple[Line, ...] = ()
    error: str = ""
    note: str = field(default="", compare=False)
    overlay: bytes = field(default=b"", repr=False, compare=False)

    @property
    def paragraphs(self) -> list[list[Line]]:
        """The lines in groups that are clearly apart: by more than the usual distance, or in another column."""
        steps = [b.box[3] - a.box[3] for a, b in pairwise(self.lines)]
        usual = median(step for step in steps if step > 0) if any(step > 0 for step in steps) else 0
        groups = [[line] for line in self.lines[:1]]
        for (before, line), step in zip(pairwise(self.lines), steps, strict=True):
            least = max(usual, before.box[3] - before.box[1])
            if 0 < step <= _PARAGRAPH * least:
                groups[-1].append(line)
            else:
                groups.append([line])
        return groups

    @property
    def text(self) -> str:
        """The lines, with an empty one between paragraphs; no line break at the end."""
        return "\n\n".join("\n".join(line.text for line in group) for group in self.paragraphs)

    @property
    def characters(self) -> Iterator[tuple[int, int, int, Character]]:
        """Every character with the numbers of its line, of its word there, and of itself there, each from 1."""
        for i, line in enumerate(self.lines, 1):
            for j, word in enumerate(line.words, 1):
                for k, character in enumerate(word.characters, 1):
                    yield i, j, k, character

    def as_dict(self) -> dict[str, Any]:
        """Return the record as the JSON outputs carry it."""
        return {
            "path": self.path,
            "page": self.page,
            "status": self.status,
            "width": self.width,
            "height": self.height,
            "lines": [line.as_dict() for line in self.lines],
            "error": self.error,
        }
