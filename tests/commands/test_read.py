"""`emnist read` as a user runs it: every format, every option, every kind of trouble."""

import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from benchmarks.edits import distance
from emnist_cli import read_page
from tests.conftest import Emnist
from tests.core.pages.written import page
from tests.terminal import run_on_terminal

LINES = ["HARBOUR 2051", "0123456789"]
ROW = "path,status,page,line,word,character,label,confidence,left,top,right,bottom,alternatives,error"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pages, an empty one, a broken file, and a text."""
    pages = tmp_path / "pages"
    pages.mkdir()
    page(LINES).save(pages / "a.png")
    Image.new("L", (300, 200), 255).save(pages / "b.png")
    (pages / "c.png").write_bytes((pages / "a.png").read_bytes()[:200])
    page(["7"]).save(pages / "d.png")
    (pages / "notes.txt").write_text("notes")
    monkeypatch.chdir(tmp_path)
    return pages


def test_the_text_of_a_page(emnist: Emnist, folder: Path) -> None:
    result = emnist("read", "pages/a.png")
    assert (result.code, result.err) == (0, "")
    assert result.out == read_page(folder / "a.png").text + "\n"
    assert distance(result.out, "\n".join(LINES) + "\n") <= 2
    assert emnist("read", "pages/b.png").out == ""


@pytest.mark.slow
def test_the_text_of_several_pages(emnist: Emnist, folder: Path) -> None:
    result = emnist("read", "pages")
    assert result.code == 3
    first = emnist("read", "pages/a.png").out
    assert result.out == (
        f"==> pages/a.png <==\n{first}\n==> pages/b.png <==\n\n==> pages/c.png <==\n\n==> pages/d.png <==\n7\n"
    )
    lines = result.err.splitlines()
    assert lines[0].startswith("emnist: pages/c.png: damaged PNG file")
    assert lines[1] == "emnist: skipped, not a picture by its name: pages/notes.txt"
    assert re.fullmatch(r"emnist: 4 pages in [\d.]+ s: 2 ok, 1 empty, 1 error", lines[2])
    quiet = emnist("read", "pages", "--quiet")
    assert (quiet.out, quiet.err.splitlines()) == (result.out, lines[:1])


def test_json_and_jsonl(emnist: Emnist, folder: Path) -> None:
    paths = [f"pages/{name}.png" for name in "abcd"]
    expected = [read_page(path).as_dict() for path in paths]
    assert json.loads(emnist("read", "pages", "-f", "json").out) == expected
    assert [json.loads(line) for line in emnist("read", "pages", "-f", "jsonl").out.splitlines()] == expected
    assert [p["status"] for p in expected] == ["ok", "empty", "error", "ok"]
    assert expected[2]["error"].startswith("damaged PNG file")
    assert (expected[0]["error"], expected[0]["page"]) == ("", 1)
    assert [line["text"] for line in expected[0]["lines"]] == emnist("read", "pages/a.png").out.splitlines()


def test_csv_has_a_row_a_character(emnist: Emnist, folder: Path) -> None:
    result = emnist("read", "pages", "-f", "csv")
    assert result.out.splitlines()[0] == ROW
    rows = list(csv.DictReader(io.StringIO(result.out)))
    characters = [*read_page("pages/a.png").characters]
    assert len(rows) == len(characters) + 3, "a page without any has one"
    for row, (line, word, number, character) in zip(rows, characters, strict=False):
        assert (row["path"], row["status"], row["page"], row["error"]) == ("pages/a.png", "ok", "1", "")
        assert [int(row[name]) for name in ("line", "word", "character")] == [line, word, number]
        assert [int(row[name]) for name in ("left", "top", "right", "bottom")] == list(character.box)
        assert (row["label"], row["confidence"]) == (character.label, f"{character.confidence:.4f}")
        assert row["alternatives"].split()[0] == f"{character.label}:{character.confidence:.4f}"
    empty, broken = (next(row for row in rows if row["path"] == f"pages/{name}.png") for name in "bc")
    assert (empty["status"], empty["label"], empty["left"], empty["error"]) == ("empty", "", "", "")
    assert broken["error"].startswith("damaged PNG file")


def test_hocr(emnist: Emnist, folder: Path) -> None:
    root = ElementTree.fromstring(emnist("read", "pages", "-f", "hocr").out)
    pages = [e for e in root.iter() if e.get("class") == "ocr_page"]
    assert len(pages) == 4
    lines = [" ".join("".join(e.itertext()).split()) for e in pages[0].iter() if e.get("class") == "ocr_line"]
    assert lines == emnist("read", "pages/a.png").out.splitlines()


@pytest.mark.slow
def test_output_files_choose_the_format(emnist: Emnist, folder: Path, tmp_path: Path) -> None:
    for name, form in (
        ("o.json", "json"), ("o.jsonl", "jsonl"), ("o.csv", "csv"), ("o.hocr", "hocr"), ("o.html", "hocr"),
        ("o.txt", "text"), ("o", "text"),
    ):  # fmt: skip
        result = emnist("read", "pages/a.png", "--output", tmp_path / name)
        assert (result.code, result.out) == (0, "")
        assert f"1 ok; written to {tmp_path / name}" in result.err
        assert (tmp_path / name).read_text() == emnist("read", "pages/a.png", "-f", form).out
    assert emnist("read", "pages/a.png", "-f", "csv", "-o", tmp_path / "o.txt").code == 0
    assert (tmp_path / "o.txt").read_text().startswith(ROW)


def test_stdin(emnist: Emnist, folder: Path) -> None:
    assert emnist("read", "-", stdin=(folder / "d.png").read_bytes()).out == "7\n"
    nothing = emnist("read", "-", "-f", "jsonl", stdin=b"")
    assert (nothing.code, json.loads(nothing.out)["path"]) == (3, "-")
    assert json.loads(nothing.out)["error"] == "empty file (0 bytes)"
    both = emnist("read", "-", "pages/d.png", stdin=(folder / "d.png").read_bytes())
    assert both.out == "==> - <==\n7\n\n==> pages/d.png <==\n7\n"


def test_options_reach_the_reading(emnist: Emnist, folder: Path) -> None:
    digits = emnist("read", "pages/a.png", "--charset", "digits").out
    assert digits.replace("\n", "").replace(" ", "").isdigit()
    (record,) = json.loads(emnist("read", "pages/d.png", "-f", "json", "--top-k", 2).out)
    (character,) = record["lines"][0]["words"][0]["characters"]
    assert len(character["alternatives"]) == 2
    assert emnist("read", "pages/d.png", "--min-confidence", 1).out == "?\n"
    (record,) = json.loads(emnist("read", "pages/d.png", "-f", "json", "--min-confidence", 1).out)
    (character,) = record["lines"][0]["words"][0]["characters"]
    assert (record["lines"][0]["text"], character["label"], character["alternatives"][0]["label"]) == ("?", "", "7")
    page(["six foxes"]).save(folder / "small.png")
    assert emnist("read", folder / "small.png", "--fold-case").out.isupper()


@pytest.mark.slow
def test_expected_words(emnist: Emnist, folder: Path) -> None:
    (folder / "words.txt").write_text("harbour\nbarber\n")
    assert emnist("read", "pages/a.png", "--lexicon", "pages/words.txt").out.startswith("HARBOUR ")
    for name, reason in (("none.txt", "No such file"), ("a.png", "UTF-8")):
        result = emnist("read", "pages/a.png", "pages/d.png", "--lexicon", f"pages/{name}")
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert reason in result.err


@pytest.mark.slow
def test_a_pdf_is_read_page_by_page(emnist: Emnist, folder: Path) -> None:
    page(["738"]).save(folder / "two.pdf", "PDF", save_all=True, append_images=[page(["24"])], resolution=100)
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    result = emnist("read", "pages/two.pdf")
    assert (result.code, result.out) == (0, "==> pages/two.pdf <==\n738\n\n==> pages/two.pdf, page 2 <==\n24\n")
    records = json.loads(emnist("read", "pages/two.pdf", "pages/bad.pdf", "-f", "json").out)
    assert [(r["path"], r["page"], r["status"]) for r in records] == [
        ("pages/two.pdf", 1, "ok"), ("pages/two.pdf", 2, "ok"), ("pages/bad.pdf", 1, "error"),
    ]  # fmt: skip
    names = [record["path"] for record in json.loads(emnist("read", "pages", "-f", "json").out)]
    assert [name for name in names if name.endswith(".pdf")] == ["pages/bad.pdf", "pages/two.pdf", "pages/two.pdf"]
    content = (folder / "two.pdf").read_bytes()
    assert emnist("read", "-", stdin=content).out.splitlines()[1] == "738"


def test_a_pdf_without_pypdfium2(emnist: Emnist, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    page(["7"]).save(folder / "one.pdf", "PDF")
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    result = emnist("read", "pages/one.pdf")
    assert (result.code, result.out) == (6, "")
    assert result.err == "emnist: PDF files need pypdfium2; run: pip install 'emnist-cli[read]'\n"


def test_overlays(emnist: Emnist, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    assert emnist("read", "pages/a.png", "--overlay", "o/one.png").code == 0
    assert emnist("read", "pages/a.png", "--overlay", "o/one.png").code == 0, "an earlier one is replaced"
    result = emnist("read", "pages", "--overlay", "o/all.jpg")
    assert result.code == 3
    assert "2 ok, 1 empty, 1 error, overlays: 3" in result.err
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == ["all-1.jpg", "all-2.jpg", "all-4.jpg", "one.png"]
    with Image.open(tmp_path / "o" / "all-1.jpg") as drawn:
        assert drawn.format == "JPEG"


def test_overlays_in_a_folder(emnist: Emnist, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "more").mkdir()
    page(["7"]).save(tmp_path / "more" / "a.png")
    page(["7"]).save(tmp_path / "two.pdf", "PDF", save_all=True, append_images=[page(["8"])])
    assert emnist("read", "pages/a.png", "more", "two.pdf", "--overlay", "o").code == 0
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == ["a-2.png", "a.png", "two-2.png", "two.png"]


@pytest.mark.parametrize("pages", [["pages/a.png"], ["pages/a.png", "pages/d.png"]])
def test_a_folder_for_overlays_is_created(emnist: Emnist, folder: Path, tmp_path: Path, pages: list[str]) -> None:
    assert emnist("read", *pages, "--overlay", "new/deep/").code == 0
    assert {p.name for p in (tmp_path / "new" / "deep").iterdir()} == {Path(path).name for path in pages}


def test_a_folder_for_overlays_is_not_created_for_nothing(emnist: Emnist, folder: Path, tmp_path: Path) -> None:
    assert emnist("read", "pages/c.png", "--overlay", "new/").code == 3
    assert emnist("read", "pages/a.png", "--overlay", "new/", "--model", "startr").code == 4
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["read"], 2, "Missing argument 'PAGE...'"),
        (["read", "x", "--format", "table"], 2, "table"),
        (["read", "x", "--top-k", "0"], 2, "top-k"),
        (["read", "x", "--charset", "é"], 2, "--charset: expected digits"),
        (["read", "x", "--model", "startr"], 4, "did you mean starter?"),
        (["read", "x", "--output", "no/such/folder.csv"], 2, "existing folder"),
        (["read", "x", "--overlay", "x.txt"], 2, "--overlay: expected an existing folder, a name that ends with /"),
        (["read", "x", "--overlay", "no/such.png"], 2, "--overlay: expected a file in a folder"),
        (["read", "x", "--overlay", "pages/a.png/"], 2, "--overlay: expected a folder that can be written"),
        (["read", "pages", "--overlay", "pages/o.png"], 2, "reads it as a page"),
        (["read", "pages/a.png", "--overlay", "pages/d.png"], 2, "something else"),
        (["read", "pages/a.png", "--output", "pages/d.png"], 2, "would be lost"),
    ],
)
def test_mistakes_are_one_line_with_their_code(
    emnist: Emnist, folder: Path, args: list[str], code: int, message: str
) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    result = emnist(*args)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert result.err.startswith("emnist: ")
    assert result.err.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_missing_path_is_a_row(emnist: Emnist) -> None:
    result = emnist("read", "nowhere.png", "-f", "csv")
    assert (result.code, result.out) == (3, f"{ROW}\nnowhere.png,error,1,,,,,,,,,,,no such file or folder\n")


@pytest.mark.slow
def test_a_bar_on_a_terminal_only_where_results_go_to_a_file(folder: Path) -> None:
    code, shown = run_on_terminal(80, "read", "pages", "-o", "o.txt")
    assert code == 3
    assert "reading pages" in shown
    code, shown = run_on_terminal(80, "read", "pages")
    assert code == 3
    assert "reading pages" not in shown


@pytest.mark.slow
@pytest.mark.shared
def test_real_pages(emnist: Emnist, data: Path) -> None:
    """Photographs of alphabets and of a text: every line found, and nearly every character read."""
    truth = json.loads((data / "pages" / "transcripts.json").read_text())
    wrong = total = 0
    for record in json.loads(emnist("read", data / "pages", "-f", "json").out):
        lines = truth[Path(record["path"]).name]
        assert len(record["lines"]) == len(lines)
        read = "".join(c for line in record["lines"] for c in line["text"].upper() if c.isalnum())
        expected = "".join(c for line in lines for c in line.upper() if c.isalnum())
        wrong, total = wrong + distance(read, expected), total + len(expected)
    assert wrong / total < 0.06
