"""The sheet that people look over: what is on it, where, and that nothing spoils it."""

import errno
import gc
import io
import os
import struct
import subprocess
import sys
import weakref
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emnist_cli.core.artifacts import contact_sheet as drawn
from emnist_cli.core.artifacts.contact_sheet import BAR, GAP, HEADER, HEIGHT, LEVELS, MARGIN, PICTURE, WIDTH, Sheet
from emnist_cli.core.artifacts.image_file import FORMATS, check_image_path, write_image
from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.errors import OutputError, UsageError
from emnist_cli.core.imaging import decode
from emnist_cli.core.preprocessing.normalize import preprocess
from emnist_cli.core.records import Alternative, Prediction
from tests.handwriting import picture
from tests.planted import planted_links

Pixels = NDArray[np.uint8]
INSIDE = slice(GAP, GAP + PICTURE)
LEFT, RIGHT = slice(GAP, GAP + PICTURE), slice(2 * GAP + PICTURE, 2 * (GAP + PICTURE))


def prediction(path: object = "gone.png", label: str = "7", confidence: float = 0.9, **more: object) -> Prediction:
    return Prediction(str(path), "ok", label, confidence, (Alternative(label, confidence),), **more)  # type: ignore[arg-type]


def unsure(label: str, confidence: float, path: str = "gone.png") -> Prediction:
    return Prediction(path, "uncertain", "", confidence, (Alternative(label, confidence),))


def failed(error: str = "too bad") -> Prediction:
    return Prediction("broken.png", "error", error=error)


def draw(*predictions: Prediction, size: int = 1000, least_certain: bool = False) -> Image.Image:
    sheet = Sheet(size, least_certain)
    for item in predictions:
        sheet.add(item)
    return sheet.draw(preprocess)


def cell(item: Prediction) -> Pixels:
    """The cell of a prediction, without its frame; (h, w, 3)."""
    pixels = np.asarray(draw(item))[HEADER : HEADER + HEIGHT, MARGIN : MARGIN + WIDTH]
    frame = np.concatenate([pixels[[0, -1]].reshape(-1, 3), pixels[:, [0, -1]].reshape(-1, 3)])
    assert len(np.unique(frame, axis=0)) == 1, "nothing runs over the frame"
    for edge in (pixels[1:-1, 1:6], pixels[1:-1, -6:-1], pixels[1:6, 1:-1], pixels[-5:-1, 1:-1]):
        assert edge.min() == 255, "nothing comes near the frame"
    return pixels


def shades(folder: Path, count: int) -> list[str]:
    """Pictures that are told apart by how bright they are."""
    for i in range(count):
        Image.new("L", (4, 4), i).save(folder / f"{i:03}.png")
    return [str(folder / f"{i:03}.png") for i in range(count)]


def order(sheet: Sheet) -> list[int]:
    """The pictures of a sheet in the order in which they are looked at."""
    seen: list[int] = []
    sheet.draw(lambda gray: seen.append(int(gray[0, 0])))
    return seen


def test_the_first_are_kept_in_order(tmp_path: Path) -> None:
    sheet = Sheet(5)
    for i, path in enumerate(shades(tmp_path, 20)):
        sheet.add(prediction(path, confidence=1 - i / 20))
        assert len(sheet) == min(i + 1, 5)
    assert order(sheet) == [0, 1, 2, 3, 4]


def test_the_least_certain_are_kept_lowest_first(tmp_path: Path) -> None:
    paths, sheet = shades(tmp_path, 9), Sheet(6, least_certain=True)
    confidences = [None, 0.9, 0.2, 0.9, None, 0.2, 0.99, 0.5, 0.99]
    for path, confidence in zip(paths, confidences, strict=True):
        sheet.add(Prediction(path, "empty") if confidence is None else prediction(path, confidence=confidence))
    assert order(sheet) == [2, 5, 7, 1, 3, 6]
    roomy = Sheet(20, least_certain=True)
    for path, confidence in zip(paths, confidences, strict=True):
        roomy.add(Prediction(path, "empty") if confidence is None else unsure("7", confidence, path))
    assert order(roomy) == [2, 5, 7, 1, 3, 6, 8, 0, 4]


