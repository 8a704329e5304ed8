"""What a model scores on every test part there is: the figures of the manifest and of the model card."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.classify.classifier import Classifier
from emnist_cli.core.classify.label_view import LabelView, make_label_view
from emnist_cli.core.config import EvaluateConfig
from emnist_cli.core.evaluation.calibration import expected_calibration_error
from emnist_cli.core.evaluation.metrics import ScoredPredictions, calibration_bins, case_folded_accuracy
from emnist_cli.core.evaluation.scoring import score_folder, split_label_view
from emnist_cli.core.files.labelled import read_folder
from emnist_cli.core.labels import CHARSETS, SPLITS

from .scans import read_others, read_test_halves

SCANS = {
    "tablet": "tablet scans (Chars74K)",
    "photos": "photographs, 0-9 A-Z only",
    "canvas": "canvas drawings, A-J only",
}
"""Folders of original pictures, and what they are called."""

BYCLASS = "EMNIST byclass, test half"
OTHERS = {"forms": "scanned forms, A-Z only", "nist": "NIST SD 19, digits only"}
"""Sources with a test part among the other images in EMNIST's format, and what they are called."""

LETTERS = "genuine EMNIST letters, A-S, --charset letters --fold-case"
DIGITS = "genuine EMNIST mnist, test half, --charset digits"


class Row(NamedTuple):
    """Figures of one test part.

    Attributes:
        name: of the part, in words.
        count: pictures.
        exact: accuracy over all classes, or over those asked for; None where the truth's case is unknown.
        merged: over EMNIST's 47 classes, probabilities summed; None where the answers were restricted.
        folded: with both cases of a letter as one; None where only digits were asked for.
        ece: expected calibration error of what was asked, the manifest's temperature applied.
    """

    name: str
    count: int  # type: ignore[assignment]  # tuples have a method of that name
    exact: float | None
    merged: float | None
    folded: float | None
    ece: float


class Scores(NamedTuple):
    """What a model said of every test part.

    Attributes:
        scans: by the names in `SCANS`, over all classes; those that the data folder has.
        byclass: of the test half of EMNIST's `byclass` split.
        images: uint8 (n, 28, 28), the images of that half.
        others: by the names in `OTHERS`, over all classes.
        letters: of genuine EMNIST letters, case folded; None where they are not in the data folder.
        digits: of the test half of EMNIST's `mnist` split, as digits only.
        merged: from all classes to EMNIST's 47.
    """

    scans: Mapping[str, ScoredPredictions]
    byclass: ScoredPredictions
    images: NDArray[np.uint8]
    others: Mapping[str, ScoredPredictions]
    letters: ScoredPredictions | None
    digits: ScoredPredictions
    merged: LabelView


def measure(model: Path, data: Path) -> list[Row]:
    """Score a model on every test part.

    Args:
        model: a bundle folder; metrics in its manifest are not looked at.
        data: holds emnist/genuine.npz, emnist/others.npz and, as far as they are to be had, the folders of scans/.

    Raises:
        ValueError: the model's classes are not those of byclass.
        DataError, OSError, UsageError: something is missing in `data` or cannot be read.
    """
    return rows(score(model, data))


def score(model: Path, data: Path) -> Scores:
    """Let a model read every test part; as `measure`."""
    classifier = Classifier(model.resolve())  # not a name, which would be looked for in the package first
    if classifier.classes != tuple(c.characters for c in SPLITS["byclass"].classes):
        raise ValueError(
            f"{model}: expected a model of byclass's 62 classes. Received: {len(classifier.classes)} classes"
        )
    letters = data / "scans/emnist-letters"
    byclass, mnist = read_test_halves(data / "emnist/genuine.npz")
    folders = {name: data / "scans" / name for name in SCANS}
    return Scores(
        scans={name: _read_scans(classifier, folder) for name, folder in folders.items() if folder.is_dir()},
        byclass=_read_finished(classifier, *byclass),
        images=byclass.images,
        others={
            name: _read_finished(classifier, *half)
            for name, half in read_others(data / "emnist/others.npz", "test").items()
            if name in OTHERS
        },
        letters=narrow(
            _read_scans(classifier, letters), make_label_view(classifier.classes, CHARSETS["letters"], fold_case=True)
        )
        if letters.is_dir()
        else None,
        digits=narrow(
            _read_finished(classifier, *mnist),
            make_label_view(classifier.classes, CHARSETS["digits"]),
        ),
        merged=split_label_view(classifier, SPLITS["bymerge"]),
    )


def rows(scores: Scores) -> list[Row]:
    """Work out the figures of each part, original pictures first."""
    found = [_row(SCANS[folder], answers, scores.merged) for folder, answers in scores.scans.items()]
    found.append(_row(BYCLASS, scores.byclass, scores.merged))
    found += [_row(OTHERS[name], answers, scores.merged) for name, answers in scores.others.items()]
    letters, digits = scores.letters, scores.digits
    if letters is not None:
        found.append(Row(LETTERS, len(letters.truth), None, None, float(letters.right.mean()), error(letters)))
    return [*found, Row(DIGITS, len(digits.truth), float(digits.right.mean()), None, None, error(digits))]


def error(answers: ScoredPredictions) -> float:
    """Return the expected calibration error."""
    return expected_calibration_error(calibration_bins(answers, EvaluateConfig.bins))


def narrow(answers: ScoredPredictions, view: LabelView) -> ScoredPredictions:
    """Ask for fewer answers: as if the network's own had gone through `view`. Every truth must be among them."""
    probabilities = np.where(answers.answered[:, None], view.apply(answers.probabilities), np.float32(0))
    truth = view.matrix.argmax(axis=1)[answers.truth]
    return ScoredPredictions(view.labels, truth, probabilities, answers.names, answers.failures)


def _row(name: str, answers: ScoredPredictions, merged: LabelView) -> Row:
    return Row(
        name,
        len(answers.truth),
        float(answers.right.mean()),
        float(narrow(answers, merged).right.mean()),
        case_folded_accuracy(answers),
        error(answers),
    )


def _read_scans(classifier: Classifier, folder: Path) -> ScoredPredictions:
    """Read original pictures as `emnist predict` does."""
    items = read_folder(folder, where="part=test")
    return score_folder(classifier, items, str(folder), f"{folder.name}, part test").answers


def _read_finished(classifier: Classifier, images: NDArray[np.uint8], truth: NDArray[np.int64]) -> ScoredPredictions:
    """Read images that are in EMNIST's format already."""
    probabilities = np.empty((len(images), len(classifier.classes)), np.float32)
    for start in range(0, len(images), EvaluateConfig.chunk_size):
        chunk = images[start : start + EvaluateConfig.chunk_size].astype(np.float32) / np.float32(255)
        probabilities[start : start + len(chunk)] = classifier.probabilities(chunk)
    return ScoredPredictions(classifier.classes, truth, probabilities)
