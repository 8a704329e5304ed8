"""An exported page in a real browser, on a static host, with the real runtime."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from emnist_cli.core import bundle
from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.web.site import PACKAGE, VERSION, export_site
from tests.conftest import REPOSITORY
from tests.handwriting import characters
from tests.web.browser import Open, Pad, near, open_page, thin
from tests.web.hosting import hosted
from tests.web.test_page_files import download, give, rows

pytestmark = pytest.mark.slow

LEGIBLE = "38AEGKRbdegt"  # of the first donor: none that looks like another character


@pytest.fixture(scope="module")
def runtime() -> Path:
    """The real runtime."""
    if folder := os.environ.get("EMNIST_WEB_RUNTIME"):
        return Path(folder)
    reason = f"no JavaScript runtime: npm install {PACKAGE}@{VERSION}, and set EMNIST_WEB_RUNTIME to the folder"
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture(scope="module")
def exported(runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an exported page some folders below."""
    root = tmp_path_factory.mktemp("host")
    export_site(bundle.find_bundle(), root / "deep" / "below" / "page", runtime)
    return root


@pytest.fixture(scope="module")
def address(exported: Path) -> Iterator[str]:
    with hosted(exported) as root:
        yield f"{root}deep/below/page/"


def sheet(pad: Pad) -> bytes:
    """The picture that the page makes of a drawing: what is on the screen, with paper around it."""
    drawn = pad.pixels()
    edge = int(len(drawn) * 0.1 + 0.5)
    stream = io.BytesIO()
    Image.fromarray(np.pad(drawn, edge, constant_values=255)).save(stream, "PNG")
    return stream.getvalue()


def test_drawings_are_read_as_by_the_command(open_pad: Open, address: str) -> None:
    knowing = Recognizer(top_k=5, ink="dark")
    pad = open_pad(address)
    for character in LEGIBLE:
        pad.page.keyboard.press("Escape")
        pad.draw(thin(characters()[character][0], 8))
        shown, expected = pad.answer(), knowing.predict(sheet(pad))
        assert (shown.status, shown.glyph) == ("ok", expected.label)
        for label, percent, answer in zip(shown.labels, shown.percents, expected.alternatives, strict=True):
            assert answer.confidence < 0.01 or (label == answer.label and near_enough(percent, answer.confidence))
    assert all(url.startswith((address, "data:", "blob:")) for url in pad.asked)
    assert pad.page.locator("#seen").evaluate("(image) => image.naturalWidth") == 28
    expect(pad.page.get_by_text("None leaves it")).to_be_visible()
    expect(pad.page.locator("#documentation")).to_be_hidden()


def near_enough(percent: str, confidence: float) -> bool:
    """Whether a text stands for a confidence, or one that another processor's rounding makes of it."""
    return any(near(percent, confidence + by) for by in (0, 0.002, -0.002))


def test_files_are_read_as_by_the_command(open_pad: Open, address: str, tmp_path: Path) -> None:
    knowing = Recognizer(top_k=5)
    paths = sorted(REPOSITORY.glob("examples/*.[jp][pn]g"))
    Image.new("L", (90, 90), 255).save(tmp_path / "blank.png")
    pad = open_pad(address)
    give(pad, *paths, tmp_path / "blank.png", REPOSITORY / "examples" / "scan-5.tiff")
    table = rows(pad)
    assert [row[1][0] for row in table[: len(paths)]] == [knowing.predict(path).label for path in paths]
    assert table[-2][1].endswith("Empty")
    assert "a TIFF picture" in table[-1][3]
    records = download(pad).splitlines()
    assert records[0] == "path,status,label,confidence,alternatives,error"
    assert len(records) == len(table) + 1
    give(pad, paths[0])
    assert pad.answer().glyph == "A"


def test_options(open_pad: Open, address: str) -> None:
    pad = open_pad(address)
    choose, custom = pad.page.get_by_label("Characters", exact=True), pad.page.get_by_label("Allowed characters")
    pad.draw(thin(characters()["O"][1], 8))
    for charset, glyph in (("digits", "0"), ("upper", "O"), ("lower", "o")):
        choose.select_option(charset)
        assert pad.answer().glyph == glyph
    choose.select_option("custom")
    custom.fill("F-A")
    assert "runs backwards" in pad.answer().words
    custom.fill("A-CO")
    assert sorted(pad.answer().labels) == ["A", "B", "C", "O"]
    choose.select_option("letters")
    pad.page.get_by_label("Count both cases").check()
    assert (pad.answer().glyph, pad.answer().kind) == ("O", "Either case")


def test_once_loaded_it_needs_nobody(browser: Browser, address: str) -> None:
    pad = open_page(browser, address)
    pad.line(0.5, 0.2, 0.5, 0.8)
    assert pad.answer().glyph in "1Il"
    pad.page.context.set_offline(True)
    pad.page.keyboard.press("Escape")
    pad.draw(thin(characters()["R"][0], 8))
    assert pad.answer().glyph == "R"
    pad.check()
    pad.page.context.close()


def test_a_host_that_goes_away_is_waited_for(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/runtime/*.js", lambda route: route.abort())
        page.goto(address)
        pad = Pad(page)
        pad.line(0.5, 0.2, 0.5, 0.8)
        page.wait_for_timeout(1000)
        assert page.locator("#answer").get_attribute("data-status") == "waiting"
        page.unroute("**/runtime/*.js")
        assert pad.answer().glyph in "1Il"
