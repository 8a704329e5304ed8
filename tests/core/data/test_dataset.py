"""A split is prepared with tensorflow-datasets once and whole, and read from plain arrays from then on."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emnist_cli.core.data import cache, dataset
from emnist_cli.core.data.chunks import PARTS
from emnist_cli.core.data.sources import open_source
from emnist_cli.core.errors import DataError, MissingError, UsageError
from emnist_cli.core.labels import SPLITS, find_split
from tests import archives

pytestmark = pytest.mark.filterwarnings("ignore")  # tensorflow's and tensorflow-datasets' own

HALVES = archives.small("letters", "balanced", "mnist")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three splits; not to be changed."""
    place = tmp_path_factory.mktemp("prepared")
    archive = archives.nist_zip(place / "gzip.zip", HALVES)
    assert dataset.import_splits(archive, [], place / "data") == ["balanced", "letters", "mnist"]
    return place / "data"


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Path]:
    """An archive of digits, and a data folder of its own."""
    archive = archives.nist_zip(tmp_path / "gzip.zip", archives.small("digits"))
    place = tmp_path / "data"
    dataset.import_splits(archive, ["digits"], place)
    return archive, place


def record_of(place: Path, split: str = "digits") -> Path:
    return dataset.cache_folder(place, split) / cache.RECORD


def left(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()}


def many(folder: Path, changed: int = 0) -> Path:
    """An archive whose pictures hardly compress, so that a cut leaves some of them."""
    rng = np.random.default_rng(changed)
    half = archives.Half(rng.integers(0, 256, (400, 28, 28), dtype=np.uint8), np.arange(400) % 10)
    return archives.nist_zip(folder / "gzip.zip", {"digits": {"train": half, "test": half}})


@pytest.mark.slow
@pytest.mark.parametrize("split", HALVES)
@pytest.mark.parametrize("part", PARTS)
def test_what_is_read_back_is_the_source_bit_for_bit(prepared: Path, split: str, part: str) -> None:
    images, labels = dataset.load_split(split, part, prepared)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    assert np.array_equal(images, HALVES[split][part].images)
    assert np.array_equal(labels, HALVES[split][part].ids)
    assert not images.flags.writeable


def as_arrays(read: Any) -> archives.Half:
    examples = list(read.as_numpy_iterator())
    assert all(e["image"].shape == (28, 28, 1) and e["image"].dtype == np.uint8 for e in examples)
    return archives.Half(np.stack([e["image"][..., 0] for e in examples]), np.array([e["label"] for e in examples]))


@pytest.mark.slow
@pytest.mark.parametrize("split", HALVES)
def test_tensorflow_datasets_alone_reads_the_folder(prepared: Path, split: str) -> None:
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(dataset.tfds_folder(prepared, split) / "1.0.0")
    assert builder.info.features["label"].names == [c.label for c in find_split(split).classes]
    assert {part: info.num_examples for part, info in builder.info.splits.items()} == {
        part: len(half.ids) for part, half in HALVES[split].items()
    }
    for part, half in HALVES[split].items():
        found = as_arrays(builder.as_dataset(split=part))
        assert np.array_equal(found.images, half.images) and np.array_equal(found.ids, half.ids)


@pytest.mark.slow
def test_tfds_load_knows_it_by_name(prepared: Path) -> None:
    import tensorflow_datasets as tfds

    import emnist_cli.core.data.builder  # noqa: F401

    read, info = tfds.load("emnist_upright/letters", data_dir=prepared, download=False, with_info=True, split="train")
    found = as_arrays(read)
    assert np.array_equal(found.images, HALVES["letters"]["train"].images)
    assert found.ids.tolist() == [0, 5, 6, 25, 1]
    assert [info.features["label"].int2str(i) for i in found.ids.tolist()] == list("AFGZB")
    pairs = tfds.load("emnist_upright/letters", data_dir=prepared, download=False, as_supervised=True, split="test")
    assert [int(label) for _, label in pairs] == [9, 17, 0]


def test_it_has_the_stock_builders_features_and_configurations() -> None:
    from tensorflow_datasets.image_classification.mnist import EMNIST

    from emnist_cli.core.data.builder import EmnistUpright

    assert issubclass(EmnistUpright, EMNIST)
    assert set(EmnistUpright.builder_configs) == set(EMNIST.builder_configs) == set(SPLITS)


def test_letters_count_from_0_to_25(tmp_path: Path) -> None:
    half = archives.half("letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    archive = archives.nist_zip(tmp_path / "gzip.zip", {"letters": {"train": half, "test": half}})
    dataset.import_splits(archive, [], tmp_path / "data")
    assert dataset.load_split("letters", "test", tmp_path / "data").labels.tolist() == list(range(26))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["folder of gz", "kaggle zip", "one mat", "one csv"])
def test_other_forms_are_imported_as_well(tmp_path: Path, form: str) -> None:
    path = archives.FORMS[form](tmp_path / "emnist", archives.small("letters"))
    dataset.import_splits(path, [], tmp_path / "data")
    images, labels = dataset.load_split("letters", "train", tmp_path / "data")
    assert np.array_equal(images, HALVES["letters"]["train"].images)
    assert np.array_equal(labels, HALVES["letters"]["train"].ids)


