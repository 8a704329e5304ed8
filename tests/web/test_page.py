"""The drawing page in a real browser: what is drawn is what is sent, and what is said of it is shown."""

import io
import json
import string
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect

from emnist_cli.core.classify.recognizer import Recognizer
from tests.handwriting import Strokes, characters
from tests.web.browser import Open, Pad, near, thin
from tests.web.proxy import Proxy

LEGIBLE = "358ABEGKMRabdeght"  # of the first donor: none that looks like another character
SPACING = 8  # of points, in hundredths of the character


@pytest.fixture(scope="module")
def knowing() -> Recognizer:
    """The recognizer as the page asks for it."""
    return Recognizer(top_k=5, ink="dark")


def sent(proxy: Proxy) -> NDArray[np.uint8]:
    """The sheet in the picture that was sent last, uint8 (height, width), without the paper around it."""
    (png,) = proxy.exchanges[-1].files()
    whole = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    edge = round(len(whole) / 12)
    paper = whole.copy()
    paper[edge:-edge, edge:-edge] = 255
    assert (paper == 255).all(), "a twelfth on each side is empty paper"
    return whole[edge:-edge, edge:-edge]


def read(pad: Pad, proxy: Proxy, knowing: Recognizer, strokes: Strokes) -> str:
    """Draw strokes: what is seen must be what is sent, and what the page says what the recognizer says of it."""
    pad.page.keyboard.press("Escape")
    pad.draw(strokes)
    shown = pad.answer()
    assert np.array_equal(sent(proxy), pad.pixels())
    prediction = knowing.predict(proxy.exchanges[-1].files()[0])
    assert proxy.exchanges[-1].records()[0].items() >= {**prediction.as_dict(), "path": "drawing.png"}.items()
    assert shown.labels == [a.label for a in prediction.alternatives]
    assert all(near(p, a.confidence) for p, a in zip(shown.percents, prediction.alternatives, strict=True))
    assert (shown.status, shown.glyph) == ("ok", prediction.label)
    return shown.glyph


def test_what_is_drawn_is_sent_and_read_as_by_the_recognizer(open_pad: Open, proxy: Proxy, knowing: Recognizer) -> None:
    pad = open_pad(proxy.url)
    strokes = [thin(characters()[character][0], SPACING) for character in LEGIBLE]
    found = "".join(read(pad, proxy, knowing, each) for each in strokes)
    wrong = [(a, b) for a, b in zip(LEGIBLE, found, strict=True) if a.upper() != b.upper()]
    assert len(wrong) <= 2, wrong
    assert pad.page.evaluate("window.shifts") == [], "nothing on the page moves when an answer comes"


@pytest.mark.slow
@pytest.mark.shared
def test_all_characters_of_a_writer(open_pad: Open, proxy: Proxy, knowing: Recognizer, data: Path) -> None:
    pad = open_pad(proxy.url)
    strokes = json.loads((data / "strokes" / "tablet.json").read_text())
    known = string.digits + string.ascii_letters
    found = "".join(read(pad, proxy, knowing, thin(strokes[character]["36"], 45)) for character in known)
    right = sum(a.upper() == b.upper() for a, b in zip(known, found, strict=True))
    assert right / len(known) > 0.9, found


@pytest.mark.slow
def test_it_is_read_while_the_pen_is_down(pad: Pad) -> None:
    pad.draw(thin(characters()["8"][0], SPACING), lift=False)
    assert pad.answer().glyph == "8"
    pad.page.mouse.up()
    assert pad.answer().glyph == "8"