@pytest.mark.parametrize("least_certain", [False, True])
def test_what_is_left_out_takes_no_memory(least_certain: bool) -> None:
    sheet, alive = Sheet(10, least_certain), []
    for i in range(500):
        item = prediction(confidence=(i * 37 % 100) / 100)
        alive.append(weakref.ref(item))
        sheet.add(item)
    del item
    gc.collect()
    assert sum(reference() is not None for reference in alive) == len(sheet) == 10


@pytest.mark.parametrize("size", [0, -1, 1001, 2.5])
def test_a_size_that_is_none(size: int) -> None:
    with pytest.raises(UsageError, match=r"--sheet-size: expected a whole number in 1\.\.1000\. Received: "):
        Sheet(size)


def test_the_shape_of_a_sheet() -> None:
    sizes = {count: draw(*[failed()] * count).size for count in (0, 1, 2, 20, 60, 1000)}
    assert sizes[0] == sizes[1] == (WIDTH + 2 * MARGIN, HEADER + HEIGHT + MARGIN)
    assert sizes[2] == (2 * WIDTH + GAP + 2 * MARGIN, sizes[1][1])
    for count in (20, 60, 1000):
        width, height = sizes[count]
        assert 1.2 < width / height < 1.8
        assert width * height < 1.25 * count * (WIDTH + GAP) * (HEIGHT + GAP) + 100_000, "few places are empty"


def test_cells_stand_in_rows_and_margins_are_free() -> None:
    for count in (0, 1, 2, 3, 11):
        pixels = np.asarray(draw(*[failed()] * count, least_certain=count < 11))
        assert pixels[:, :MARGIN].min() == pixels[:, 2 - MARGIN :].min() == pixels[-MARGIN:].min() == 255
    columns = round((pixels.shape[1] - 2 * MARGIN + GAP) / (WIDTH + GAP))
    for i in range(12):
        top, left = HEADER + i // columns * (HEIGHT + GAP), MARGIN + i % columns * (WIDTH + GAP)
        there = pixels[top : top + HEIGHT, left : left + WIDTH]
        assert (there.min() == 255) == (i == 11), "eleven alike, and a free place"
        assert i == 11 or np.array_equal(there, pixels[HEADER : HEADER + HEIGHT, MARGIN : MARGIN + WIDTH])


