"""The records that travel between the core and the code that prints them; every command uses them.

Standard library only.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
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

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Prediction":
        """Return the prediction that `as_dict` gave."""
        return cls(**{**record, "alternatives": tuple(Alternative(**a) for a in record["alternatives"])})

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
    """One epoch of training.

    Attributes:
        epoch: its number, from 1.
        loss: mean cross-entropy on the training pictures, as augmented.
        accuracy: on the same.
        val_loss, val_accuracy: on the held-out pictures, not augmented; None where none are held out.
        seconds: of the training steps.
        pictures_per_second: trained on.
        learning_rate: at the start of the epoch.
        best: whether it is the best so far.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float
    pictures_per_second: float
    learning_rate: float
    best: bool


class EvaluationTarget(NamedTuple):
    """What was scored on what.

    Attributes:
        model: name of the model.
        on: the pictures in words: "test half of EMNIST balanced".
        split: name of the EMNIST split; None for a folder.
        part: "train" or "test"; None for a folder.
        folder: of labelled pictures; None for a split.
    """

    model: str
    on: str
    split: str | None = None
    part: str | None = None
    folder: str | None = None


class ClassScore(NamedTuple):
    """How one class fared: of what was read as it, the share that was right, and of what it is, the share found."""

    label: str
    characters: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Confusion:
    """How many pictures of `truth` were read as `predicted`."""

    truth: str
    predicted: str
    count: int


class Rejection(NamedTuple):
    """What leaving the least sure answers out gains.

    Attributes:
        coverage: share of the pictures that was to be answered.
        threshold: the least confidence that is accepted, as `predict --min-confidence` takes it.
        answered: share of the pictures that reach it; more than `coverage` where several are just as sure.
        accuracy: of these.
    """

    coverage: float
    threshold: float
    answered: float
    accuracy: float


@dataclass(frozen=True)
class CalibrationBin:
    """The answers with a confidence in (low, high]: their mean confidence and accuracy, None where there are none."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


class Mistake(NamedTuple):
    """A wrong answer; `picture` is its path, or its place in the split, from 0."""

    picture: str | int
    truth: str
    predicted: str
    confidence: float


class Failure(NamedTuple):
    """A picture that got no answer, which counts as a wrong one, and why."""

    path: str
    error: str


@dataclass(frozen=True)
class Evaluation:
    """What a model scored.

    Attributes:
        subject: what was scored on what.
        count: pictures, those without an answer included.
        accuracy: share of them that was answered rightly.
        accuracy_interval: in which it lies with 95% probability, given so many pictures.
        top3: share of which the right answer is among the three most probable.
        macro_f1: mean F1 over the classes that occur, each counting alike.
        ece: expected calibration error, over the pictures that were answered.
        classes: every class that occurs or was answered.
        confusions: wrong answers by how many there are of each, most first.
        correct: pictures answered rightly.
        case_folded: accuracy with both cases of a letter counted as one, as with `--fold-case`.
        unknown: pictures whose label no class of the model has; they count as wrong.
        rejection: accuracy where the least sure answers are left out.
        calibration: confidence against accuracy.
        mistakes: the most confident wrong answers.
        failures: the pictures without an answer.
    """

    subject: EvaluationTarget
    count: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    top3: float
    macro_f1: float
    ece: float
    classes: tuple[ClassScore, ...]
    confusions: tuple[Confusion, ...]
    correct: int
    case_folded: float
    unknown: int
    rejection: tuple[Rejection, ...]
    calibration: tuple[CalibrationBin, ...]
    mistakes: tuple[Mistake, ...] = ()
    failures: tuple[Failure, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the record as the JSON outputs carry it: shares have 4 decimals."""
        return {
            "split": self.subject.split,
            "model": self.subject.model,
            "count": self.count,
            "accuracy": _rounded(self.accuracy),
            "accuracy_interval": _rounded(self.accuracy_interval),
            "top3": _rounded(self.top3),
            "macro_f1": _rounded(self.macro_f1),
            "ece": _rounded(self.ece),
            "classes": [_rounded(c._asdict()) for c in self.classes],
            "confusions": [asdict(c) for c in self.confusions],
            "on": self.subject.on,
            "part": self.subject.part,
            "folder": self.subject.folder,
            "correct": self.correct,
            "case_folded": _rounded(self.case_folded),
            "failed": len(self.failures),
            "unknown": self.unknown,
            "rejection": [_rounded(r._asdict()) for r in self.rejection],
            "calibration": [_rounded(asdict(b)) for b in self.calibration],
            "mistakes": [_rounded(m._asdict()) for m in self.mistakes],
            "failures": [f._asdict() for f in self.failures],
        }


def _rounded(value: Any) -> Any:
    """Numbers with 4 decimals, as predictions have them, in mappings and sequences too."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, tuple) else value
