"""What travels between the core and whoever prints it. Standard library only."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Status = Literal["ok", "uncertain", "empty", "error"]

STATUSES: tuple[Status, ...] = ("ok", "uncertain", "empty", "error")


class Alternative(NamedTuple):
    """A character and the probability that it is the one."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Prediction:
    """What one picture says, or why that cannot be told.

    Attributes:
        path: the picture as it was named; "-" for stdin, "" for one given in memory.
        status: "ok"; "uncertain" when the best probability is below the asked-for minimum; "empty" when
            there is no ink; "error" when the picture could not be read.
        label: the character; "" unless status is "ok".
        confidence: probability of the best answer, rounded to 4 decimals; None without an answer.
        alternatives: the most likely answers, the best one included, best first.
        error: why status is "error"; else "".
        note: something worth knowing about the file (only its first page was read); not part of `as_dict`.
        picture: float32 (28, 28) in [0, 1], what the network saw; None without ink. Not part of `as_dict`.
    """

    path: str
    status: Status
    label: str = ""
    confidence: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    error: str = ""
    note: str = field(default="", compare=False)
    picture: "NDArray[np.float32] | None" = field(default=None, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the record as the JSON outputs carry it."""
        return {
            "path": self.path,
            "status": self.status,
            "label": self.label,
            "confidence": self.confidence,
            "alternatives": [{"label": a.label, "confidence": a.confidence} for a in self.alternatives],
            "error": self.error,
        }


class Epoch(NamedTuple):
    """One epoch of training: mean loss and accuracy on the (augmented) training pictures, time and rate."""

    number: int
    loss: float
    accuracy: float
    seconds: float
    pictures_per_second: float