@pytest.mark.parametrize(
    ("count", "size", "least_certain", "title"),
    [
        (10, 10, False, "10 pictures"),
        (1200, 1000, False, "first 1,000 of 1,200 pictures"),
        (10, 8, True, "8 of 10 pictures, least certain first"),
        (10, 10, True, "10 pictures, least certain first"),
        (1, 1, False, "1 picture"),
    ],
)
def test_the_title_says_how_many_and_which(count: int, size: int, least_certain: bool, title: str) -> None:
    sheet = draw(*[failed()] * count, size=size, least_certain=least_certain)
    font = ImageFont.load_default(drawn.TITLE)
    expected = Image.new("RGB", (sheet.width // 2 if count > 1 else sheet.width, HEADER), drawn.WHITE)
    ImageDraw.Draw(expected).text((MARGIN, HEADER - 18), title, drawn.INK, font, "ls")
    assert sheet.crop((0, 0, *expected.size)).tobytes() == expected.tobytes()


def test_drawing_again_gives_the_same(tmp_path: Path) -> None:
    items = [prediction(path) for path in shades(tmp_path, 3)] + [failed()]
    assert draw(*items).tobytes() == draw(*items).tobytes()


def test_the_picture_and_what_the_model_saw(recognizer: Recognizer, tmp_path: Path) -> None:
    ink = picture("R", 1, size=(400, 300))
    Image.merge("RGB", [ink, ink, Image.new("L", ink.size, 200)]).save(tmp_path / "r.png")
    item = recognizer.predict(tmp_path / "r.png")
    assert item.picture is not None
    pixels = cell(prediction(tmp_path / "r.png"))
    seen = pixels[INSIDE, RIGHT]
    assert np.array_equal(seen[1::4, 1::4, 0], (item.picture * 255 + 0.5).astype(np.uint8))
    assert np.array_equal(seen[::4, ::4], seen[3::4, 3::4]), "enlarged, not smoothed"
    original = pixels[INSIDE, LEFT].astype(int)
    shown = original[14:98]
    assert len(np.unique(original[:13].reshape(-1, 3), axis=0)) == 1, "a wide picture is centred"
    assert np.abs(shown[..., 2] - 200).max() <= 2, "in colour"
    expected = np.asarray(ink.resize((PICTURE, 84), Image.Resampling.LANCZOS), int)
    assert np.abs(shown[..., 0] - expected).mean() < 1
    assert np.array_equal(cell(item), cell(prediction(tmp_path / "r.png", item.label, item.confidence or 0)))


def test_what_the_model_saw_is_not_made_again_if_it_is_there(tmp_path: Path) -> None:
    picture("R").save(tmp_path / "r.png")
    sheet = Sheet()
    sheet.add(prediction(tmp_path / "r.png", picture=np.eye(28, dtype=np.float32)))

    def look(gray: object) -> None:
        raise AssertionError

    pixels = np.asarray(sheet.draw(look))[HEADER:, MARGIN:]
    assert np.array_equal(pixels[INSIDE, RIGHT][::4, ::4, 1], np.eye(28) * 255)


def test_turned_photographs_stand_upright(tmp_path: Path) -> None:
    upright, exif = picture("R", 1, size=(300, 200)), Image.Exif()
    exif[0x0112] = 6
    upright.save(tmp_path / "r.png")
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "t.png", exif=exif)
    assert np.array_equal(cell(prediction(tmp_path / "r.png"))[INSIDE], cell(prediction(tmp_path / "t.png"))[INSIDE])


@pytest.mark.parametrize("shade", [0, 255])
def test_ink_on_a_clear_canvas_stands_out(tmp_path: Path, shade: int) -> None:
    canvas = Image.new("RGBA", (200, 200), (shade, shade, shade, 0))
    canvas.putalpha(picture("R", 1).point(lambda value: 255 - value))
    canvas.save(tmp_path / "r.png")
    original = cell(prediction(tmp_path / "r.png"))[INSIDE, LEFT, 0]
    corner = original[: 2 * GAP, : 2 * GAP]
    assert set(np.unique(corner)) == set(drawn.CHECKER)
    assert np.array_equal(corner, np.rot90(corner, 2)) and not np.array_equal(corner, np.rot90(corner))
    assert np.abs(original[original == shade].astype(int) - np.array(drawn.CHECKER)[:, None]).min() > 70
    assert (original == shade).sum() > 200


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "PA", "RGB", "RGBA", "CMYK", "I;16", "F", "La", "YCbCr"])
def test_every_kind_of_picture_is_shown(tmp_path: Path, mode: str) -> None:
    ink, data = picture("R", 1), io.BytesIO()
    numbers = {"I;16": np.asarray(ink, np.uint16) * 257, "F": np.asarray(ink, np.float32) / 255}
    image = Image.fromarray(numbers[mode]) if mode in numbers else ink.convert(mode.replace("a", "A"))
    image.save(data, "TIFF")
    extra = [struct.pack("<HHII", 338, 3, 1, kind) for kind in (2, 1)]  # alpha as it is, multiplied in
    stored = data.getvalue().replace(*extra) if mode == "La" else data.getvalue()
    (tmp_path / "r.tif").write_bytes(stored)
    with decode.opened(stored) as (opened, _):
        assert opened.mode == mode
    expected = np.asarray(ink.resize((PICTURE, PICTURE), Image.Resampling.LANCZOS), int)
    assert np.abs(cell(prediction(tmp_path / "r.tif"))[INSIDE, LEFT, 1] - expected).mean() < 6


