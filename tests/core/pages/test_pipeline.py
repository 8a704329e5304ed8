"""From a picture of a page to its record: every kind of source, every kind of trouble."""

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.edits import distance
from emnist_cli import Lexicon, Page, Recognizer, read_page, read_pages
from emnist_cli.core.errors import UsageError
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.imaging.inputs import ImageSource
from emnist_cli.core.page_records import Box, Line, Word
from tests.core.pages.written import page

LINES = ["HARBOUR 2051", "SIX FOXES", "0123456789"]


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return page(LINES, donor=0)


@pytest.fixture(scope="module")
def read(picture: Image.Image, recognizer: Recognizer) -> Page:
    return read_page(picture, recognizer)


def test_a_page_is_read(read: Page, picture: Image.Image) -> None:
    assert (read.status, read.path, read.page, read.error) == ("ok", "", 1, "")
    assert (read.width, read.height) == picture.size
    assert len(read.lines) == 3
    assert distance(read.text, "\n".join(LINES)) <= 4
    assert read.lines[2].text == "0123456789"


def test_boxes_nest_and_hold_ink(read: Page, picture: Image.Image) -> None:
    ink = np.asarray(picture) < 128

    def inside(inner: Box, outer: Box) -> bool:
        return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]

    count = 0
    for line in read.lines:
        for word in line.words:
            assert inside(word.box, line.box)
            for character in word.characters:
                count += 1
                assert inside(character.box, word.box)
                left, top, right, bottom = character.box
                assert ink[top:bottom, left:right].any()
    assert count == len([*read.characters])
    assert sum(ink[b.box[1] : b.box[3], b.box[0] : b.box[2]].sum() for b in read.lines) > 0.98 * ink.sum()


def test_the_record_is_the_contract(read: Page) -> None:
    record = json.loads(json.dumps(read.as_dict()))
    assert list(record) == ["path", "page", "status", "width", "height", "lines", "error"]
    line = record["lines"][2]
    assert list(line) == ["text", "box", "words"]
    word = line["words"][0]
    assert list(word) == ["text", "box", "characters"]
    assert word["text"] == "".join(c["label"] for c in word["characters"])
    character = word["characters"][0]
    assert list(character) == ["label", "confidence", "box", "alternatives"]
    assert len(character["alternatives"]) == 3
    assert character["alternatives"][0] == {"label": character["label"], "confidence": character["confidence"]}
    confidences = [a["confidence"] for a in character["alternatives"]]
    assert confidences == sorted(confidences, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["path", "bytes", "array", "colour", "float", "found", "upside", "palette"])
def test_every_source_says_the_same(
    kind: str, read: Page, picture: Image.Image, recognizer: Recognizer, tmp_path: Path
) -> None:
    path = tmp_path / "page.png"
    picture.save(path)
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    picture.rotate(180).save(turned, "PNG", exif=exif)
    sources: dict[str, Callable[[], ImageSource]] = {
        "path": lambda: path,
        "bytes": path.read_bytes,
        "array": lambda: np.asarray(picture),
        "colour": lambda: picture.convert("RGB"),
        "float": lambda: np.asarray(picture, np.float32) / 255,
        "found": lambda: ImageRef("named", None, path.read_bytes()),
        "upside": turned.getvalue,
        "palette": lambda: picture.convert("P"),
    }
    result = read_page(sources[kind](), recognizer)
    assert result.text == read.text
    assert [c.box for *_, c in result.characters] == [c.box for *_, c in read.characters]
    assert result.path == {"path": str(path), "found": "named"}.get(kind, "")


@pytest.mark.slow
def test_a_large_page_keeps_its_pixels(picture: Image.Image, read: Page, recognizer: Recognizer) -> None:
    """Single pictures are reduced from 3,200 pixels a side; places on a page must be in its own pixels."""
    large = picture.resize((picture.width * 6, picture.height * 6))
    assert max(large.size) > 3200
    for form in ("PNG", "JPEG"):
        content = io.BytesIO()
        large.save(content, form)
        result = read_page(content.getvalue(), recognizer)
        assert (result.width, result.height) == large.size
        assert len(result.lines) == 3
        for line, small in zip(result.lines, read.lines, strict=True):
            assert np.array(line.box) / 6 == pytest.approx(np.array(small.box), abs=4)


def test_options(picture: Image.Image, recognizer: Recognizer) -> None:
    one = read_page(picture, recognizer, top_k=1)
    assert {len(c.alternatives) for *_, c in one.characters} == {1}
    strict = read_page(picture, recognizer, min_confidence=1)
    assert {c.label for *_, c in strict.characters} == {""}
    assert set(strict.text) == {"?", " ", "\n"}
    assert [c.alternatives[0] for *_, c in strict.characters] == [c.alternatives[0] for *_, c in one.characters]
    digits = read_page(picture, recognizer.variant(charset="digits"))
    assert digits.text.replace("\n", "").replace(" ", "").isdigit()
    for wrong in ({"top_k": 0}, {"min_confidence": 2}):
        with pytest.raises(UsageError):
            read_page(picture, recognizer, **wrong)  # type: ignore[arg-type]


