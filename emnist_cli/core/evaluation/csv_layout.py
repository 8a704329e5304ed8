"""Finds out how a csv file of images is laid out. Used by `emnist train --csv` and `emnist evaluate --csv`.

Two things no such file says: whether its images are upright or, like EMNIST's own, transposed, and whether letters
count from 0 or from 1. The packaged model answers both: it reads a sample in every possible way, and the way that fits
the labels clearly better than any other is taken.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.classify.classifier import Classifier
from emnist_cli.core.data.csv_file import CsvRows, read_csv
from emnist_cli.core.data.dataset import LabelledImages
from emnist_cli.core.errors import DataError, UsageError
from emnist_cli.core.evaluation.scoring import split_label_view
from emnist_cli.core.labels import Split, find_split

_SAMPLE = 1000
"""Images that the packaged model reads in every way."""

_AT_LEAST = 0.5
"""Share of the sample that the packaged model must read rightly: below, the labels mean something else."""

_CHANCE = 1e-3
"""The best way must not beat the next best by chance with more than this probability."""

_Way = tuple[bool, int]
"""Whether images are transposed, and the label of the first class."""


class CsvImages(NamedTuple):
    """A csv file that is understood.

    Attributes:
        pictures: upright, and class ids counted from 0.
        split: whose classes the labels are.
        note: what was found out, in one line.
    """

    pictures: LabelledImages
    split: Split
    note: str


def load_csv(
    path: Path,
    split: str | None = None,
    transposed: bool | None = None,
    on_progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> CsvImages:
    """Read a csv file of labelled images, whichever way they are stored.

    Args:
        path: a label and 784 values a row, white ink on black; with names of the columns or without.
        split: name of the EMNIST split that says what labels mean; None for labels 0..9, which are digits.
        transposed: whether images are transposed; None to find out.
        on_progress: called with the rows that are read, and None.

    Raises:
        UsageError: there is no such file or split, or labels above 9 need a split.
        DataError: a row or a label is wrong, or the layout cannot be told.
    """
    table = find_split(split or "digits")
    rows = read_csv(path, lambda labels: _check_labels(labels, path, table, split is not None), on_progress)
    ways = list(product([False, True] if transposed is None else [transposed], _first_ids(rows.labels, table, path)))
    way, why = _choose(rows, table, ways, path)
    images = rows.images.transpose(0, 2, 1) if way[0] else rows.images
    kind = "transposed" if way[0] else "upright"
    meaning = f"labels of {table.name}, where {way[1]} means {table.classes[0].label}"
    note = f"{path.name}: {len(images):,} images, {kind}; {meaning}{why}"
    return CsvImages(LabelledImages(images, rows.labels.astype(np.int64) - way[1]), table, note)


def _check_labels(labels: NDArray[np.uint8], path: Path, table: Split, asked: bool) -> None:
    highest = int(labels.max())
    if highest <= table.classes[-1].stored_id:
        return
    if not asked:
        raise UsageError(
            f"--csv: {path} has the label {highest}, which is no digit; say what labels mean: --split letters for A to "
            "Z, or another split, see: emnist labels"
        )
    expected = "0..25 or 1..26" if table.first_id else f"0..{table.classes[-1].id}"
    raise DataError(f"{path}: expected labels {expected} of {table.name}. Received: {highest}")


def _first_ids(labels: NDArray[np.uint8], table: Split, path: Path) -> list[int]:
    """Return what the label of the first class may be; EMNIST counts letters from 1, others count them from 0."""
    if not table.first_id:
        return [0]
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest == 0 and highest == table.classes[-1].stored_id:
        raise DataError(f"{path}: expected labels 0..25 or 1..26 of {table.name}. Received: 0 and {highest}")
    return [0] if lowest == 0 else [1] if highest == table.classes[-1].stored_id else [1, 0]


def _choose(rows: CsvRows, table: Split, ways: list[_Way], path: Path) -> tuple[_Way, str]:
    """Return the way that fits the labels, and how it was found out."""
    if len(ways) == 1:
        return ways[0], ""
    right = _try(rows, table, ways)
    best, second = sorted(ways, key=lambda way: -int(right[way].sum()))[:2]
    wins, losses = int((right[best] & ~right[second]).sum()), int((right[second] & ~right[best]).sum())
    clear = wins > losses and binomtest(wins, wins + losses, alternative="greater").pvalue < _CHANCE
    shares = [f"{right[way].mean():.0%} with {_words(way, ways)}" for way in (best, second)]
    seen = f"of {len(right[best]):,} images {DEFAULT_MODEL} reads {', '.join(shares)}"
    if clear and right[best].mean() >= _AT_LEAST:
        return best, f" ({seen})"
    raise DataError(
        f"{path}: cannot tell how its images are stored. Expected: labels of {table.name} that fit them in one way. "
        f"Received: {seen}; try another --split, or say --upright or --transposed"
    )


def _try(rows: CsvRows, table: Split, ways: list[_Way]) -> dict[_Way, NDArray[np.bool_]]:
    """Read a sample of the rows, evenly spread since many files are sorted; tell what is right in each way."""
    classifier = Classifier(DEFAULT_MODEL)
    classifier = classifier.with_view(split_label_view(classifier, table))
    chosen = np.unique(np.linspace(0, len(rows.labels) - 1, _SAMPLE).astype(np.int64))
    images = rows.images[chosen].astype(np.float32) / np.float32(255)
    answers = {False: images, True: images.transpose(0, 2, 1)}
    found = {
        transposed: classifier.probabilities(np.ascontiguousarray(answers[transposed])).argmax(axis=1)
        for transposed in {way[0] for way in ways}
    }
    return {way: found[way[0]] == rows.labels[chosen].astype(np.int64) - way[1] for way in ways}


def _words(way: _Way, ways: list[_Way]) -> str:
    """Say how a way differs from the others."""
    transposed = "transposed images" if way[0] else "upright images"
    firsts = {first for _, first in ways}
    return f"{transposed} and labels from {way[1]}" if len(firsts) > 1 else transposed
