"""What is in a data folder, and whether it is whole."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.data import cache, dataset, inventory
from emnist_cli.core.data.chunks import PARTS
from emnist_cli.core.data.download import SHA256
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import SPLITS
from tests import archives

pytestmark = pytest.mark.filterwarnings("ignore")  # tensorflow's and tensorflow-datasets' own


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive and a data folder of what is in it; not to be changed."""
    place = tmp_path_factory.mktemp("prepared")
    dataset.import_splits(
        archives.nist_zip(place / "gzip.zip", archives.small("letters", "digits")), [], place / "data"
    )
    return place


@pytest.fixture
def place(prepared: Path, tmp_path: Path) -> Path:
    """A data folder that may be changed."""
    return Path(shutil.copytree(prepared / "data", tmp_path / "data"))


def test_every_split_has_a_row(prepared: Path) -> None:
    rows = {row["split"]: row for row in inventory.summarize_data(prepared / "data")}
    assert list(rows) == list(SPLITS)
    digest = cache.sha256_of(prepared / "gzip.zip")
    assert rows["letters"] == {
        "split": "letters",
        "train": 5,
        "test": 3,
        "classes": 26,
        "state": "other counts than published",
        "checksum": f"not NIST's: {digest[:12]}",
        "source": str(prepared / "gzip.zip"),
    }
    assert rows["byclass"] == {
        **{"split": "byclass", "train": None, "test": None, "classes": 62},
        **{"state": "not there", "checksum": "", "source": ""},
    }


def test_nists_own_archive_is_recognized(place: Path) -> None:
    path = dataset.cache_folder(place, "digits") / cache.RECORD
    found = json.loads(path.read_text())
    found["origin"]["sha256"] = SHA256
    found["counts"] = {"train": 240_000, "test": 40_000}
    path.write_text(json.dumps(found))
    row = next(row for row in inventory.summarize_data(place) if row["split"] == "digits")
    assert (row["state"], row["checksum"]) == ("counts as published", "NIST's")


def test_a_folder_has_no_checksum(tmp_path: Path) -> None:
    folder = archives.FORMS["folder of gz"](tmp_path / "emnist", archives.small("digits"))
    dataset.import_splits(folder, [], tmp_path / "data")
    row = next(row for row in inventory.summarize_data(tmp_path / "data") if row["split"] == "digits")
    assert (row["checksum"], row["source"]) == ("none", str(folder))


def test_pictures_of_each_class_sum_up(prepared: Path) -> None:
    rows = inventory.count_classes("letters", prepared / "data")
    assert [row["id"] for row in rows] == list(range(26))
    assert {row["characters"]: (row["train"], row["test"]) for row in rows if row["train"] or row["test"]} == {
        **{"Aa": (1, 1), "Bb": (1, 0), "Ff": (1, 0), "Gg": (1, 0), "Jj": (0, 1), "Rr": (0, 1), "Zz": (1, 0)}
    }
    for part in PARTS:
        counts = np.bincount(dataset.load_split("letters", part, prepared / "data").labels, minlength=26)
        assert [row[part] for row in rows] == counts.tolist()
    with pytest.raises(DataError, match="emnist data download --split mnist"):
        inventory.count_classes("mnist", prepared / "data")


def test_whole_files_are_ok(prepared: Path) -> None:
    checks = inventory.verify_data(prepared / "data")
    assert [(check["split"], check["state"], check["detail"]) for check in checks] == [
        ("letters", "ok", ""),
        ("digits", "ok", ""),
    ]
    assert checks[0]["checked"].startswith("9 files, ")


NAMES = [
    "cache/digits/test-labels.npy",
    "cache/digits/train-images.npy",
    "emnist_upright/digits/1.0.0/dataset_info.json",
    "emnist_upright/digits/1.0.0/emnist_upright-train.tfrecord-00000",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", ["flipped", "shorter", "missing"])
def test_damage_is_found(place: Path, name: str, how: str) -> None:
    path = place / name
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-1] + (bytes([data[-1] ^ 1]) if how == "flipped" else b""))
    letters, digits = inventory.verify_data(place)
    assert (letters["state"], digits["state"]) == ("ok", inventory.DAMAGED)
    assert digits["detail"].startswith(f"{name}; get it again: emnist data import ")
    assert digits["detail"].endswith("--split digits")


@pytest.mark.parametrize("text", [None, "{"])
def test_a_damaged_record_is_found(place: Path, text: str | None) -> None:
    path = dataset.cache_folder(place, "digits") / cache.RECORD
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    digits = inventory.verify_data(place)[1]
    assert (digits["split"], digits["state"]) == ("digits", inventory.DAMAGED)
    assert digits["detail"].startswith("cache.json is missing or damaged; get it again")


def test_a_source_that_has_changed_is_told_and_one_that_has_gone_is_not(tmp_path: Path) -> None:
    archive = archives.nist_zip(tmp_path / "gzip.zip", archives.small("digits"))
    dataset.import_splits(archive, [], tmp_path / "data")
    archives.nist_zip(archive, archives.small("digits", "mnist"))
    (check,) = inventory.verify_data(tmp_path / "data")
    assert check["state"] == "ok"
    assert check["detail"] == f"{archive} has changed since; import it again to use what it holds now"
    archive.unlink()
    assert inventory.verify_data(tmp_path / "data")[0]["detail"] == ""


def test_a_downloaded_archive_is_checked_too(place: Path, prepared: Path) -> None:
    archive = dataset.archive_path(place)
    archive.parent.mkdir()
    shutil.copy(prepared / "gzip.zip", archive)
    check = inventory.verify_data(place)[-1]
    assert (check["split"], check["checked"], check["state"]) == ("", str(archive), "ok")
    assert check["detail"] == f"not NIST's archive: {cache.sha256_of(archive)}"
    archive.write_bytes(b"something else")
    assert inventory.verify_data(place)[-1]["state"] == "unknown"


def test_nothing_to_check_says_which_command_gets_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing is in .*; get EMNIST with: emnist data download"):
        inventory.verify_data(tmp_path)