def test_progress_ends_at_the_number_of_pictures(tmp_path: Path) -> None:
    archive = archives.nist_zip(tmp_path / "gzip.zip", archives.small("digits"))
    seen: list[tuple[str, int, int]] = []
    dataset.import_splits(archive, [], tmp_path / "data", lambda *step: seen.append(step))
    assert seen == sorted(seen) and seen[-1] == ("digits", 6, 6)


def test_an_unchanged_file_is_not_prepared_again(own: tuple[Path, Path]) -> None:
    archive, place = own
    before = record_of(place).stat().st_mtime_ns
    assert dataset.import_splits(archive, ["digits", "digits"], place) == ["digits"]
    os.utime(archive, (1, 1))  # copied or touched, but the same
    dataset.import_splits(archive, [], place)
    moved = archive.rename(archive.with_name("moved.zip"))
    dataset.import_splits(moved, [], place)
    assert record_of(place).stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_changed_file_is_prepared_anew(own: tuple[Path, Path]) -> None:
    archive, place = own
    assert dataset.is_from(archive, "digits", place)
    many(archive.parent)
    assert not dataset.is_from(archive, "digits", place)
    dataset.import_splits(archive, [], place)
    assert len(dataset.load_split("digits", "train", place).labels) == 400
    assert dataset.is_from(archive, "digits", place)


def test_a_change_beside_the_file_that_was_named_is_noticed(tmp_path: Path) -> None:
    path = archives.FORMS["one csv"](tmp_path / "emnist", archives.small("digits"))
    dataset.import_splits(path, [], tmp_path / "data")
    other = path.with_name("emnist-digits-test.csv")
    other.write_bytes(other.read_bytes() * 2)
    dataset.import_splits(path, [], tmp_path / "data")
    assert len(dataset.load_split("digits", "test", tmp_path / "data").labels) == 4


def test_other_files_in_a_folder_do_not_matter(tmp_path: Path) -> None:
    folder = archives.FORMS["folder of gz"](tmp_path / "emnist", archives.small("digits"))
    dataset.import_splits(folder, [], folder / "data")
    before = record_of(folder / "data").stat().st_mtime_ns
    (folder / "notes.txt").write_text("new")
    dataset.import_splits(folder, [], folder / "data")
    assert record_of(folder / "data").stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["train-images.npy", "emnist_upright-train.tfrecord-00000", cache.RECORD])
def test_importing_again_repairs_what_is_damaged(own: tuple[Path, Path], damage: str) -> None:
    archive, place = own
    path = next(place.rglob(damage))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    dataset.import_splits(archive, [], place)
    record = cache.read_record(record_of(place).parent)
    assert record is not None and not cache.find_damage(place, record)


@pytest.mark.slow
def test_a_damaged_source_leaves_what_was_there(own: tuple[Path, Path]) -> None:
    archive, place = own
    good = zipfile.ZipFile(many(archive.parent))
    files = {name: good.read(name) for name in good.namelist()}
    good.close()
    name = "gzip/emnist-digits-test-images-idx3-ubyte.gz"
    files[name] = files[name][: len(files[name]) // 2]
    archives.write_zip(archive, files)
    with pytest.raises(DataError, match=f"{name}: cannot be read") as error:
        dataset.import_splits(archive, [], place)
    assert "\n" not in str(error.value)
    assert len(dataset.load_split("digits", "train", place).labels) == 4
    assert left(place) == {"cache", "emnist_upright"}


def test_a_split_that_the_source_lacks_is_named_before_any_work(own: tuple[Path, Path]) -> None:
    archive, place = own
    with pytest.raises(DataError, match=r"gzip\.zip: has no split 'letters'; it has digits"):
        dataset.import_splits(archive, ["digits", "letters"], place)
    with pytest.raises(UsageError, match="did you mean digits"):
        dataset.import_splits(archive, ["digit"], place)


def test_a_missing_split_says_which_command_gets_it(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"letters is not in .*; get it with: emnist data download --split letters"
    ) as e:
        dataset.load_split("letters", "train", tmp_path)
    assert "emnist data import PATH" in str(e.value)
    with pytest.raises(UsageError, match="did you mean mnist"):
        dataset.load_split("mnis", "train", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train-images.npy", "train-labels.npy"])
@pytest.mark.parametrize("size", [None, 0, 60, -100])
def test_a_damaged_cache_is_one_line(own: tuple[Path, Path], name: str, size: int | None) -> None:
    _, place = own
    path = dataset.cache_folder(place, "digits") / name
    if size is None:
        path.unlink()
    else:
        whole = path.read_bytes()
        path.write_bytes(whole[:size])
    with pytest.raises(DataError, match=r"digits: damaged \(.*\); get the split again") as error:
        dataset.load_split("digits", "train", place)
    assert "\n" not in str(error.value)


def test_arrays_that_do_not_belong_together_are_refused(own: tuple[Path, Path]) -> None:
    _, place = own
    folder = dataset.cache_folder(place, "digits")
    shutil.copyfile(folder / "test-labels.npy", folder / "train-labels.npy")
    with pytest.raises(DataError, match=r"train has pictures uint8 \(4, 28, 28\) for 2 labels"):
        dataset.load_split("digits", "train", place)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "5", "[]", "{}", '{"version": 0}', '{"version": 1, "class_counts": []}'])