@pytest.mark.parametrize("size", [(1, 1), (2000, 1), (1, 2000), (28, 28), (113, 111)])
def test_a_picture_of_any_size_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, (0, 0, 99)).save(tmp_path / "x.png")
    blue = (cell(Prediction(str(tmp_path / "x.png"), "empty"))[..., :3] == (0, 0, 99)).all(2)
    rows, columns = np.flatnonzero(blue.any(1)), np.flatnonzero(blue.any(0))
    expected = [max(1, round(side * PICTURE / max(size))) for side in size]
    assert [len(columns), len(rows)] == expected
    assert abs(columns.mean() - GAP - PICTURE / 2) <= 1 and abs(rows.mean() - GAP - PICTURE / 2) <= 1


def colours(pixels: Pixels) -> set[str]:
    return {"#{:02x}{:02x}{:02x}".format(*colour) for colour in np.unique(pixels.reshape(-1, 3), axis=0)}


@pytest.mark.parametrize(
    ("confidence", "level"), [(1.0, 0), (0.8, 0), (0.7999, 1), (0.5, 1), (0.4999, 2), (0.01, 2), (0.0, 2)]
)
def test_the_colour_and_the_bar_tell_the_confidence(confidence: float, level: int) -> None:
    for item in (prediction(confidence=confidence), unsure("7", confidence)):
        pixels = cell(item)
        assert {colour for _, colour in LEVELS} & colours(pixels) == {LEVELS[level][1]}
        bar = pixels[BAR + 1, GAP : WIDTH - GAP].astype(int)
        assert abs((np.ptp(bar, axis=1) > 50).mean() - confidence) < 0.006


def test_percentages_say_what_they_are() -> None:
    def percent(confidence: float) -> bytes:
        return cell(prediction(confidence=confidence))[BAR + 5 :, WIDTH // 2 :].tobytes()

    alike = [0.7, 0.7004, 0.701, 0.7994, 0.8, 1.0]
    texts = [percent(confidence) for confidence in alike]
    assert [a == b for a, b in pairwise(texts)] == [True, False, False, False, False]


def test_look_alikes_are_told_apart() -> None:
    def answer(item: Prediction) -> bytes:
        return cell(item)[BAR + 5 : -20, : WIDTH // 2].tobytes()

    for group in ("O0o", "l1I", "S5s", "Z2z", "Cc", "9gq"):
        assert len({answer(prediction(label=label)) for label in group}) == len(group)
    assert answer(prediction(label="O")) != answer(unsure("O", 0.9))
    assert answer(prediction(label="\u624b")) != answer(prediction(label="\u534b")), "escapes are not cut"
    assert drawn.INK in colours(cell(prediction(label="O"))), "what is sure is darker"
    assert drawn.INK not in colours(cell(unsure("O", 0.9, ""))[BAR + 5 :])


@pytest.mark.parametrize("label", ["W", "m", "0", "é", "手", "\U0001f600", "\ud800", "\0"])
def test_answer_and_confidence_do_not_touch(label: str) -> None:
    for item in (prediction(label=label, confidence=1.0), unsure(label, 0.9999)):
        row = cell(item)[BAR + 5 :].astype(int)[:36]
        coloured = np.flatnonzero((np.ptp(row, axis=2) > 50).any(0))
        dark = np.flatnonzero(((np.ptp(row, axis=2) < 5) & (row.max(2) < 160)).any(0)[1:-1])
        assert GAP - 2 <= dark.min() < dark.max() + GAP < coloured.min() < coloured.max() <= WIDTH - GAP


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.png",
        "W" * 5000,
        "i" * 200,
        "a folder/" * 50,
        "zürich/手.png",
        "bad\udcff.png",
        "alone\ud800",
        "a\nb\tc\0\x1b[31m",
        "word " * 300,
    ],
)
def test_any_text_stays_in_its_cell(text: str) -> None:
    cell(Prediction(text, "error", error=text))
    cell(Prediction(text, "ok", "7", 0.5, ()))


