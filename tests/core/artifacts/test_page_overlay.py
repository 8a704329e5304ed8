"""What is drawn on a page, and where it may be put."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emnist_cli.core.artifacts import page_overlay
from emnist_cli.core.artifacts.contact_sheet import LEVELS
from emnist_cli.core.atomic_file import write_file
from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.core.page_records import Box, Character, Line, Page, Word

GREEN, AMBER, RED = (tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for _, colour in LEVELS)


def sheet(size: tuple[int, int], *characters: Character) -> Page:
    box = (
        min(c.box[0] for c in characters), min(c.box[1] for c in characters),
        max(c.box[2] for c in characters), max(c.box[3] for c in characters),
    )  # fmt: skip
    return Page("p.png", "ok", 1, *size, lines=(Line(box, (Word(box, characters),)),))


def has(picture: Image.Image, colour: tuple[int, ...], box: Box | None = None) -> bool:
    pixels = np.asarray(picture.crop(box) if box else picture, int)
    return bool((np.abs(pixels - np.array(colour)).max(axis=2) < 8).any())


def test_boxes_by_confidence() -> None:
    page = sheet(
        (1000, 400),
        Character("A", 0.95, (100, 200, 140, 234)),
        Character("B", 0.6, (300, 200, 340, 234)),
        Character("", 0.2, (500, 200, 540, 234)),
    )
    drawn = page_overlay.draw_overlay(page, Image.new("RGB", (1000, 400), "white"))
    assert drawn.size == (1000, 400)
    for left, colour in ((100, GREEN), (300, AMBER), (500, RED)):
        around, label = (left - 4, 196, left + 44, 238), (left, 170, left + 40, 198)
        assert has(drawn, colour, around), "the box"
        assert has(drawn, colour, label), "the label"
        for other in {GREEN, AMBER, RED} - {colour}:
            assert not has(drawn, other, around)
    assert not has(drawn, RED, (0, 0, 1000, 160)), "nothing elsewhere"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["L", "RGB", "1", "P"])
@pytest.mark.parametrize(("size", "height"), [((60, 40), 8), ((4000, 3000), 120), ((9000, 300), 12), ((20, 3000), 10)])
def test_labels_are_legible_whatever_the_page(mode: str, size: tuple[int, int], height: int) -> None:
    top = size[1] // 2
    page = sheet(size, Character("A", 0.9, (4, top, 4 + height, top + height)))
    drawn = page_overlay.draw_overlay(page, Image.new(mode, size, 1 if mode == "1" else 255))
    assert max(drawn.size) <= max(5000, 4 * min(size))
    scale = drawn.width / size[0]
    assert height * scale >= 12 or max(drawn.size) >= 5000
    assert has(drawn, GREEN)


def test_a_label_stays_on_the_page() -> None:
    page = sheet((1000, 300), Character("M", 0.9, (0, 0, 30, 34)), Character("W", 0.9, (970, 0, 1000, 34)))
    drawn = page_overlay.draw_overlay(page, Image.new("L", (1000, 300), 255))
    for left in (0, 960):
        assert has(drawn, GREEN, (left, 38, left + 40, 62)), "below, where there is no room above"


def test_a_page_without_characters() -> None:
    drawn = page_overlay.draw_overlay(Page("p.png", "empty", 1, 300, 200), Image.new("L", (300, 200), 255))
    assert drawn.size == (300, 200)


@pytest.mark.parametrize("suffix", [".png", ".JPG", ".webp", ".tif"])
def test_a_file_appears_whole_and_an_earlier_one_is_replaced(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"o{suffix}"
    for gray in (255, 100):
        page_overlay.check_overlay_path(path, ["page.png"], False)
        write_file(path, page_overlay.encode_overlay(Image.new("RGB", (50, 40), (gray,) * 3), suffix))
        with Image.open(path) as image:
            assert image.size == (50, 40)
            assert abs(np.asarray(image.convert("L"), int) - gray).max() < 4
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("L", (5, 5)).save(photo)
    (tmp_path / "pages").mkdir()
    for place, reason in (
        (tmp_path / "o.txt", "or a file .png"),
        (tmp_path / "o", "expected an existing folder, a name that ends with /"),
        (tmp_path / "none" / "o.png", "a folder that can be written to"),
        (photo, "something else"),
        (tmp_path / "pages" / "o.png", "reads it as a page"),
        (tmp_path / "pages", "reads it as a page"),
    ):
        with pytest.raises(UsageError, match="--overlay: ") as caught:
            page_overlay.check_overlay_path(place, [str(tmp_path / "pages")], False)
        assert reason in str(caught.value)
    assert photo.stat().st_size > 0


def test_a_folder_that_is_still_to_be_created(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    page_overlay.check_overlay_path(tmp_path / "new" / "deep", [str(tmp_path / "pages")], True, is_folder=True)
    assert [p.name for p in tmp_path.iterdir()] == ["pages"], "a check creates nothing"
    (tmp_path / "file.png").write_bytes(b"")
    (tmp_path / "broken").symlink_to("nowhere")
    for name in ("file.png", "file.png/deep", "broken"):
        with pytest.raises(UsageError, match="--overlay: expected a folder that can be written to or created"):
            page_overlay.check_overlay_path(tmp_path / name, [], False, is_folder=True)
    with pytest.raises(UsageError, match="reads it as a page"):
        page_overlay.check_overlay_path(tmp_path / "pages" / "new", [str(tmp_path / "pages")], True, is_folder=True)
    page_overlay.make_overlay_folder(tmp_path / "new" / "deep")
    assert (tmp_path / "new" / "deep").is_dir()
    with pytest.raises(OutputError, match="cannot be created"):
        page_overlay.make_overlay_folder(tmp_path / "file.png")


def test_a_folder_that_goes_away(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nothing was left there"):
        write_file(tmp_path / "gone" / "o.png", b"content")
