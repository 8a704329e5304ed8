"""hOCR as other programs take it: well-formed, with the classes and properties of the specification."""

import io
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from emnist_cli.core.page_records import Box, Character, Line, Page, Word
from emnist_cli.output.hocr import write_hocr

XHTML = "{http://www.w3.org/1999/xhtml}"
INSIDE = {
    "ocr_page": None,
    "ocr_carea": "ocr_page",
    "ocr_par": "ocr_carea",
    "ocr_line": "ocr_par",
    "ocrx_word": "ocr_line",
    "ocrx_cinfo": "ocrx_word",
}
"""What each class stands in."""


def word(text: str, left: int, top: int, confidence: float = 0.9) -> Word:
    characters = tuple(
        Character("" if c == "?" else c, confidence, (left + 20 * i, top, left + 20 * i + 15, top + 30))
        for i, c in enumerate(text)
    )
    return Word((left, top, characters[-1].box[2], top + 30), characters)


def line(*words: Word) -> Line:
    return Line((words[0].box[0], words[0].box[1], words[-1].box[2], words[0].box[3]), words)


PAGES = [
    Page(
        'a "b" <c> & d\x07;.png',
        "ok",
        1,
        600,
        400,
        (line(word("AB", 10, 10), word("C?", 100, 10, 0.25)), line(word("D", 10, 60)), line(word("12", 10, 300))),
    ),
    Page("broken.png", "error", error="damaged PNG file -- cut off"),
    Page("file.pdf", "empty", 2, 50, 60),
]


@pytest.fixture(scope="module")
def document() -> ElementTree.Element:
    stream = io.StringIO()
    write_hocr(PAGES, stream)
    return ElementTree.fromstring(stream.getvalue())


def of_class(document: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in document.iter() if element.get("class") == name]


def bbox(element: ElementTree.Element) -> Box:
    found = re.search(r"\bbbox (\d+) (\d+) (\d+) (\d+)", element.get("title", ""))
    assert found
    left, top, right, bottom = map(int, found.groups())
    return left, top, right, bottom


def test_the_head_says_what_made_it(document: ElementTree.Element) -> None:
    meta = {m.get("name"): m.get("content") for m in document.iter(f"{XHTML}meta")}
    assert str(meta["ocr-system"]).startswith("emnist-cli ")
    used = {element.get("class") for element in document.iter()} - {None}
    assert set(str(meta["ocr-capabilities"]).split()) == used == set(INSIDE)


def test_elements_stand_in_one_another(document: ElementTree.Element) -> None:
    parents = {child: parent for parent in document.iter() for child in parent}
    for name, outer in INSIDE.items():
        found = of_class(document, name)
        assert found
        for element in found:
            if outer is None:
                continue
            parent = parents[element]
            assert parent.get("class") == outer
            inner, around = bbox(element), bbox(parent)
            assert inner[0] >= around[0] and inner[1] >= around[1]
            assert inner[2] <= around[2] and inner[3] <= around[3]
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) > 10


def test_text_and_places(document: ElementTree.Element) -> None:
    lines = [" ".join("".join(e.itertext()).split()) for e in of_class(document, "ocr_line")]
    assert lines == ["AB C?", "D", "12"]
    assert [bbox(e) for e in of_class(document, "ocr_line")] == [line.box for line in PAGES[0].lines]
    characters = of_class(document, "ocrx_cinfo")
    assert [bbox(e) for e in characters] == [c.box for *_, c in PAGES[0].characters]
    assert "x_conf 25.00" in str(characters[2].get("title"))
    words = [str(e.get("title")) for e in of_class(document, "ocrx_word")]
    assert [re.findall(r"x_wconf (\d+)", title) for title in words] == [["90"], ["25"], ["90"], ["90"]]
    assert len(of_class(document, "ocr_carea")) == 2, "a paragraph each"


def test_every_page_is_there(document: ElementTree.Element) -> None:
    pages = of_class(document, "ocr_page")
    assert [bbox(page) for page in pages] == [(0, 0, 600, 400), (0, 0, 0, 0), (0, 0, 50, 60)]
    titles = [str(page.get("title")) for page in pages]
    assert [re.findall(r"ppageno (\d+)", title) for title in titles] == [["0"], ["1"], ["2"]]
    assert titles[0].startswith('image "a \\"b\\" <c> & d\\\\x07;.png"; bbox')
    assert 'x_source "file.pdf" 2' in titles[2]


def decoded(title: str, name: str) -> str:
    """The string that a property in a title has, without hOCR's escapes."""
    found = re.search(rf'\b{name} "((?:[^"\\]|\\.)*)"', title)
    assert found
    return re.sub(r"\\(.)", r"\1", found[1])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("damaged PNG file -- cut off", None),
        ("--- and -->", None),
        ("]]> & &amp; <![CDATA[ <p> </div>", None),
        ("both \"quotes\" and 'these'; bbox 1 2 3 4 \\", None),
        ("a\x00b\x1b[31m\x85\ufffe\n", r"a\x00b\x1b[31m\x85\ufffe\n"),
        ("no such file: \udcff.png", r"no such file: \xff.png"),
    ],
)
def test_why_a_page_could_not_be_read(error: str, expected: str | None) -> None:
    stream = io.StringIO()
    write_hocr([Page("a.png", "error", error=error), PAGES[0]], stream)
    document = ElementTree.fromstring(stream.getvalue())
    page, after = of_class(document, "ocr_page")
    title = str(page.get("title"))
    assert decoded(title, "x_error") == (expected or error)
    assert title.startswith('image "a.png"; bbox 0 0 0 0; ppageno 0; x_source "a.png" 1; x_error "')
    assert (list(page), "".join(page.itertext()).strip()) == ([], ""), "no program must take it for text of the page"
    assert "x_error" not in str(after.get("title"))


def test_labels_that_xml_forbids_are_replaced() -> None:
    labels = ["\x00", "\x1b", "\ufffe", "\ud800", "\U0001f600", "&", "]]>"]
    characters = tuple(Character(label, 0.5, (0, 0, 9, 9)) for label in labels)
    stream = io.StringIO()
    write_hocr([Page("a.png", "ok", lines=(Line((0, 0, 9, 9), (Word((0, 0, 9, 9), characters),)),))], stream)
    read = [element.text for element in of_class(ElementTree.fromstring(stream.getvalue()), "ocrx_cinfo")]
    assert read == ["\ufffd"] * 4 + labels[4:]


def test_pages_are_written_as_they_come() -> None:
    stream = io.StringIO()

    def pages() -> Iterator[Page]:
        for number, page in enumerate(PAGES):
            assert stream.getvalue().count('class="ocr_page"') == number
            yield page

    write_hocr(pages(), stream)
    assert stream.getvalue().count('class="ocr_page"') == len(PAGES)


def test_no_pages() -> None:
    stream = io.StringIO()
    write_hocr([], stream)
    assert ElementTree.fromstring(stream.getvalue()).tag == f"{XHTML}html"
