"""Scans are prepared as `emnist predict` does it; of arrays in EMNIST's format, training and test images stay apart."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from starter import fonts, recipe, scans, strokes

from emnist_cli import Recognizer
from emnist_cli.core.errors import EmnistError
from tests.handwriting import picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table = ["file,label,writer,part"]
    for number, (label, part) in enumerate((("A", "train"), ("g", "test"), ("7", "train"))):
        picture(label, number).save(tmp_path / f"{number}.png")
        table.append(f"{number}.png,{label},writer {number},{part}")
    (tmp_path / "labels.csv").write_text("\n".join(table))
    return tmp_path


def test_parts_are_kept_apart(folder: Path) -> None:
    assert [scan.label for scan in scans.read_scans(folder, "train")] == ["A", "7"]
    assert scans.read_writers(folder, "test") == {"writer 1"}


def test_a_scan_is_prepared_as_predict_does(folder: Path) -> None:
    (scan,) = scans.read_scans(folder, "test")
    prepared = scans.prepare(scan, np.random.default_rng(0))
    seen = Recognizer().predict(folder / "1.png").picture
    assert prepared is not None
    assert seen is not None
    assert np.abs(prepared / 255 - seen).max() <= 0.5 / 255 + 1e-6


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EmnistError, match="nowhere"):
        scans.read_scans(tmp_path / "nowhere", "train")


def plain(*values: int) -> NDArray[np.uint8]:
    """Images of one value each, by which they can be told apart."""
    return np.array(values, np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """Small files with the keys of genuine.npz and others.npz; test images have values above 100."""
    (tmp_path / "emnist").mkdir()
    np.savez(
        tmp_path / "emnist/genuine.npz",
        train_images=plain(1, 2, 3, 4),
        train_byclass=np.array([5, -1, 10, 61], np.int8),
        byclass_test_images=plain(101, 102),
        byclass_test=np.array([36, 7], np.uint8),
        test_extra_images=plain(103, 104),
        mnist_test_at=np.array([3, 1], np.int32),
        mnist_test=np.array([8, 7], np.int8),
    )
    np.savez(
        tmp_path / "emnist/others.npz",
        images=plain(11, 12, 13, 111, 112),
        label=np.array(["3", "Q", "9", "4", "E"]),
        source=np.array(["nist", "forms", "mnist", "nist", "forms"]),
        part=np.array(["train", "train", "train", "test", "test"]),
    )
    return tmp_path


def values(half: scans.Half) -> list[tuple[str, int]]:
    return [(item.label, int(item.image[0, 0])) for item in half.items()]


def test_training_images_of_emnist_are_those_whose_class_is_known(arrays: Path) -> None:
    half = scans.read_training_half(arrays / "emnist/genuine.npz")
    assert values(half) == [("5", 1), ("A", 3), ("z", 4)]
    assert (half.images.dtype, half.labels.dtype) == (np.uint8, np.int64)


def test_test_halves_of_emnist(arrays: Path) -> None:
    byclass, mnist = scans.read_test_halves(arrays / "emnist/genuine.npz")
    assert values(byclass) == [("a", 101), ("7", 102)]
    assert values(mnist) == [("8", 104), ("7", 102)]


def test_others_are_kept_apart_by_source_and_part(arrays: Path) -> None:
    found = {part: scans.read_others(arrays / "emnist/others.npz", part) for part in ("train", "test")}
    assert {name: values(half) for name, half in found["train"].items()} == {
        "nist": [("3", 11)],
        "forms": [("Q", 12)],
        "mnist": [("9", 13)],
    }
    assert {name: values(half) for name, half in found["test"].items()} == {"nist": [("4", 111)], "forms": [("E", 112)]}


@pytest.mark.parametrize("unlicensed", [False, True])
def test_the_recipe_takes_no_test_image(arrays: Path, monkeypatch: pytest.MonkeyPatch, unlicensed: bool) -> None:
    monkeypatch.setattr(strokes, "read_unipen", lambda path, part: [scans.Finished(plain(1)[0], "A")])
    monkeypatch.setattr(strokes, "read_tablet", lambda path, writers: [])
    monkeypatch.setattr(fonts, "glyphs", lambda folder: [])
    monkeypatch.setattr(scans, "read_scans", lambda folder, part: [])
    monkeypatch.setattr(scans, "read_writers", lambda folder, part: set())
    found = {s.name: s.items for s in recipe.sources(arrays, arrays, 0, unlicensed) if s.draw is scans.as_it_is}
    assert set(found) == {"nist", "mnist", "emnist"} | ({"forms"} if unlicensed else set())
    assert all(item.image.max() < 100 for items in found.values() for item in items)
    assert len(found["emnist"]) == 3