def test_a_record_that_is_none_counts_as_nothing_there(own: tuple[Path, Path], text: str) -> None:
    archive, place = own
    record_of(place).write_text(text)
    with pytest.raises(DataError, match="digits is not in"):
        dataset.load_split("digits", "train", place)
    assert dataset.prepared(place) == []
    assert not dataset.is_from(archive, "digits", place)


def test_data_that_is_not_as_published_is_not_called_emnist(own: tuple[Path, Path]) -> None:
    _, place = own
    assert dataset.describe_split("digits", place) == "digits of gzip.zip, which is not the published EMNIST"
    found = json.loads(record_of(place).read_text())
    found["counts"] = {"train": 240_000, "test": 40_000}
    record_of(place).write_text(json.dumps(found))
    assert dataset.describe_split("digits", place) == "EMNIST digits"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a shell that limits the size of files")
@pytest.mark.parametrize(("noise", "blocks"), [(False, 400), (True, 660)])
def test_a_disk_that_is_full_is_one_line(tmp_path: Path, noise: bool, blocks: int) -> None:
    """Which file is too large first: numpy's array, or of noise, which PNG makes larger, TensorFlow's records."""
    half = archives.small("digits")["digits"]["train"]
    half = archives.Half(np.tile(half.images, (100, 1, 1)), np.tile(half.ids, 100))
    archive = tmp_path / "gzip.zip"
    if noise:
        many(tmp_path)
    else:
        archives.nist_zip(archive, {"digits": {"train": half, "test": half}})
    command = [sys.executable, "-m", "emnist_cli", "data", "import", str(archive), "--data-dir", str(tmp_path / "data")]
    limited = ["/bin/sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", *command]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=60, check=False)
    told = f"emnist: {tmp_path / 'data'}: digits cannot be written (File too large)\n"
    assert (done.returncode, done.stdout, done.stderr) == (5, "", told)
    assert left(tmp_path / "data") == set()


@pytest.mark.slow
def test_provide_takes_what_is_there_or_an_archive(own: tuple[Path, Path], tmp_path: Path) -> None:
    archive, place = own
    before = record_of(place).stat().st_mtime_ns
    dataset.provide("digits", place)
    dataset.provide("digits", place, archive)
    assert record_of(place).stat().st_mtime_ns == before
    dataset.provide("digits", tmp_path / "other", archive)
    assert len(dataset.load_split("digits", "test", tmp_path / "other").labels) == 2


def test_data_lies_in_the_users_folder_unless_asked_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dataset.data_folder(tmp_path) == tmp_path
    found = dataset.data_folder(None)
    assert found.is_relative_to(Path(os.environ["HOME"])) and found.parts[-2:] == ("emnist-cli", "data")
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(MissingError, match="--data-dir"):
        dataset.data_folder(None)


@pytest.mark.slow
def test_no_empty_folders_are_left_for_temporary_files(own: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    archive, place = own
    scratch = archive.parent / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    shutil.rmtree(place)
    dataset.import_splits(archive, [], place)
    assert not list(scratch.iterdir())


@pytest.mark.slow
@pytest.mark.shared
def test_genuine_emnist_is_read_whole_and_upright(mnist_archive: Path, tmp_path: Path) -> None:
    dataset.import_splits(mnist_archive, ["mnist"], tmp_path)
    source = open_source(mnist_archive)
    for part, count in (("train", 60_000), ("test", 10_000)):
        images, labels = dataset.load_split("mnist", part, tmp_path)
        assert images.shape == (count, 28, 28)
        chunks = list(source.chunks("mnist", part))
        assert np.array_equal(images, np.concatenate([chunk.images for chunk in chunks]))
        assert np.array_equal(labels, np.concatenate([chunk.labels for chunk in chunks]))
    # Upright sevens have most ink in the upper half, and ones are taller than wide.
    assert np.mean(images[labels == 7][:, :14]) > 1.2 * np.mean(images[labels == 7][:, 14:])
    ones = images[labels == 1] > 127
    assert ones.any(axis=2).sum() > 1.5 * ones.any(axis=1).sum()


@pytest.mark.slow
@pytest.mark.shared
def test_the_genuine_pictures_are_upright(mnist_archive: Path, recognizer: Any) -> None:
    """The 10,000 of mnist's test half are EMNIST's own: read as they come they must be legible."""
    chunk = next(iter(open_source(mnist_archive).chunks("mnist", "test")))
    found = recognizer.probabilities(chunk.images[:1000].astype(np.float32) / 255)[:, :10].argmax(axis=1)
    assert np.mean(found == chunk.labels[:1000]) > 0.95
    turned = recognizer.probabilities(chunk.images[:1000].transpose(0, 2, 1).astype(np.float32) / 255)
    assert np.mean(turned[:, :10].argmax(axis=1) == chunk.labels[:1000]) < 0.6
