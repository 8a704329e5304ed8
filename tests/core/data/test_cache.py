"""Arrays of a prepared split: written as they come, complete or not at all, with a record of what they are."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.data import cache
from emnist_cli.core.errors import DataError
from tests import archives

HALVES = archives.small("letters")["letters"]
ORIGIN = cache.Origin("gzip.zip", 10, 20, "ab")


def write(root: Path) -> Path:
    folder = root / "cache" / "letters"
    folder.mkdir(parents=True)
    counts = {part: cache.write_part(folder, part, len(half.ids), pieces(half)) for part, half in HALVES.items()}
    cache.write_record(root, folder, "letters", counts, ORIGIN)
    return folder


def pieces(half: archives.Half) -> Iterator[archives.Half]:
    yield archives.Half(half.images[:2], half.ids[:2])
    yield archives.Half(half.images[2:], half.ids[2:])


def test_pieces_are_read_back_as_one(tmp_path: Path) -> None:
    folder = write(tmp_path)
    for part, half in HALVES.items():
        images, labels = cache.read_cache(folder, part)
        assert np.array_equal(images, half.images) and np.array_equal(labels, half.ids)
        assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
        assert not images.flags.writeable


def test_the_record_says_what_is_there(tmp_path: Path) -> None:
    record = cache.read_record(write(tmp_path))
    assert record is not None
    assert (record.split, record.origin) == ("letters", ORIGIN)
    assert record.counts == {"train": 5, "test": 3}
    for part, half in HALVES.items():
        assert record.class_counts[part] == tuple(np.bincount(half.ids, minlength=26).tolist())
    assert sorted(record.files) == [
        f"cache/letters/{part}-{kind}.npy" for part in ("test", "train") for kind in ("images", "labels")
    ]
    assert not record.as_published
    assert cache.find_damage(tmp_path, record) == []


@pytest.mark.parametrize("count", [4, 6])
def test_another_number_of_pictures_than_announced_is_an_error(tmp_path: Path, count: int) -> None:
    half = HALVES["train"]
    with pytest.raises(DataError, match=rf"expected {count} pictures of train\. Received: 5"):
        cache.write_part(tmp_path, "train", count, iter([half]))


def test_without_a_record_there_is_no_cache(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / cache.RECORD).unlink()
    assert cache.read_record(folder) is None
    assert cache.read_record(tmp_path / "nothing") is None


def test_origins_are_told_apart_without_reading() -> None:
    assert ORIGIN.same_file(cache.Origin("gzip.zip", 10, 20, ""))
    for other in (("a.zip", 10, 20), ("gzip.zip", 9, 20), ("gzip.zip", 10, 21)):
        assert not ORIGIN.same_file(cache.Origin(*other, "ab"))
