"""Score a model on a split of EMNIST or on a folder of labelled images, for `emnist evaluate` and training.

The scored model is the LiteRT file that ships. The module imports no TensorFlow. `metrics` computes the figures. This
module turns images into predictions and maps the classes of a network to those of a split, so that one network with
62 classes can be scored on every split.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.byte_escapes import escape_bytes
from emnist_cli.core.classify.classifier import Classifier
from emnist_cli.core.classify.label_view import LabelView
from emnist_cli.core.config import EvaluateConfig, PredictConfig
from emnist_cli.core.data import dataset
from emnist_cli.core.data.dataset import LabelledImages
from emnist_cli.core.errors import ImageError, UsageError
from emnist_cli.core.evaluation.metrics import ScoredPredictions, evaluate
from emnist_cli.core.files.labelled import Labelled, find_class
from emnist_cli.core.labels import Split, find_split
from emnist_cli.core.parallel.run_files import prepare_files
from emnist_cli.core.preprocessing.prepare import PreparedImage
from emnist_cli.core.records import Evaluation, EvaluationTarget, Failure

OnProgress = Callable[[int, int], None]
"""Called with how many pictures are done and how many there are."""


def _silent(done: int, total: int) -> None:
    pass


class Scored(NamedTuple):
    """A score and what it was worked out from.

    Attributes:
        evaluation: the figures.
        answers: of the model.
        pictures: uint8 (n, 28, 28), what the network saw; black where there is no answer.
    """

    evaluation: Evaluation
    answers: ScoredPredictions
    pictures: NDArray[np.uint8]


def split_label_view(classifier: Classifier, split: Split) -> LabelView:
    """Decide how a network's classes add up to a split's: merged ones are summed, those of no use masked.

    Raises:
        UsageError: a class of the split has no counterpart, or several share one.
    """
    theirs = [set(each.characters) for each in split.classes]
    matrix = np.array([[bool(each & set(ours)) for each in theirs] for ours in classifier.classes], np.float32)
    reachable = int(matrix.any(axis=0).sum())
    if reachable < len(split.classes):
        raise UsageError(
            f"--split: {classifier.name} knows only {reachable} of {split.name}'s {len(split.classes)} classes"
            "; see: emnist labels"
        )
    several = np.flatnonzero(matrix.sum(axis=1) > 1)
    if len(several):
        example = " from ".join(c.label for c, shared in zip(split.classes, matrix[several[0]], strict=True) if shared)
        more = f" and {len(several) - 1} more" if len(several) > 1 else ""
        raise UsageError(
            f"--split: {classifier.name} cannot tell {example}{more}, which {split.name} counts as different classes"
            "; see: emnist labels"
        )
    return LabelView(tuple(c.label for c in split.classes), matrix)


def score_split(
    classifier: Classifier,
    split: str,
    part: str = EvaluateConfig.part,
    data_dir: Path | None = None,
    limit: int | None = None,
    on_progress: OnProgress = _silent,
) -> Scored:
    """Score a model on a half of a split.

    Args:
        classifier: the model.
        split: name of an EMNIST split.
        part: "train" or "test".
        data_dir: as asked for; None for the user's own.
        limit: only so many pictures, the first ones.
        on_progress: called after each chunk.

    Raises:
        UsageError: there is no such split, or the model cannot answer it.
        DataError: it is not there.
    """
    table = find_split(split)
    split_label_view(classifier, table)  # before a split is looked for that the model could not answer anyway
    folder = dataset.data_folder(data_dir)
    loaded = dataset.load_split(split, part, folder)
    half = f"{part} half of {dataset.describe_split(split, folder)}"
    return score_pictures(classifier, table, loaded, half, part, limit, on_progress)


def score_pictures(
    classifier: Classifier,
    split: Split,
    pictures: LabelledImages,
    on: str,
    part: str | None = None,
    limit: int | None = None,
    on_progress: OnProgress = _silent,
) -> Scored:
    """Score a model on images that are in EMNIST's form already.

    Args:
        classifier: the model.
        split: whose classes the labels are.
        pictures: upright, and class ids.
        on: the images in words.
        part: "train" or "test" of the EMNIST split; None for other images.
        limit: only so many of them, the first ones.
        on_progress: called after each chunk.

    Raises:
        UsageError: the model cannot answer the split.
    """
    view = split_label_view(classifier, split)
    classifier = classifier.with_view(view)
    images, truth = pictures.images[:limit], np.asarray(pictures.labels[:limit], np.int64)
    probabilities = np.empty((len(images), len(view.labels)), np.float32)
    for start in range(0, len(images), EvaluateConfig.chunk_size):
        chunk = np.asarray(images[start : start + EvaluateConfig.chunk_size], np.float32) / np.float32(255)
        probabilities[start : start + len(chunk)] = classifier.probabilities(chunk)
        on_progress(start + len(chunk), len(images))
    if len(images) < len(pictures.images):
        on = f"first {len(images):,} of the {on}"
    answers = ScoredPredictions(tuple(c.characters for c in split.classes), truth, probabilities)
    return Scored(
        evaluate(answers, EvaluationTarget(classifier.name, on, split=split.name, part=part)), answers, images
    )


def score_folder(
    classifier: Classifier, items: Sequence[Labelled], folder: str, on: str, on_progress: OnProgress = _silent
) -> Scored:
    """Score a model on labelled pictures, which take the same way as those of `emnist predict`.

    A picture that cannot be read or has no ink counts as wrong.

    Args:
        classifier: the model.
        items: the pictures.
        folder: that they are in.
        on: the pictures in words.
        on_progress: called after each batch.

    Raises:
        ImageError: not one of them could be read.
    """
    classes, truth = _truth(classifier, [item.label for item in items])
    every_class = LabelView(tuple(c[0] for c in classifier.classes), np.eye(len(classifier.classes), dtype=np.float32))
    classifier = classifier.with_view(every_class)
    probabilities = np.zeros((len(items), len(classifier.classes)), np.float32)
    pictures = np.zeros((len(items), 28, 28), np.uint8)
    failures: list[Failure] = []
    prepared = prepare_files(item.found for item in items)
    done = 0
    while batch := list(islice(prepared, PredictConfig.batch_size)):
        rows = [done + i for i, image in enumerate(batch) if image.pixels is not None]
        failures += [_failure(image) for image in batch if image.pixels is None]
        if rows:
            seen = np.stack([image.pixels for image in batch if image.pixels is not None])
            probabilities[rows] = classifier.probabilities(seen)
            pictures[rows] = np.round(seen * 255)
        done += len(batch)
        on_progress(done, len(items))
    if len(failures) == len(items):
        raise ImageError(f"none of {len(items):,} pictures could be read; the first: {': '.join(failures[0])}")
    names = [escape_bytes(item.found.path) for item in items]
    answers = ScoredPredictions(classes, truth, probabilities, names, tuple(failures))
    subject = EvaluationTarget(classifier.name, on, folder=escape_bytes(folder))
    return Scored(evaluate(answers, subject), answers, pictures)


def _truth(classifier: Classifier, labels: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Give each label its class's id; labels of no class get ids after the network's own."""
    ids: dict[str, int] = {}
    classes = list(classifier.classes)
    for label in dict.fromkeys(labels):
        known = find_class(label, classifier.classes)
        ids[label] = len(classes) if known is None else known
        classes += [label] if known is None else []
    return tuple(classes), np.array([ids[label] for label in labels], np.int64)


def _failure(image: PreparedImage) -> Failure:
    return Failure(escape_bytes(image.path), image.error or "no ink in it")
