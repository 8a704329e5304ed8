"""Pictures given to the page: chosen, dropped or pasted, one or many; the table and its CSV."""

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, expect

from emnist_cli.core.config import ServeConfig
from tests.conftest import REPOSITORY, Emnist
from tests.handwriting import characters, picture
from tests.web.browser import Open, Pad, thin
from tests.web.proxy import Proxy

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.*"))


def give(pad: Pad, *paths: Path) -> None:
    """Choose files with the button, as a person does."""
    with pad.page.expect_file_chooser() as chosen:
        pad.page.get_by_role("button", name="Choose pictures").click()
    chosen.value.set_files(paths)


def drop(pad: Pad, *paths: Path) -> None:
    """Drag files from outside and let them fall on the page."""
    mouse = pad.page.context.new_cdp_session(pad.page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        mouse.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 400, "data": data})
        if kind == "dragOver":
            expect(pad.page.locator("body")).to_have_class("dropping")


def rows(pad: Pad) -> list[list[str]]:
    """Wait for the end and return the table: file, answer, confidence, alternatives or why there is none."""
    expect(pad.page.locator("#batch")).to_have_attribute("aria-busy", "false", timeout=20_000)
    found: list[list[str]] = pad.page.evaluate(
        "[...document.querySelectorAll('#rows tr')].map((row) => [...row.cells].slice(1).map((c) => c.textContent))"
    )
    return found


def download(pad: Pad) -> str:
    with pad.page.expect_download() as saved:
        pad.page.get_by_role("button", name="Download CSV").click()
    assert saved.value.suggested_filename == "predictions.csv"
    return Path(saved.value.path()).read_bytes().decode()


def save(path: Path, character: str) -> Path:
    picture(character, size=(120, 120)).save(path, "PNG")
    return path


