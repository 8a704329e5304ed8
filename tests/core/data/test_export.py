"""Exported files are what other programs expect, and come back as they were."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emnist_cli.core.data import cache, dataset, export
from emnist_cli.core.data.chunks import PARTS
from emnist_cli.core.data.dataset import LabelledImages
from emnist_cli.core.data.sources import read_split
from emnist_cli.core.errors import DataError, OutputError, UsageError
from emnist_cli.core.files.labelled import read_folder
from emnist_cli.core.labels import find_split
from tests import archives
from tests.conftest import Emnist

pytestmark = pytest.mark.filterwarnings("ignore")  # tensorflow's and tensorflow-datasets' own

SPLITS = ("byclass", "balanced", "letters")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with three splits; not to be changed."""
    place = tmp_path_factory.mktemp("prepared")
    dataset.import_splits(archives.nist_zip(place / "gzip.zip", archives.small(*SPLITS)), [], place / "data")
    return place / "data"


def same(found: LabelledImages, expected: LabelledImages) -> bool:
    return np.array_equal(found.images, expected.images) and np.array_equal(found.labels, expected.labels)


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("form", ["idx", "csv"])
def test_idx_and_csv_are_read_back_as_they_were(place: Path, tmp_path: Path, form: str, split: str) -> None:
    export.export_split(split, form, tmp_path / "out", place)
    for part in PARTS:
        assert same(LabelledImages(*read_split(tmp_path / "out", split, part)), dataset.load_split(split, part, place))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["idx", "csv"])
def test_importing_an_export_makes_the_same_cache(place: Path, tmp_path: Path, form: str) -> None:
    export.export_split("letters", form, tmp_path / "out", place)
    dataset.import_splits(tmp_path / "out", [], tmp_path / "data")
    for name in ("train-images.npy", "train-labels.npy", "test-images.npy", "test-labels.npy"):
        old, new = (dataset.cache_folder(folder, "letters") / name for folder in (place, tmp_path / "data"))
        assert old.read_bytes() == new.read_bytes()


def test_idx_is_as_nist_publishes_it(place: Path, tmp_path: Path) -> None:
    export.export_split("letters", "idx", tmp_path / "out", place)
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(archives.gzipped(archives.small("letters")))
    for name, data in archives.idx_files(archives.small("letters")):
        if not name.endswith(".txt"):
            assert gzip.decompress((tmp_path / "out" / f"{name}.gz").read_bytes()) == data
    mapping = (tmp_path / "out" / "emnist-letters-mapping.txt").read_text().splitlines()
    assert (mapping[0], mapping[25], len(mapping)) == ("1 65 97", "26 90 122", 26)
    export.export_split("balanced", "idx", tmp_path / "balanced", place)
    mapping = (tmp_path / "balanced" / "emnist-balanced-mapping.txt").read_text().splitlines()
    assert (mapping[0], mapping[12], mapping[46], len(mapping)) == ("0 48", "12 67", "46 116", 47)


def test_csv_is_as_kaggle_has_it(place: Path, tmp_path: Path) -> None:
    export.export_split("letters", "csv", tmp_path / "out", place)
    for name, data in archives.csv_files(archives.small("letters")):
        assert (tmp_path / "out" / name).read_bytes() == data


@pytest.mark.parametrize("split", SPLITS)
def test_npz_is_upright_and_counts_from_0(place: Path, tmp_path: Path, split: str) -> None:
    export.export_split(split, "npz", tmp_path / "out", place)
    for part in PARTS:
        with np.load(tmp_path / "out" / f"emnist-{split}-{part}.npz") as file:
            assert same(LabelledImages(file["images"], file["labels"]), dataset.load_split(split, part, place))
            assert file["classes"].tolist() == [c.label for c in find_split(split).classes]
            assert file["characters"].tolist() == [c.characters for c in find_split(split).classes]