@pytest.mark.parametrize(
    ("text", "escaped"), [("é手.png", r"\xe9\u624b.png"), ("\udcff", r"\udcff"), ("a\nb", r"a\nb"), ("\0", r"\x00")]
)
def test_what_the_font_lacks_is_escaped(text: str, escaped: str) -> None:
    assert (
        cell(Prediction(text, "error", error=text)).tobytes()
        == cell(Prediction(escaped, "error", error=escaped)).tobytes()
    )


def test_a_long_path_keeps_its_ends() -> None:
    def path(text: str) -> Pixels:
        return cell(Prediction(text, "error"))[-20:]

    long = "some/where/" + "x" * 100 + "/123.png"
    assert path(long).tobytes() == path("some/where/" + "x" * 150 + "/123.png").tobytes()
    for other in (long.replace("where", "there"), long.replace("x/1", "y/1")):
        assert path(long).tobytes() != path(other).tobytes()
    short = path("some/where/123.png")
    assert np.flatnonzero((short.min(2) < 200).any(0)[1:-1]).max() < WIDTH - 80, "what fits is not cut"
    assert np.flatnonzero((path(long).min(2) < 200).any(0)[1:-1]).max() > WIDTH - GAP - 20, "the width is used"


def has_text(pixels: Pixels) -> bool:
    return bool((pixels.max(2) < 100).sum() > 20)


def test_errors_and_empties_are_cells_too(tmp_path: Path) -> None:
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    error, empty = cell(failed("not a picture")), cell(Prediction(str(tmp_path / "blank.png"), "empty"))
    assert has_text(error[INSIDE]) and not has_text(empty[INSIDE])
    assert empty[INSIDE, LEFT].min() == 255, "the picture, which is blank"
    assert {colour for _, colour in LEVELS} & colours(error) == {LEVELS[-1][1]}
    assert {colour for _, colour in LEVELS} & colours(empty) == set()
    assert error[BAR + 5 : -20].tobytes() != empty[BAR + 5 : -20].tobytes()


