"""Render the pages of a PDF as images with PDFium; the page pipeline and `run_pages` use it.

pypdfium2 is installed with emnist-cli[read].
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from emnist_cli.core.config import ReadConfig
from emnist_cli.core.errors import ImageError, MissingError

_HEAD = 1024  # bytes within which a PDF says that it is one (ISO 32000-1, annex H, note 13)
_ONE = threading.Lock()  # PDFium is used by one thread at a time


def is_pdf(data: bytes) -> bool:
    """Tell whether the first bytes of a file are those of a PDF."""
    return b"%PDF-" in data[:_HEAD]


def is_pdf_file(path: str) -> bool:
    """Tell whether a path leads to a PDF: only regular files are looked into."""
    try:
        if not Path(path).is_file():
            return False
        with Path(path).open("rb") as file:
            return is_pdf(file.read(_HEAD))
    except (OSError, ValueError):  # reading it will say what is wrong
        return False


def count_pages(source: str | bytes) -> int:
    """Return how many pages a PDF has, at least one.

    Args:
        source: path or content.

    Raises:
        ImageError: it is damaged, encrypted or empty.
        MissingError: pypdfium2 is not installed.
    """
    with _ONE, _opened(source) as document:
        count = len(document)
    if not count:
        raise ImageError("a PDF without pages")
    return count


def render(source: str | bytes, page: int) -> Image.Image:
    """Draw a page, with `ReadConfig.dpi` pixels an inch, fewer on a very large one.

    Args:
        source: path or content.
        page: its number, from 1.

    Returns:
        A picture of mode RGB.

    Raises:
        ImageError: it is damaged, encrypted, or has no such page.
        MissingError: pypdfium2 is not installed.
    """
    with _ONE, _opened(source) as document:
        if not 1 <= page <= len(document):
            count = len(document)
            raise ImageError(f"has {count} page{'s' if count != 1 else ''}. Received: page {page}")
        sheet = document[page - 1]
        width, height = sheet.get_size()  # in points, of which an inch has 72
        most = ReadConfig.megapixels * 1e6 / max(width * height, 1)
        picture: Image.Image = sheet.render(scale=min(ReadConfig.dpi / 72, most**0.5)).to_pil()
        return picture.convert("RGB")


@contextmanager
def _opened(source: str | bytes) -> Iterator[Any]:
    try:
        import pypdfium2  # comes with the extra, and takes a while to import
    except ModuleNotFoundError:
        raise MissingError("PDF files need pypdfium2; run: pip install 'emnist-cli[read]'") from None
    try:
        document = pypdfium2.PdfDocument(source)
        try:
            yield document
        finally:
            document.close()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise ImageError("an encrypted PDF; save it without its password first") from None
        raise ImageError(f"damaged PDF file ({str(error).strip('. ')})") from None
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}") from None
    except (MemoryError, ValueError) as error:
        raise ImageError(f"cannot be drawn ({type(error).__name__}: {error})") from None
