"""Write pages as hOCR, HTML that carries the text and its positions to other programs; `emnist read` uses it.

The format is described in Breuel, "The hOCR Microformat for OCR Workflow and Results", ICDAR 2007, and in the hOCR
1.2 specification. The output is also well-formed XHTML. Standard library only, as is `output.formats`.
"""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

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


def write_hocr(pages: Iterable[Page], stream: TextIO) -> None:
    """Write pages as they come. One that could not be read has no content, and a comment that says why.

    Args:
        pages: in order; each becomes an `ocr_page`.
        stream: where to, in UTF-8.
    """
    stream.write(_HEAD)
    numbers = {name: count(1) for name in ("block", "par", "line", "word")}
    for i, page in enumerate(pages):
        for text in _page(page, i, numbers):
            stream.write(text + "\n")
    stream.write(_FOOT)


def _page(page: Page, index: int, numbers: "dict[str, count[int]]") -> Iterator[str]:
    name = one_line(page.path).replace("\\", "\\\\").replace('"', '\\"')
    box = f"bbox 0 0 {page.width} {page.height}"
    title = f'image "{name}"; {box}; ppageno {index}; x_source "{name}" {page.page}'
    yield f'  <div class="ocr_page" id="page_{index + 1}" title={quoteattr(title)}>'
    if page.error:
        yield f"   <!-- {one_line(page.error).replace('--', '- -')} -->"
    for group in page.paragraphs:
        around = _title(_around(group))
        yield f'   <div class="ocr_carea" id="block_{next(numbers["block"])}" {around}>'
        yield f'    <p class="ocr_par" id="par_{next(numbers["par"])}" {around}>'
        for line in group:
            yield f'     <span class="ocr_line" id="line_{next(numbers["line"])}" {_title(line.box)}>'
            yield from (_word(word, next(numbers["word"])) for word in line.words)
            yield "     </span>"
        yield "    </p>"
        yield "   </div>"
    yield "  </div>"


def _word(word: Word, number: int) -> str:
    inner = "".join(_character(character) for character in word.characters)
    title = _title(word.box, f"x_wconf {word.confidence * 100:.0f}")
    return f'      <span class="ocrx_word" id="word_{number}" {title}>{inner}</span>'


def _character(character: Character) -> str:
    x_bboxes = " ".join(map(str, character.box))
    title = _title(character.box, f"x_bboxes {x_bboxes}; x_conf {character.confidence * 100:.2f}")
    return f'<span class="ocrx_cinfo" {title}>{escape(character.label or UNSURE)}</span>'


def _title(box: Box, more: str = "") -> str:
    return f'title="bbox {" ".join(map(str, box))}{"; " + more if more else ""}"'


def _around(lines: list[Line]) -> Box:
    lefts, tops, rights, bottoms = zip(*(line.box for line in lines), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
