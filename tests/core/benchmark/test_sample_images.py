from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.benchmark.sample_images import DRAWINGS, SIDE, SampleImages, draw_samples, gather
from emnist_cli.core.errors import DataError, ImageError, UsageError
from emnist_cli.core.imaging.decode import decode_image, read_bytes
from tests.handwriting import picture


def find(data: Path | None, scratch: Path) -> tuple[SampleImages, list[str]]:
    notes: list[str] = []
    return gather(data, scratch, ("Aa",), notes.append), notes


def test_drawings_are_the_same_each_time_and_have_ink(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    found, notes = find(None, tmp_path)
    assert len(found.files) == DRAWINGS and found.ready.shape == (DRAWINGS, 28, 28) and found.ready.dtype == np.float32
    assert (found.labels, found.failed, notes) == (None, 0, [])
    draw_samples(tmp_path / "again")
    for path in found.files:
        shade = decode_image(read_bytes(path)).gray
        assert shade.shape == (SIDE, SIDE) and 0.005 < (shade < 128).mean() < 0.5
        assert (tmp_path / "again" / Path(path).name).read_bytes() == Path(path).read_bytes()
    assert len({path.read_bytes() for path in (tmp_path / "again").iterdir()}) == DRAWINGS


def test_a_labelled_folder(tmp_path: Path) -> None:
    picture("A", 1).save(tmp_path / "1.png")
    picture("7", 1).save(tmp_path / "2.png")
    (tmp_path / "labels.csv").write_text("file,label\n1.png,A\ngone.png,B\n2.png,7\n")
    found, notes = find(tmp_path, tmp_path)
    assert [Path(path).name for path in found.files] == ["1.png", "2.png"]
    assert (found.labels, found.failed, notes) == (["A", "7"], 1, [])
    (tmp_path / "labels.csv").write_text("nothing\n")
    with pytest.raises(DataError, match="expected the columns"):
        find(tmp_path, tmp_path)


def test_folders_named_by_a_class_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "Aa").mkdir()
    picture("A", 1).save(tmp_path / "Aa" / "1.png")
    assert find(tmp_path, tmp_path)[0].labels == ["Aa"]


def test_a_folder_without_labels(tmp_path: Path) -> None:
    (tmp_path / "monday").mkdir()
    picture("A", 1).save(tmp_path / "monday" / "1.png")
    (tmp_path / "2.png").write_bytes(b"broken")
    found, notes = find(tmp_path, tmp_path)
    assert [Path(path).name for path in found.files] == ["1.png"] and found.labels is None
    assert len(notes) == 1 and notes[0].startswith("no accuracy, since the pictures have no labels")


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--data: expected a folder of pictures, or random"):
        find(tmp_path / "gone", tmp_path)
    with pytest.raises(ImageError, match="no pictures in this folder"):
        find(tmp_path, tmp_path)
    (tmp_path / "1.png").write_bytes(b"broken")
    with pytest.raises(ImageError, match=r"none of 1 pictures could be read; the first: .*1.png: not a picture"):
        find(tmp_path, tmp_path)