def test_pictures_that_cannot_be_had_again(tmp_path: Path) -> None:
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    paths: list[object] = [tmp_path / "gone.png", "-", "", "a\0b", tmp_path, tmp_path / "damaged.png"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        paths.append(tmp_path / "pipe")
    eye = np.eye(28, dtype=np.float32)
    for path in paths:
        without, with_ = cell(prediction(path)), cell(prediction(path, picture=eye))
        assert has_text(without[INSIDE, LEFT]) and not has_text(without[INSIDE, RIGHT])
        assert has_text(with_[INSIDE, LEFT])
        assert np.array_equal(with_[INSIDE, RIGHT][2::4, 2::4, 0], eye * 255)
    stdin, gone = (cell(prediction(path))[INSIDE].tobytes() for path in ("-", "gone.png"))
    assert stdin != gone


@pytest.mark.parametrize("name", [f"sheet{suffix}" for suffix in FORMATS] + ["SHEET.PNG"])
def test_a_sheet_is_written_in_the_format_of_its_name(tmp_path: Path, name: str) -> None:
    check_image_path(tmp_path / name)
    assert list(tmp_path.iterdir()) == [], "a check writes nothing"
    sheet = draw(prediction())
    for _ in range(2):
        write_image(sheet, tmp_path / name)
        assert list(tmp_path.iterdir()) == [tmp_path / name]
    with Image.open(tmp_path / name) as image:
        assert (image.format, image.size) == (FORMATS[Path(name).suffix.lower()], sheet.size)
        assert np.abs(np.asarray(image.convert("RGB"), int) - np.asarray(sheet)).mean() < 2


def test_a_sheet_takes_the_place_of_the_old_one_at_once(tmp_path: Path) -> None:
    (tmp_path / "sheet.png").write_bytes(b"old")
    (tmp_path / "kept.png").hardlink_to(tmp_path / "sheet.png")
    write_image(draw(), tmp_path / "sheet.png")
    assert (tmp_path / "kept.png").read_bytes() == b"old", "it was replaced, not written over"


def test_planted_links_are_not_followed(tmp_path: Path) -> None:
    planted_links(tmp_path / "sheet.png", tmp_path / "victim")
    write_image(draw(), tmp_path / "sheet.png")
    assert (tmp_path / "victim").read_bytes() == b"kept"
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("real.png")
    write_image(draw(), tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name", ["sheet", "sheet.txt", "sheet.pdf", ".png", "no/folder/sheet.png", "folder.png", "f/s.png"]
)
def test_files_that_cannot_be_written_are_refused_before_the_run(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(UsageError, match=r"--contact-sheet: expected .* Received: "):
        check_image_path(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "paths", "recursive", "refused"),
    [
        ("scans/sheet.png", ["scans"], False, True),
        ("scans/sheet.png", ["scans/*.png"], False, True),
        ("scans/sheet.png", ["scans/*.jpg"], False, False),
        ("scans/1.png", ["x", "scans/1.png"], False, True),
        ("link.png", ["scans/1.png"], False, True),
        ("scans/sub/sheet.png", ["scans"], False, False),
        ("scans/sub/sheet.png", ["scans"], True, True),
        ("scans/sub/sheet.png", ["scans/**/*.png"], False, True),
        ("scans/sheet.png", ["scans/1.png", "-"], True, False),
        ("sheet.png", ["scans"], True, False),
        ("sheet.png", ["."], False, True),
    ],
)
def test_a_sheet_must_not_become_or_replace_a_picture_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, paths: list[str], recursive: bool, refused: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans" / "sub").mkdir(parents=True)
    (tmp_path / "scans" / "1.png").write_bytes(b"")
    (tmp_path / "link.png").symlink_to("scans/1.png")
    if refused:
        with pytest.raises(UsageError, match=r"--contact-sheet: .* reads it as a picture"):
            check_image_path(Path(name), paths, recursive)
    else:
        check_image_path(Path(name), paths, recursive)


FULL = """
import resource, sys
from pathlib import Path
from PIL import Image
from emnist_cli.core.errors import OutputError
from emnist_cli.core.artifacts.image_file import write_image
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    write_image(Image.effect_noise((200, 200), 99).convert("RGB"), Path(sys.argv[1]))
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_disk_that_takes_no_more_leaves_the_old_sheet(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{path}: cannot be written ({os.strerror(errno.EFBIG)}); nothing was left there\n"
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("sheet.png", b"old")]


def test_a_folder_that_has_gone_meanwhile(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_image(draw(), tmp_path / "gone" / "sheet.png")


def test_a_large_photograph_is_shown_as_it_was_read(tmp_path: Path) -> None:
    data = io.BytesIO()
    picture("R", 1).resize((4000, 3000)).save(data, "JPEG")
    (tmp_path / "r.jpg").write_bytes(data.getvalue())
    shown = cell(prediction(tmp_path / "r.jpg"))[INSIDE, LEFT, 0][14:98]
    assert np.abs(shown - np.asarray(picture("R", 1).resize((PICTURE, 84)), int)).mean() < 6


@pytest.mark.parametrize("suffix", FORMATS)
def test_only_sheets_are_replaced(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"sheet{suffix}"
    sheet = Sheet()
    sheet.add(prediction())
    image = sheet.draw(lambda shade: preprocess(shade))
    check_image_path(path)
    write_image(image, path)
    check_image_path(path)
    image.save(path)
    with pytest.raises(UsageError, match="expected a new file, or an earlier sheet"):
        check_image_path(path)
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="expected a new file, or an earlier sheet"):
        check_image_path(path)
