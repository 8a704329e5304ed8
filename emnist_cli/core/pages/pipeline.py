"""Read one page: open it, find characters, decide them in context, and return the text; `run_pages` uses it.

The Python API uses it, too.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from emnist_cli.core.classify.options import check_range
from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import EmnistError, ImageError, UsageError
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.imaging import decode, grayscale
from emnist_cli.core.imaging.inputs import ImageSource, name_of_input
from emnist_cli.core.page_records import Box, Character, Line, Page, Word
from emnist_cli.core.pages import pdf
from emnist_cli.core.pages.char_boxes import Layout
from emnist_cli.core.pages.context import read_in_context
from emnist_cli.core.pages.lexicon import Lexicon, Listed
from emnist_cli.core.pages.segment import segment
from emnist_cli.core.records import Alternative


class PageImage(NamedTuple):
    """A page as it was opened.

    Attributes:
        shade: upright, 0 black; uint8 (h, w) in [0, 255] or float32 (h, w) in [0, 1].
        picture: the same for people, of mode L or RGB; None where nobody wants to see it.
        note: what the reader should know about how it was opened; usually "".
    """

    shade: NDArray[np.uint8] | NDArray[np.float32]
    picture: Image.Image | None
    note: str = ""


class ReadOptions(NamedTuple):
    """How what was found is written down; as for `read_page`."""

    top_k: int = PredictConfig.top_k
    min_confidence: float = PredictConfig.min_confidence
    lexicon: Lexicon | None = None

    def check(self) -> None:
        """Raise UsageError for what makes no sense."""
        check_range("top_k", self.top_k, 1, 1000)
        if not 0 <= self.min_confidence <= 1:
            raise UsageError(f"min_confidence: expected a number in 0..1. Received: {self.min_confidence!r}")


def read_page(
    source: ImageSource,
    recognizer: Recognizer | None = None,
    *,
    page: int = 1,
    top_k: int = PredictConfig.top_k,
    min_confidence: float = PredictConfig.min_confidence,
    lexicon: Lexicon | None = None,
) -> Page:
    """Read a page of separate, hand-printed characters: a photograph or scan of text, a form, a table.

    Args:
        source: a path, a file's content, an open picture or an array; or a PDF as a path or content.
        recognizer: answers for single characters; None for one of the default model.
        page: of a PDF, from 1.
        top_k: how many alternatives each character names.
        min_confidence: in [0, 1]; a less probable character gets no label.
        lexicon: words that are expected; None for any.

    Returns:
        The page. One that cannot be read has status "error".

    Raises:
        MissingError: a PDF, and pypdfium2 is not installed.
        UsageError: an argument that makes no sense.
    """
    how = ReadOptions(top_k, min_confidence, lexicon)
    how.check()
    try:
        seen = open_page(source, page)
    except ImageError as error:
        return Page(name_of_input(source), "error", page, error=str(error))
    return read_image(seen, recognizer or Recognizer(), how, name_of_input(source), page)


def open_page(source: ImageSource, page: int = 1, keep_picture: bool = False) -> PageImage:
    """Open a page.

    Args:
        source: as for `read_page`.
        page: of a PDF, from 1.
        keep_picture: to draw on.

    Raises:
        ImageError: it cannot be read; the text says why.
        MissingError: a PDF, and pypdfium2 is not installed.
    """
    try:
        return _open(source, page, keep_picture)
    except MemoryError:
        raise ImageError("not enough memory to read it") from None


def read_image(seen: PageImage, recognizer: Recognizer, how: ReadOptions, path: str, page: int) -> Page:
    """Read a page that is open; `path` and `page` say which it is."""
    try:
        layout = segment(seen.shade, recognizer)
        lines = _write(layout, recognizer.labels, how)
    except MemoryError:
        return Page(path, "error", page, error="not enough memory to read it", note=seen.note)
    except EmnistError:
        raise
    except Exception as error:
        text = f"cannot be read ({type(error).__name__}: {error}); please report it"
        return Page(path, "error", page, error=text, note=seen.note)
    height, width = seen.shade.shape
    return Page(path, "ok" if lines else "empty", page, width, height, lines, note=seen.note)


def _open(source: ImageSource, page: int, keep_picture: bool) -> PageImage:
    if isinstance(source, ImageRef):
        if source.problem:
            raise source.problem
        source = source.path if source.data is None else source.data
    if isinstance(source, str | os.PathLike):
        path = os.fsdecode(source)
        source = path if pdf.is_pdf_file(path) else decode.read_bytes(path)
    if isinstance(source, str) or (isinstance(source, bytes) and pdf.is_pdf(source)):
        source = pdf.render(source, page)
    elif page != 1:
        raise ImageError(f"only a PDF has several pages here. Received: page {page}")
    if isinstance(source, bytes):
        with decode.opened(source, max_side=None) as (image, note):
            return _see(image, note, keep_picture)
    if isinstance(source, Image.Image):
        return _see(source, "", keep_picture)
    shade = grayscale.from_array(np.asarray(source), max_side=None).gray
    return PageImage(shade, _drawable(shade) if keep_picture else None)


def _see(image: Image.Image, note: str, keep_picture: bool) -> PageImage:
    shade = grayscale.from_image(image, max_side=None).gray
    if not keep_picture:
        return PageImage(shade, None, note)
    return PageImage(shade, ImageOps.exif_transpose(image) if image.mode == "RGB" else _drawable(shade), note)


def _drawable(shade: NDArray[np.uint8] | NDArray[np.float32]) -> Image.Image:
    return Image.fromarray(shade if shade.dtype == np.uint8 else (shade * 255).astype(np.uint8))


def _write(layout: Layout, labels: Sequence[str], how: ReadOptions) -> tuple[Line, ...]:
    """Decide what each character is, and write that down."""
    lines = []
    for line, decided in zip(layout.lines, read_in_context(layout, labels), strict=True):
        words = []
        for word, rows in zip(line.words, decided, strict=True):
            boxes = [_box(glyph.box) for glyph in word]
            listed = how.lexicon.find(rows, labels) if how.lexicon else None
            if listed is None:
                listed = [Listed(i, int(row.argmax()), row) for i, row in enumerate(rows)]
            places = _places(listed, boxes)
            pairs = zip(listed, places, strict=True)
            characters = tuple(_character(item, box, labels, how) for item, box in pairs)
            words.append(Word(_around(boxes), characters))
        lines.append(Line(_box(line.box), tuple(words)))
    return tuple(lines)


def _places(listed: Sequence[Listed], boxes: Sequence[Box]) -> list[Box]:
    """Where each character of a word is; one that was not found is between its neighbours."""
    word, places = _around(boxes), []
    for i, item in enumerate(listed):
        if item.glyph is not None:
            places.append(boxes[item.glyph])
            continue
        before, after = (listed[k].glyph if 0 <= k < len(listed) else None for k in (i - 1, i + 1))
        left = word[0] if before is None else boxes[before][2]
        right = word[2] if after is None else boxes[after][0]
        places.append((min(left, right), word[1], max(left, right), word[3]))
    return places


def _character(item: Listed, box: Box, labels: Sequence[str], how: ReadOptions) -> Character:
    order = np.argsort(-item.probabilities, kind="stable")[: how.top_k].tolist()
    order = [item.label, *(i for i in order if i != item.label)][: how.top_k]
    alternatives = tuple(Alternative(labels[i], round(float(item.probabilities[i]), 4)) for i in order)
    confidence = alternatives[0].confidence
    label = labels[item.label] if confidence >= how.min_confidence else ""
    return Character(label, confidence, box, alternatives)


def _box(box: Sequence[int]) -> Box:
    left, top, right, bottom = map(int, box)
    return left, top, right, bottom


def _around(boxes: Sequence[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