def test_expected_words(picture: Image.Image, recognizer: Recognizer) -> None:
    words = Lexicon(["harbour", "six", "foxes", "sixty", "fox"])
    result = read_page(picture, recognizer, lexicon=words)
    assert result.text.splitlines()[0].split()[0] == "HARBOUR"
    assert result.text.splitlines()[1] == "SIX FOXES"
    assert result.text.splitlines()[2] == "0123456789"


def test_a_character_that_a_word_lacks_has_a_place(recognizer: Recognizer) -> None:
    result = read_page(page(["HARBOR"], donor=0), recognizer, lexicon=Lexicon(["harbour"]))
    assert result.text == "HARBOUR"
    characters = result.lines[0].words[0].characters
    before, missing, after = characters[4:7]
    assert missing.label == "U"
    assert before.box[2] <= missing.box[0] <= missing.box[2] <= after.box[0]


def test_an_empty_page(recognizer: Recognizer) -> None:
    result = read_page(np.full((400, 300), 255, np.uint8), recognizer)
    assert (result.status, result.width, result.height, result.lines, result.text) == ("empty", 300, 400, (), "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty file"), (b"text", "not a picture"), (b"\x89PNG\r\n\x1a\n", "damaged PNG")],
)
def test_a_bad_page_is_a_record(content: bytes, reason: str, recognizer: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(content)
    result = read_page(path, recognizer)
    assert (result.status, result.path, result.width, result.lines) == ("error", str(path), 0, ())
    assert reason in result.error
    assert read_page(tmp_path / "none.png", recognizer).error == "no such file or folder"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("odd"), "cannot be read (ValueError: odd)"), (MemoryError(), "not enough memory")],
)
def test_what_goes_wrong_inside_is_a_record(
    error: Exception, reason: str, picture: Image.Image, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr("emnist_cli.core.pages.pipeline.segment", fail)
    result = read_page(picture, recognizer)
    assert result.status == "error"
    assert reason in result.error


@pytest.mark.slow
def test_many_pages_in_processes(picture: Image.Image, read: Page, tmp_path: Path) -> None:
    picture.save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    picture.save(tmp_path / "c.pdf", "PDF", save_all=True, append_images=[page(["7"])], resolution=100)
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.pdf", "none.png")]
    alone = [record for path in paths for record in read_pages([path], {"charset": "alnum"})]
    together = [*read_pages(paths, {"charset": "alnum"}, workers=2)]
    assert together == alone
    assert [(Path(p.path).name, p.page, p.status) for p in together] == [
        ("a.png", 1, "ok"), ("b.png", 1, "error"), ("c.pdf", 1, "ok"), ("c.pdf", 2, "ok"), ("none.png", 1, "error"),
    ]  # fmt: skip
    assert together[0].text == read.text
    assert together[3].text == "7"


@pytest.mark.slow
def test_a_page_that_takes_too_long_is_given_up(picture: Image.Image, tmp_path: Path) -> None:
    for name in "ab":
        picture.save(tmp_path / f"{name}.png")
    paths = [str(tmp_path / f"{name}.png") for name in "ab"]
    pages = [*read_pages(paths, timeout=0.001, workers=1)]
    assert {(p.status, p.error) for p in pages} == {("error", "took longer than 0.001 s and was given up")}


@pytest.mark.slow
def test_overlays_come_along(picture: Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    good, bad = read_pages([tmp_path / "a.png", tmp_path / "b.png"], overlay=".png", workers=1)
    with Image.open(io.BytesIO(good.overlay)) as drawn:
        assert drawn.format == "PNG"
        assert drawn.width / drawn.height == pytest.approx(picture.width / picture.height, rel=0.01)
    assert bad.overlay == b""
    assert dataclasses.replace(good, overlay=b"") == good


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"timeout": 0}, {"top_k": 0}, {"lexicon": "none.txt"}])
def test_arguments_that_make_no_sense(wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        [*read_pages([tmp_path / "none.png"], **wrong)]  # type: ignore[arg-type]


def lines_at(*places: Box) -> tuple[Line, ...]:
    return tuple(Line(place, (Word(place, ()),)) for place in places)


def test_lines_that_are_apart_are_paragraphs() -> None:
    close = Page("", "ok", lines=lines_at((0, 0, 90, 20), (0, 30, 90, 50), (0, 60, 90, 80)))
    assert [len(group) for group in close.paragraphs] == [3]
    apart = Page("", "ok", lines=lines_at((0, 0, 90, 20), (0, 30, 90, 50), (0, 110, 90, 130), (0, 140, 90, 160)))
    assert [len(group) for group in apart.paragraphs] == [2, 2]
    columns = Page("", "ok", lines=lines_at((0, 0, 90, 20), (0, 30, 90, 50), (200, 0, 290, 20), (200, 30, 290, 50)))
    assert [len(group) for group in columns.paragraphs] == [2, 2]
    assert Page("", "empty").paragraphs == []
