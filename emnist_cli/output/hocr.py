"""Write pages as hOCR, HTML that carries the text and its positions to other programs; `emnist read` uses it.

The format is described in Breuel, "The hOCR Microformat for OCR Workflow and Results", ICDAR 2007, and in the hOCR
1.2 specification. The output is also well-formed XHTML. Standard library only, as is `output.formats`.
"""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from emnist_cli import __version__
from emnist_cli.core.page_records import UNSURE, Box, Character, Line, Page, Word
from emnist_cli.output.formats import one_line

_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title></title>
  <meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
  <meta name="ocr-system" content="emnist-cli {__version__}"/>
  <meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrx_cinfo"/>
 </head>
 <body>
"""
_FOOT = " </body>\n</html>\n"

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
_REPLACEMENT = "\ufffd"


def write_hocr(pages: Iterable[Page], stream: TextIO) -> None:
    """Write pages as they come. One that could not be read has no content; `x_error` in its title says why.

    Args:
        pages: in order; each becomes an `ocr_page`.
        stream: where to, in UTF-8.
    """
    stream.write(_HEAD)
    writer = _HocrWriter()
    for page in pages:
        stream.write(writer.page(page))
    stream.write(_FOOT)


class _HocrWriter:
    """Turns pages into elements with an XML library, which escapes texts and attributes.

    The elements of all pages are numbered in one sequence for each class.
    """

    def __init__(self) -> None:
        self._buffer = io.StringIO()
        self._xml = XMLGenerator(self._buffer, "UTF-8")
        self._numbers: Counter[str] = Counter()
        self._depth = 2

    def page(self, page: Page) -> str:
        """Return the `ocr_page` of one page."""
        with self._block("div", "ocr_page", "page", _page_title(page, self._numbers["page"])):
            for group in page.paragraphs:
                self._write_paragraph(group)
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text

    def _write_paragraph(self, lines: list[Line]) -> None:
        title = _title(_around(lines))
        with self._block("div", "ocr_carea", "block", title), self._block("p", "ocr_par", "par", title):
            for line in lines:
                with self._block("span", "ocr_line", "line", _title(line.box)):
                    for word in line.words:
                        self._write_word(word)

    def _write_word(self, word: Word) -> None:
        self._xml.ignorableWhitespace(" " * self._depth)
        self._open("span", "ocrx_word", _title(word.box, f"x_wconf {word.confidence * 100:.0f}"), "word")
        for character in word.characters:
            self._open("span", "ocrx_cinfo", _character_title(character))
            self._xml.characters(_NOT_IN_XML.sub(_REPLACEMENT, character.label or UNSURE))
            self._xml.endElement("span")
        self._close("span")

    @contextmanager
    def _block(self, tag: str, kind: str, name: str, title: str) -> Iterator[None]:
        """Write an element whose content is on lines of its own."""
        self._xml.ignorableWhitespace(" " * self._depth)
        self._open(tag, kind, title, name)
        self._xml.ignorableWhitespace("\n")
        self._depth += 1
        yield
        self._depth -= 1
        self._xml.ignorableWhitespace(" " * self._depth)
        self._close(tag)

    def _open(self, tag: str, kind: str, title: str, name: str = "") -> None:
        """Start an element; one that has a name gets a numbered id."""
        attributes = {"class": kind}
        if name:
            self._numbers[name] += 1
            attributes["id"] = f"{name}_{self._numbers[name]}"
        self._xml.startElement(tag, AttributesImpl(attributes | {"title": title}))

    def _close(self, tag: str) -> None:
        self._xml.endElement(tag)
        self._xml.ignorableWhitespace("\n")


def _page_title(page: Page, index: int) -> str:
    name = _quoted(page.path)
    title = f"image {name}; bbox 0 0 {page.width} {page.height}; ppageno {index}; x_source {name} {page.page}"
    return f"{title}; x_error {_quoted(page.error)}" if page.error else title


def _character_title(character: Character) -> str:
    x_bboxes = " ".join(map(str, character.box))
    return _title(character.box, f"x_bboxes {x_bboxes}; x_conf {character.confidence * 100:.2f}")


def _title(box: Box, more: str = "") -> str:
    return f"bbox {' '.join(map(str, box))}{'; ' + more if more else ''}"


def _quoted(text: str) -> str:
    """Return text as a quoted string of an hOCR title, with control characters as escapes."""
    return '"' + one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _around(lines: list[Line]) -> Box:
    lefts, tops, rights, bottoms = zip(*(line.box for line in lines), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
