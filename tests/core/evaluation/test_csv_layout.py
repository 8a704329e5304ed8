"""Csv files say neither which way up their images are nor where letters begin; both are found out."""

import string
from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.errors import DataError, UsageError
from emnist_cli.core.evaluation.csv_layout import load_csv
from tests import small_data
from tests.archives import write_csv

DIGITS = small_data.pictures(string.digits, "test")
LETTERS = small_data.pictures(string.ascii_uppercase, "test")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.csv"


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("split", [None, "digits", "mnist"])
def test_which_way_up(path: Path, transposed: bool, split: str | None) -> None:
    write_csv(path, *DIGITS, transposed=transposed, names=not transposed)
    found = load_csv(path, split)
    np.testing.assert_array_equal(found.pictures.images, DIGITS.images)
    np.testing.assert_array_equal(found.pictures.labels, DIGITS.labels)
    assert found.split.name == (split or "digits")
    kind = "transposed" if transposed else "upright"
    assert found.note.startswith(
        f"train.csv: 90 images, {kind}; labels of {split or 'digits'}, where 0 means 0 (of 90 "
    )
    assert f"% with {kind} images, " in found.note


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("all_letters", [True, False])
def test_where_letters_begin(path: Path, transposed: bool, first: int, all_letters: bool) -> None:
    """Without A, or without Z, the labels 1..25 are the same in both ways of counting."""
    missing = None if all_letters else 25 if first else 0
    some = np.flatnonzero(LETTERS.labels != missing)
    images, labels = LETTERS.images[some], LETTERS.labels[some]
    write_csv(path, images, labels + first, transposed=transposed)
    found = load_csv(path, "letters")
    np.testing.assert_array_equal(found.pictures.images, images)
    np.testing.assert_array_equal(found.pictures.labels, labels)
    assert f"labels of letters, where {first} means A" in found.note


def test_other_splits(path: Path) -> None:
    write_csv(path, LETTERS.images, LETTERS.labels + 10)
    np.testing.assert_array_equal(load_csv(path, "byclass").pictures.labels, LETTERS.labels + 10)


@pytest.mark.parametrize("split", ["letters", "byclass"])
def test_labels_that_do_not_fit_are_refused(path: Path, split: str) -> None:
    """Letters from 0 are no class ids of byclass, whose first ten are digits; and shuffled labels are nothing."""
    labels = LETTERS.labels if split == "byclass" else np.random.default_rng(0).permutation(LETTERS.labels)
    write_csv(path, LETTERS.images, labels)
    with pytest.raises(
        DataError, match=r"cannot tell how its images are stored.* of 234 images starter reads .*--split"
    ):
        load_csv(path, split)
    for transposed in (False, True):
        found = load_csv(path, split, transposed)
        assert np.array_equal(found.pictures.images, LETTERS.images) == (not transposed)
        assert f", {'transposed' if transposed else 'upright'}; " in found.note


def test_too_few_images_prove_nothing(path: Path) -> None:
    write_csv(path, DIGITS.images[::30], DIGITS.labels[::30])
    with pytest.raises(DataError, match="say --upright or --transposed"):
        load_csv(path)
    assert len(load_csv(path, transposed=False).pictures.labels) == 3


def test_labels_above_9_need_a_split(path: Path) -> None:
    write_csv(path, LETTERS.images, LETTERS.labels)
    with pytest.raises(UsageError, match="has the label 25, which is no digit; say what labels mean: --split letters"):
        load_csv(path)
    with pytest.raises(DataError, match=r"expected labels 0\.\.9 of digits\. Received: 25"):
        load_csv(path, "digits")
    with pytest.raises(UsageError, match="did you mean letters"):
        load_csv(path, "leters")
    write_csv(path, LETTERS.images[:2], np.array([1, 27]))
    with pytest.raises(DataError, match=r"expected labels 0\.\.25 or 1\.\.26 of letters\. Received: 27"):
        load_csv(path, "letters")
    write_csv(path, LETTERS.images[:2], np.array([0, 26]))
    with pytest.raises(DataError, match="Received: 0 and 26"):
        load_csv(path, "letters")


@pytest.mark.slow
@pytest.mark.shared
def test_genuine_emnist_sorted_by_label_as_kaggle_has_letters(path: Path, data: Path) -> None:
    arrays = np.load(data / "emnist" / "genuine.npz")
    labels = arrays["letters_test"][:1500].astype(np.int64)
    images = np.concatenate([arrays["byclass_test_images"], arrays["test_extra_images"]])[
        arrays["letters_test_at"][:1500]
    ]
    order = np.argsort(labels, kind="stable")
    for transposed in (False, True):
        write_csv(path, images[order], labels[order] - 1, transposed=transposed)
        found = load_csv(path, "letters")
        np.testing.assert_array_equal(found.pictures.images, images[order])
        np.testing.assert_array_equal(found.pictures.labels, labels[order] - 1)
