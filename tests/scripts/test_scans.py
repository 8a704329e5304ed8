"""Scans are prepared as `emnist predict` does it; an archive's pictures are told apart by where they come from."""

from pathlib import Path

import numpy as np
import pytest
from starter import scans
from starter.pool import CLASSES

from emnist_cli import Recognizer
from emnist_cli.core.data import sources
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


def test_an_archive_is_told_apart_by_its_table_or_taken_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, ids = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8), np.array([5, 10, 61])
    monkeypatch.setattr(sources, "read_split", lambda archive, split, part: (images, ids))
    whole = scans.read_archive(tmp_path / "gzip.zip", tmp_path / "sources.npz")
    assert [(p.label, p.image[0, 0]) for p in whole["emnist"]] == [(CLASSES[5], 0), (CLASSES[10], 1), (CLASSES[61], 2)]
    np.savez(tmp_path / "sources.npz", names=np.array(["nist", "mnist"]), byclass_train=[1, 0, 1])
    parted = scans.read_archive(tmp_path / "gzip.zip", tmp_path / "sources.npz")
    assert {name: [p.label for p in found] for name, found in parted.items()} == {
        "nist": [CLASSES[10]],
        "mnist": [CLASSES[5], CLASSES[61]],
    }