@pytest.mark.slow
def test_only_the_last_answer_counts(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    pad.line(0.5, 0.2, 0.5, 0.8)
    first = pad.answer().labels
    proxy.held += [1.5]
    pad.page.get_by_role("button", name="Recognize").click()
    pad.line(0.2, 0.5, 0.8, 0.5)
    second = pad.answer().labels
    pad.page.wait_for_timeout(1700)  # by now the answer that was held has come, too
    held, last = ([a["label"] for a in proxy.exchanges[i].records()[0]["alternatives"]] for i in (-2, -1))
    assert (held, last) == (first, second) and first != second
    assert pad.answer().labels == second


@pytest.mark.slow
def test_the_picture_has_every_pixel_of_the_screen(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url, device_scale_factor=2.5)
    width = pad.page.evaluate("document.getElementById('canvas').clientWidth")
    pad.line(0.5, 0.2, 0.5, 0.8)
    assert pad.answer().glyph in "1Il"
    assert sent(proxy).shape == (round(2.5 * width), round(2.5 * width))
    ink = (pad.pixels() < 128).any(axis=0).sum()
    assert abs(ink - 16 * 2.5 * width / 320) <= 3, "the line is as thick as the pen"


@pytest.mark.slow
def test_a_drawing_may_run_off_the_edges(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    for character in "3EMR":
        pad.page.keyboard.press("Escape")
        pad.draw(thin(characters()[character][0], SPACING), margin=-0.02)
        assert pad.answer().glyph == character
        assert (sent(proxy)[[0, -1]].min(axis=1) < 100).all(), "cut off above and below"


@pytest.mark.slow
def test_lines_are_smooth_and_corners_sharp(pad: Pad) -> None:
    pad.draw([[[0, 0], [100, 0], [100, 100], [0, 100], [0, 0]]])
    square = pad.pixels()
    at = round(0.2 * len(square))
    assert max(square[at, at], square[-at, -at]) < 20 and square[len(square) // 2, len(square) // 2] == 255
    pad.page.keyboard.press("Escape")
    angles = np.linspace(0, 2 * np.pi, 13)
    pad.draw([[[round(50 + 50 * np.cos(a)), round(50 + 50 * np.sin(a))] for a in angles]])
    y, x = np.nonzero(pad.pixels() < 128)
    middle = (len(square) - 1) / 2
    radius = np.hypot(y - middle, x - middle)
    assert radius.max() - radius.min() < 16 * len(square) / 320 + 12, "a dodecagon's corners are rounded off"


@pytest.mark.slow
def test_a_tap_is_a_dot(pad: Pad) -> None:
    pad.page.locator("#canvas").click()
    width = len(pad.pixels())
    assert abs(pad.ink() - np.pi * (8 * width / 320) ** 2) < 30


@pytest.mark.slow
def test_undo_and_clear(pad: Pad) -> None:
    page = pad.page
    undo, clear = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Clear")
    expect(undo).to_have_attribute("aria-disabled", "true")
    expect(clear).to_have_attribute("aria-disabled", "true")
    states = [pad.canvas()]
    for y in (0.3, 0.5, 0.7):
        pad.line(0.3, y, 0.7, y)
        states.append(pad.canvas())
    assert len(set(states)) == 4
    undo.click()
    assert pad.canvas() == states[2]
    page.keyboard.press("Control+z")
    assert pad.canvas() == states[1]
    page.keyboard.press("Delete")
    assert pad.canvas() == states[0]
    assert pad.answer().status == "idle"
    expect(clear).to_have_attribute("aria-disabled", "true")
    undo.click()
    assert pad.canvas() == states[1], "clearing can be undone"
    assert pad.answer().status == "ok"
    clear.click()
    assert (pad.canvas(), pad.answer().status) == (states[0], "idle")
    page.keyboard.press("Control+z")
    page.keyboard.press("Escape")
    assert pad.canvas() == states[0]


@pytest.mark.slow
def test_pen_width(pad: Pad) -> None:
    inks = []
    for width, step in ((4, "Home"), (40, "End"), (39, "ArrowLeft")):
        pad.page.get_by_label("Pen width").press(step)
        expect(pad.page.locator("#pen-value")).to_have_text(str(width))
        pad.page.keyboard.press("Escape")
        pad.line(0.2, 0.5, 0.8, 0.5)
        inks.append(int((pad.pixels() < 128).any(axis=1).sum()))
    scale = len(pad.pixels()) / 320
    assert np.abs(np.array(inks) - np.array([4, 40, 39]) * scale).max() <= 2


@pytest.mark.slow
def test_the_button(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    button = pad.page.get_by_role("button", name="Recognize")
    button.click()
    assert (pad.answer().status, pad.answer().kind) == ("idle", "Nothing to read yet")
    assert not proxy.exchanges, "an empty sheet is not sent"
    pad.line(0.5, 0.2, 0.5, 0.8)
    pad.answer()
    asked = len(proxy.exchanges)
    button.click()
    assert pad.answer().glyph in "1Il"
    assert len(proxy.exchanges) == asked + 1
    assert proxy.exchanges[-1].files() == proxy.exchanges[-2].files()


@pytest.mark.slow
def test_what_the_model_sees(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    seen = pad.page.locator("#seen")
    expect(seen).to_be_hidden()
    pad.draw(thin(characters()["A"][0], SPACING))
    assert pad.answer().glyph == "A"
    expect(seen).to_be_visible()
    assert seen.get_attribute("src") == proxy.exchanges[-1].records()[0]["picture"]
    assert seen.evaluate("(image) => [image.naturalWidth, image.naturalHeight, image.width]") == [28, 28, 140]
    assert seen.evaluate("(image) => getComputedStyle(image).imageRendering") == "pixelated"
    assert str(seen.get_attribute("alt")).endswith("read as A")
    pad.page.keyboard.press("Escape")
    expect(seen).to_be_hidden()


@pytest.mark.slow
def test_charset_and_folded_case(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    choose, custom = pad.page.get_by_label("Characters", exact=True), pad.page.get_by_label("Allowed characters")
    pad.draw(thin(characters()["O"][1], SPACING))
    assert pad.answer().glyph in "0Oo"
    for charset, glyph, kind in (("digits", "0", "Digit"), ("upper", "O", "Upper case"), ("lower", "o", "Lower case")):
        choose.select_option(charset)
        shown = pad.answer()
        assert (shown.glyph, shown.kind) == (glyph, kind)
    choose.select_option("custom")
    custom.fill("A-CO")
    assert (pad.answer().glyph, sorted(pad.answer().labels)) == ("O", ["A", "B", "C", "O"])
    count = len(proxy.exchanges)
    custom.fill("A-")
    expect(custom).to_have_attribute("aria-invalid", "true")
    assert pad.answer().words == "Allowed characters: Digits, letters and ranges such as 0-9A-F."
    assert len(proxy.exchanges) == count, "what makes no sense is not asked"
    choose.select_option("letters")
    pad.page.get_by_label("Count both cases").check()
    shown = pad.answer()
    assert (shown.glyph, shown.kind) == ("O", "Either case")
    asked = proxy.exchanges[-1].options()
    assert asked.items() >= {"charset": "letters", "fold_case": "true", "ink": "dark", "min_confidence": "0"}.items()


@pytest.mark.slow
def test_an_impossible_charset_is_explained(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    pad.page.get_by_label("Characters", exact=True).select_option("custom")
    pad.page.get_by_label("Allowed characters").fill("F-A")
    pad.line(0.5, 0.2, 0.5, 0.8)
    shown = pad.answer()
    assert (shown.status, shown.glyph, shown.labels) == ("failed", "\u2013", [])
    assert "runs backwards" in shown.words
    assert [text for text in pad.console if "422" not in text] == []
    pad.console.clear()


@pytest.mark.slow
def test_an_unsure_answer(pad: Pad) -> None:
    pad.page.get_by_label("Unsure below").press("End")
    pad.draw(thin(characters()["O"][1], SPACING))
    shown = pad.answer()
    assert (shown.status, shown.glyph, shown.kind) == ("uncertain", "?", "Not sure")
    assert shown.words.startswith(f"The best guess is {shown.labels[0]}, ")
    pad.page.get_by_label("Unsure below").press("Home")
    assert (pad.answer().status, pad.answer().glyph) == ("ok", shown.labels[0])