@pytest.mark.slow
def test_one_picture_takes_the_drawings_place(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    pad.draw(thin(characters()["R"][0], 8))
    assert pad.answer().glyph == "R"
    photo = REPOSITORY / "examples" / "blue-ink-A.jpg"
    give(pad, photo)
    assert (pad.answer().glyph, pad.answer().kind) == ("A", "Upper case")
    assert proxy.exchanges[-1].files() == [photo.read_bytes()], "the file goes as it is"
    assert proxy.exchanges[-1].options()["ink"] == "auto"
    preview = pad.page.get_by_role("img", name="The picture blue-ink-A.jpg")
    expect(preview).to_be_visible()
    assert preview.evaluate("(image) => image.naturalWidth") == 480
    expect(pad.page.locator("#canvas-help")).to_have_text("blue-ink-A.jpg")
    expect(pad.page.locator("#batch")).to_be_hidden()
    pad.page.get_by_role("button", name="Undo").click()
    assert pad.answer().glyph == "R", "the drawing is back"
    expect(preview).to_be_hidden()
    give(pad, photo)
    assert pad.answer().glyph == "A", "the same file can be chosen again"
    pad.line(0.5, 0.2, 0.5, 0.8)
    assert pad.answer().glyph in "1Il", "who draws begins a new drawing"
    expect(preview).to_be_hidden()


@pytest.mark.slow
def test_what_the_browser_cannot_show_is_read(pad: Pad) -> None:
    give(pad, REPOSITORY / "examples" / "scan-5.tiff")
    assert pad.answer().glyph == "5"
    expect(pad.page.get_by_text("Your browser cannot show")).to_be_visible()
    pad.page.keyboard.press("Escape")
    expect(pad.page.get_by_text("Your browser cannot show")).to_be_hidden()


def test_empty_and_broken_pictures(pad: Pad, tmp_path: Path) -> None:
    Image.new("L", (90, 90), 255).save(tmp_path / "blank.png")
    give(pad, tmp_path / "blank.png")
    shown = pad.answer()
    assert (shown.status, shown.kind, shown.words, shown.labels) == ("empty", "Empty", "There is no ink in it.", [])
    expect(pad.page.locator("#seen")).to_be_hidden()
    assert not pad.console
    (tmp_path / "broken.png").write_bytes((REPOSITORY / "examples" / "chalk-R.png").read_bytes()[:400])
    give(pad, tmp_path / "broken.png")
    shown = pad.answer()
    assert (shown.status, shown.kind) == ("error", "Cannot be read")
    assert len(shown.words) > 10
    assert all("422" in text for text in pad.console)
    pad.console.clear()


def test_several_pictures_give_the_rows_of_the_command(
    pad: Pad, emnist: Emnist, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in [*EXAMPLES, REPOSITORY / "README.md"]:
        shutil.copy(path, tmp_path)
    Image.new("L", (90, 90), 255).save("zero.png")
    names = sorted(path.name for path in tmp_path.iterdir())
    give(pad, *(tmp_path / name for name in names))
    expect(pad.page.locator("#batch-words")).to_have_text("8 pictures: 6 read, 1 empty, 1 cannot be read.")
    table = rows(pad)
    assert pad.page.evaluate("document.activeElement.id") == "batch-title"
    expected = emnist("predict", *names, "--top-k", 5, "-f", "csv").out
    assert download(pad) == expected
    commanded = list(csv.DictReader(io.StringIO(expected)))
    assert [row[0] for row in table] == [row["path"] for row in commanded]
    assert [row[1].split()[0] for row in table] == [row["label"] or "\u2013" for row in commanded]
    assert table[names.index("README.md")][3].startswith("Not a picture")
    assert pad.page.locator("#rows img").count() == 6, "what the model saw of each that has ink"
    assert pad.spoken() == ["8 pictures: 6 read, 1 empty, 1 cannot be read."]


def test_options_hold_for_the_table_too(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    give(pad, *EXAMPLES)
    assert [row[1] for row in rows(pad)][:2] == ["A Upper case", "b Lower case"]
    pad.page.get_by_label("Characters", exact=True).select_option("digits")
    expect(pad.page.locator("#rows tr").first).not_to_contain_text("case")
    assert all(row[1].endswith("Digit") for row in rows(pad))
    assert len(proxy.exchanges) == 2
    assert proxy.exchanges[0].files() == proxy.exchanges[1].files()


@pytest.mark.slow
def test_many_pictures_go_in_parts(open_pad: Open, proxy: Proxy, tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{i:02}-{character}.png", character) for i, character in enumerate("AEMR58" * 12)]
    pad = open_pad(proxy.url)
    proxy.held += [0, 0.5]
    give(pad, *paths)
    expect(pad.page.locator("#batch-words")).to_have_text("32 of 72 read")
    expect(pad.page.get_by_role("progressbar")).to_have_js_property("value", 32)
    found = rows(pad)
    assert [row[0] for row in found] == [path.name for path in paths]
    assert [row[1][0] for row in found].count("5") == 12
    assert [len(exchange.files()) for exchange in proxy.exchanges] == [32, 32, 8]
    expect(pad.page.get_by_role("progressbar")).to_be_hidden()
    assert len(list(csv.DictReader(io.StringIO(download(pad))))) == 72


def test_large_files_go_in_smaller_parts_or_not_at_all(open_pad: Open, proxy: Proxy, tmp_path: Path) -> None:
    content = (REPOSITORY / "examples" / "chalk-R.png").read_bytes()
    for name, size in (("a", 4_000_000), ("b", 4_000_000), ("c", 4_000_000), ("d", 10_000_000)):
        (tmp_path / f"{name}.png").write_bytes(content.ljust(size, b"\0"))
    pad = open_pad(proxy.url)
    give(pad, *sorted(tmp_path.iterdir()))
    assert [row[1] for row in rows(pad)] == ["R Upper case"] * 3 + ["\u2013 Cannot be read"]
    assert rows(pad)[3][3] == "Larger than 9.9 MB."
    assert [len(exchange.files()) for exchange in proxy.exchanges] == [2, 1]


def test_the_page_asks_no_more_than_the_server_takes(pad: Pad) -> None:
    limits = pad.page.evaluate("async () => (await import('/api.js')).limits")
    server = ServeConfig()
    assert limits["files"] <= server.max_files
    assert 0.95 < limits["bytes"] / (server.max_megabytes * 1_000_000) < 1, "the form itself takes some, too"


def test_a_part_that_is_too_much_is_halved(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    proxy.refusals += [(413, {}), (413, {})]
    give(pad, *EXAMPLES)
    assert [row[1][0] for row in rows(pad)] == ["A", "b", "R", "7", "5", "e"]
    assert [len(exchange.files()) for exchange in proxy.exchanges] == [6, 3, 2, 1, 3]
    pad.console.clear()


def test_stop(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    proxy.held += [0, 20]
    give(pad, *EXAMPLES * 6)
    expect(pad.page.locator("#batch-words")).to_have_text("32 of 36 read")
    pad.page.get_by_role("button", name="Stop").click()
    assert len(rows(pad)) == 32
    expect(pad.page.locator("#batch-words")).to_have_text("Stopped after 32 of 36.")
    assert len(list(csv.DictReader(io.StringIO(download(pad))))) == 32


HOSTILE = {
    "<img src=x onerror=alert(1)>.png": "<img src=x onerror=alert(1)>.png",
    '=HYPERLINK("http:x","y").png': './=HYPERLINK("http:x","y").png',
    "@SUM(1).png": "./@SUM(1).png",
    "+1.png": "./+1.png",
    "-1.png": "./-1.png",
    "a;=1+1.png": "a;=1+1.png",
    "\u00fc, \u4e2d.png": "\u00fc, \u4e2d.png",
    "&amp;<b>.png": "&amp;<b>.png",
    "two\nlines.png": "two\nlines.png",
    "\ttab.png": "./\ttab.png",
}
"""Names of files, and how the CSV has them."""


@pytest.mark.slow
def test_hostile_file_names(pad: Pad) -> None:
    dialogs: list[str] = []
    pad.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    content = (REPOSITORY / "examples" / "canvas-b.png").read_bytes()
    given: list[FilePayload] = [{"name": name, "mimeType": "image/png", "buffer": content} for name in HOSTILE]
    pad.page.set_input_files("#files", given)
    assert [row[0] for row in rows(pad)] == list(HOSTILE)
    text = download(pad)
    assert [row["path"] for row in csv.DictReader(io.StringIO(text))] == list(HOSTILE.values())
    assert '\n"a;=1+1.png",' in text, "quoted, where a semicolon separates cells, too"
    for file in given:
        pad.page.set_input_files("#files", [file])
        assert pad.answer().glyph == "b"
        assert pad.page.locator("#canvas-help").text_content() == file["name"]
    assert pad.page.locator("#rows img:not([src^='data:image/png']), main b b, #canvas-help *").count() == 0
    assert dialogs == []


CELLS = {
    "=": "'=",
    "-": "'-",
    "+": "'+",
    "@": "'@",
    "=1+1": "'=1+1",
    "-1+1": "'-1+1",
    "-2e": "'-2e",
    "\t5": "'\t5",
    "A": "A",
    "a-b": "a-b",
    "5": "5",
    "-5": "-5",
    "+3.2": "+3.2",
    "-.5": "-.5",
    "-1e3": "-1e3",
}
"""Labels, and how the page's CSV has them."""


def test_no_cell_of_the_download_is_a_formula_and_numbers_stay(pad: Pad) -> None:
    answers = [
        {
            "path": label,
            "status": "ok",
            "label": label,
            "confidence": 0.9,
            "alternatives": [{"label": label, "confidence": 0.9}],
            "error": label,
        }
        for label in CELLS
    ]
    text = pad.page.evaluate("async (answers) => (await import('/batch.js')).toCsv(answers)", answers)
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["label"] for row in table] == [row["error"] for row in table] == list(CELLS.values())
    assert [row["path"] for row in table] == [cell.replace("'", "./") for cell in CELLS.values()]
    assert [row["alternatives"] for row in table] == [
        ("'" if label[0] in "=+-@\t" else "") + f"{label}:0.9000" for label in CELLS
    ]


def test_dropping(pad: Pad) -> None:
    drop(pad, EXAMPLES[0])
    assert pad.answer().glyph == "A"
    expect(pad.page.locator("body")).not_to_have_class("dropping")
    drop(pad, *EXAMPLES)
    assert len(rows(pad)) == len(EXAMPLES)


def test_a_dropped_folder_is_explained(open_pad: Open, proxy: Proxy, tmp_path: Path) -> None:
    pad = open_pad(proxy.url)
    drop(pad, tmp_path, EXAMPLES[0])
    found = {row[0]: row for row in rows(pad)}
    assert found[EXAMPLES[0].name][1] == "A Upper case"
    assert "a folder" in found[tmp_path.name][3]


def test_pasting(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url, permissions=["clipboard-read", "clipboard-write"])
    stream = io.BytesIO()
    picture("K", 1).save(stream, "PNG")
    pad.page.evaluate(
        """(bytes) => navigator.clipboard.write([new ClipboardItem({
             "image/png": new Blob([new Uint8Array(bytes)], { type: "image/png" }) })])""",
        list(stream.getvalue()),
    )
    pad.page.keyboard.press("Control+v")
    assert pad.answer().glyph == "K"
    (pasted,) = proxy.exchanges[-1].files()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(pasted)).convert("L")), np.asarray(picture("K", 1)))
    pad.page.get_by_label("Characters", exact=True).select_option("custom")
    pad.page.evaluate("navigator.clipboard.writeText('A-F')")
    pad.page.get_by_label("Allowed characters").focus()
    pad.page.keyboard.press("Control+v")
    expect(pad.page.get_by_label("Allowed characters")).to_have_value("A-F")
    assert pad.answer().glyph in "ABCDEF"
