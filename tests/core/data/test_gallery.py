"""Sheets of pictures: every class in turn, dark on light, upright, with the right label below."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emnist_cli.core.data import cache, dataset, gallery
from emnist_cli.core.errors import DataError, OutputError, UsageError
from tests import archives
from tests.planted import planted_links


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data folder with `balanced`; three pictures of C, two of A, one of 7."""
    folder = dataset.cache_folder(tmp_path / "data", "balanced")
    folder.mkdir(parents=True)
    counts = {}
    for part, characters in (("train", "CAc7AC"), ("test", "b")):
        images, ids = archives.half("balanced", characters)
        counts[part] = cache.write_part(folder, part, len(ids), iter([(images, ids)]))
    cache.write_record(tmp_path / "data", folder, "balanced", counts, cache.Origin("strokes.zip", 0, 0, ""))
    return tmp_path / "data"


def labels(place: Path, count: int = 100, label: str | None = None, part: str = "train", seed: int = 1) -> str:
    return "".join(shown.label for shown in gallery.choose_gallery("balanced", part, label, count, seed, place))


def test_classes_come_in_turn(place: Path) -> None:
    assert labels(place) == "7ACACC"
    assert labels(place, count=4) == "7ACA"
    assert labels(place, part="test") == "b"


def test_each_picture_is_shown_once(place: Path) -> None:
    shown = gallery.choose_gallery("balanced", "train", None, 100, 1, place)
    assert sorted(x.picture.tobytes() for x in shown) == sorted(
        picture.tobytes() for picture in dataset.load_split("balanced", "train", place).images
    )


@pytest.mark.parametrize("label", ["C", "c", "Cc"])
def test_a_label_is_any_character_of_its_class(place: Path, label: str) -> None:
    assert labels(place, label=label) == "CCC"


def test_another_seed_shows_others(place: Path) -> None:
    def first(seed: int) -> bytes:
        return gallery.choose_gallery("balanced", "train", "C", 1, seed, place)[0].picture.tobytes()

    assert first(1) == first(1)
    assert len({first(seed) for seed in range(10)}) == 2  # both C are the same drawing, c is another


def test_a_class_without_pictures_and_an_unknown_one(place: Path) -> None:
    with pytest.raises(DataError, match="balanced has no such picture in its train half"):
        labels(place, label="b")
    with pytest.raises(UsageError, match=r"--label: balanced has no class 'Aa'; did you mean [Aa]\?"):
        labels(place, label="Aa")
    with pytest.raises(UsageError, match=r"has no class ''; expected one of: 0, 1, 2"):
        labels(place, label="")
    with pytest.raises(DataError, match="emnist data download --split mnist"):
        gallery.choose_gallery("mnist", "train", None, 1, 1, place)


def test_the_sheet_is_dark_on_light_and_upright(place: Path, tmp_path: Path) -> None:
    shown = gallery.choose_gallery("balanced", "train", None, 100, 1, place)
    gallery.draw_gallery(shown, tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as opened:
        assert (opened.format, opened.mode) == ("PNG", "L")
        sheet = np.asarray(opened)
    assert sheet.shape == (2 * (84 + 20 + 8) + 8, 3 * (84 + 8) + 8)
    assert sheet[0].min() == 255
    for i, (_, picture) in enumerate(shown):
        top, left = 8 + i // 3 * 112, 8 + i % 3 * 92
        tile = sheet[top : top + 84, left : left + 84]
        assert np.array_equal(tile[1::3, 1::3], 255 - picture)
        assert sheet[top + 84 : top + 104, left : left + 84].min() < 100, "there is a label below"


def test_one_picture_is_a_sheet_too(place: Path, tmp_path: Path) -> None:
    gallery.draw_gallery(gallery.choose_gallery("balanced", "test", None, 1, 1, place), tmp_path / "grid.PNG")
    with Image.open(tmp_path / "grid.PNG") as opened:
        assert opened.size == (100, 120)


@pytest.mark.parametrize("name", ["grid", "grid.txt", "grid.psd", ".png"])
def test_a_name_that_is_no_picture_is_refused(place: Path, tmp_path: Path, name: str) -> None:
    shown = gallery.choose_gallery("balanced", "train", None, 2, 1, place)
    with pytest.raises(UsageError, match=r"--output: expected a picture such as grid\.png"):
        gallery.draw_gallery(shown, tmp_path / name)


@pytest.mark.parametrize("name", ["missing/grid.png", "file/grid.png", "folder.png"])
def test_a_place_that_cannot_be_written_is_refused(place: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match="--output: expected a file in an existing folder"):
        gallery.draw_gallery(gallery.choose_gallery("balanced", "train", None, 2, 1, place), tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"data", "file", "folder.png"}


def test_a_link_is_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "grid.png").symlink_to(tmp_path / "real.png")
    gallery.draw_gallery(gallery.choose_gallery("balanced", "train", None, 2, 1, place), tmp_path / "grid.png")
    assert (tmp_path / "grid.png").is_symlink() and (tmp_path / "real.png").stat().st_size


def test_planted_links_are_not_followed(place: Path, tmp_path: Path) -> None:
    planted_links(tmp_path / "grid.png", tmp_path / "victim")
    gallery.draw_gallery(gallery.choose_gallery("balanced", "train", None, 2, 1, place), tmp_path / "grid.png")
    assert (tmp_path / "victim").read_bytes() == b"kept"
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_a_format_without_grayscale_images_is_one_clear_error(place: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"grid\.xbm: cannot be written \(.*XBM\); nothing was left there"):
        gallery.draw_gallery(gallery.choose_gallery("balanced", "train", None, 2, 1, place), tmp_path / "grid.xbm")
    assert not (tmp_path / "grid.xbm").exists()
