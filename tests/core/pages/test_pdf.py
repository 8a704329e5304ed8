"""Pages of PDFs as pictures, and what is said of PDFs that cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emnist_cli.core.errors import ImageError, MissingError
from emnist_cli.core.pages import pdf
from emnist_cli.core.pages.pipeline import read_page
from tests.core.pages.written import page


def write(path: Path, *texts: str, dpi: int = 100) -> bytes:
    """Write a PDF with a page a text."""
    first, *rest = [page([text], cap=40) for text in texts]
    first.save(path, "PDF", save_all=True, append_images=rest, resolution=dpi)
    return path.read_bytes()


def encrypted() -> bytes:
    """A PDF that asks for a password."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
        b"<</Filter/Standard/V 1/R 2/Length 40/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"<</Size 5/Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]>>"
    return out + b"xref\n0 5\n0000000000 65535 f \n%strailer%s\nstartxref\n%d\n%%%%EOF\n" % (table, trailer, len(out))


def test_pages_are_drawn_at_200_dpi(tmp_path: Path) -> None:
    data = write(tmp_path / "two.pdf", "ABC", "12")
    assert pdf.count_pages(data) == pdf.count_pages(str(tmp_path / "two.pdf")) == 2
    for number, text in ((1, "ABC"), (2, "12")):
        drawn, written = pdf.render(data, number), page([text], cap=40)
        assert drawn.mode == "RGB"
        assert drawn.size == pytest.approx((2 * written.width, 2 * written.height), abs=2)
        difference = np.abs(np.asarray(drawn.convert("L").resize(written.size), float) - np.asarray(written, float))
        assert difference.mean() < 5


def test_a_huge_page_is_drawn_smaller() -> None:
    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    document.new_page(14000, 7000)
    import io

    content = io.BytesIO()
    document.save(content)
    document.close()
    drawn = pdf.render(content.getvalue(), 1)
    assert drawn.width * drawn.height <= 24.1e6
    assert drawn.width == pytest.approx(2 * drawn.height, abs=4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.4\nnothing", "damaged PDF file"),
        (encrypted(), "an encrypted PDF; save it without its password first"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=reason):
        pdf.count_pages(content)
    path = tmp_path / "file.pdf"
    path.write_bytes(content)
    result = read_page(path)
    assert (result.status, result.path, result.lines) == ("error", str(path), ())
    assert reason in result.error


def test_a_page_that_is_not_there(tmp_path: Path) -> None:
    data = write(tmp_path / "one.pdf", "A")
    assert "has 1 page. Received: page 2" in read_page(data, page=2).error
    Image.new("L", (50, 50), 255).save(tmp_path / "one.png")
    assert "only a PDF has several pages" in read_page(tmp_path / "one.png", page=2).error


def test_a_pdf_is_told_by_its_content(tmp_path: Path) -> None:
    write(tmp_path / "scan.png", "A")
    assert pdf.is_pdf_file(str(tmp_path / "scan.png"))
    (tmp_path / "text.pdf").write_text("nothing")
    assert not pdf.is_pdf_file(str(tmp_path / "text.pdf"))
    assert not pdf.is_pdf_file(str(tmp_path)), "a folder"
    assert not pdf.is_pdf_file("no\0such"), "no name"


def test_without_pypdfium2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    data = write(tmp_path / "one.pdf", "A")
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(MissingError, match=r"pip install 'emnist-cli\[read\]'"):
        pdf.count_pages(data)