def test_png_is_upright_in_a_folder_a_class(place: Path, tmp_path: Path) -> None:
    export.export_split("byclass", "png", tmp_path / "out", place)
    folders = [path.name for path in (tmp_path / "out" / "train").iterdir()]
    assert len({name.lower() for name in folders}) == 62, "names differ in more than case"
    assert {"0", "9", "upper-A", "lower-a"} <= set(folders)
    images, labels = dataset.load_split("byclass", "train", place)
    items = {Path(item.found.path).name: item for item in read_folder(tmp_path / "out" / "train")}
    assert list(sorted(items)) == [f"{i:06}.png" for i in range(len(labels))]
    for i, label in enumerate(labels):
        item = items[f"{i:06}.png"]
        assert item.label == find_split("byclass").classes[label].label
        with Image.open(item.found.path) as picture:
            assert np.array_equal(np.asarray(picture), images[i])


@pytest.mark.slow
def test_evaluate_reads_the_folders(place: Path, tmp_path: Path, emnist: Emnist) -> None:
    export.export_split("balanced", "png", tmp_path / "out", place)
    result = emnist("evaluate", "--folder", tmp_path / "out" / "train", "--quiet", "--format", "csv")
    assert result.code == 0 and result.err == ""
    counted = {row.split(",")[0]: row.split(",")[-1] for row in result.out.splitlines()[1:]}
    assert {label for label, support in counted.items() if support == "1"} == set("A7fRZ0")


@pytest.mark.parametrize("form", export.WRITERS)
def test_progress_ends_at_the_number_of_pictures(place: Path, tmp_path: Path, form: str) -> None:
    seen: list[tuple[int, int]] = []
    export.export_split("letters", form, tmp_path / "out", place, lambda *step: seen.append(step))
    assert seen == sorted(seen) and seen[-1] == (8, 8)


@pytest.mark.parametrize("kind", ["file", "folder", "empty"])
def test_what_is_there_is_not_touched(place: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out"
    if kind == "file":
        target.write_bytes(b"mine")
    else:
        target.mkdir()
    if kind == "folder":
        (target / "mine").write_bytes(b"mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="out is there already; name a folder that is not"):
        export.export_split("letters", "idx", target, place)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_split_that_is_not_there_makes_no_folder(place: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="emnist data download --split mnist"):
        export.export_split("mnist", "idx", tmp_path / "deep" / "out", place)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_line(place: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(
        OutputError, match=r"cannot be written \((Not a directory|File exists)\); nothing was left"
    ) as e:
        export.export_split("letters", "idx", tmp_path / "file" / "out", place)
    assert "\n" not in str(e.value)


def test_a_name_of_the_greatest_length_is_possible(place: Path, tmp_path: Path) -> None:
    export.export_split("letters", "npz", tmp_path / ("n" * 250), place)
    assert [path.name for path in tmp_path.iterdir()] == ["n" * 250]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell that limits the size of files")
@pytest.mark.parametrize("form", export.WRITERS)
def test_nothing_half_written_is_left(tmp_path: Path, form: str) -> None:
    folder = dataset.cache_folder(tmp_path / "data", "digits")
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (200, 28, 28), dtype=np.uint8)
    counts = {part: cache.write_part(folder, part, 200, iter([(noise, np.arange(200) % 10)])) for part in PARTS}
    cache.write_record(tmp_path / "data", folder, "digits", counts, cache.Origin("noise.zip", 0, 0, ""))
    command = [sys.executable, "-m", "emnist_cli", "data", "export", str(tmp_path / "deep" / "out"), "--as", form]
    command += ["--split", "digits", "--data-dir", str(tmp_path / "data")]
    # Of the pictures even a single one is too large, of the other forms the file with all of them.
    limited = ["/bin/sh", "-c", f'ulimit -f {1 if form == "png" else 100}; exec "$@"', "sh", *command]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=60, check=False)
    told = f"emnist: {tmp_path / 'deep' / 'out'}: cannot be written (File too large); nothing was left there\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)
    assert not list((tmp_path / "deep").iterdir())
