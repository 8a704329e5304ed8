"""The drawing page for everybody: touch, keyboard, screen reader, dark rooms, small screens; and when things fail."""

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import REPOSITORY
from tests.handwriting import characters
from tests.web.browser import Open, Pad, thin
from tests.web.proxy import Proxy, between

PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.*"))


def draw(pad: Pad, character: str = "A") -> None:
    pad.draw(thin(characters()[character][0], 8))


@pytest.mark.slow
def test_fingers(open_pad: Open, server: str) -> None:
    pad = open_pad(server, **PHONE)
    screen = pad.page.context.new_cdp_session(pad.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    (first, *_), *_ = placed = pad.place(thin(characters()["A"][0], 8))
    for stroke in placed:
        touch("touchStart", stroke[0])
        for point in stroke[1:]:
            touch("touchMove", point)
        touch("touchEnd")
    assert pad.answer().glyph == "A"
    assert pad.page.evaluate("scrollY") == 0, "a finger on the canvas draws and does not scroll"
    drawn = pad.canvas()
    touch("touchStart", first)
    touch("touchStart", first, (first[0] + 90, first[1]))
    touch("touchMove", first, (first[0] + 90, first[1] + 150))
    touch("touchEnd")
    # By mouse: after fingers that are sent like this, Chromium makes a click of only some taps, wherever they are.
    pad.page.get_by_role("button", name="Undo").click()
    # A second finger does not draw; its line would be left.
    pad.page.wait_for_function("(drawn) => document.getElementById('canvas').toDataURL() === drawn", arg=drawn)


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 360, 768, 1600])
def test_it_fits_every_screen(open_pad: Open, server: str, width: int) -> None:
    pad = open_pad(server, viewport={"width": width, "height": 740})
    pad.page.locator("summary").click()
    draw(pad)
    pad.answer()
    pad.page.set_input_files("#files", EXAMPLES)
    expect(pad.page.locator("#batch")).to_have_attribute("aria-busy", "false")
    assert pad.page.evaluate("document.documentElement.scrollWidth") == width
    if width <= 360:
        pad.page.evaluate("scrollTo(0, 0)")
        expect(pad.page.locator("#glyph")).to_be_in_viewport(ratio=1)


def test_keys_alone(pad: Pad) -> None:
    page = pad.page
    reached = []
    order = ["read", "undo", "clear", "pen", "choose", "charset", "fold", "least", "SUMMARY", "documentation"]
    for _ in order:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"{reached[-1]}: its focus cannot be seen"
    assert reached == order
    draw(pad, "O")
    assert pad.answer().status == "ok"
    page.locator("#charset").focus()
    page.keyboard.press("d")  # Digits
    assert pad.answer().kind == "Digit"
    page.locator("#undo").focus()
    page.keyboard.press("Enter")
    assert pad.answer().status == "idle"
    assert page.evaluate("document.activeElement.id") == "undo", "the focus stays where it was"
    page.locator("#charset").select_option("custom")
    page.keyboard.press("Control+z")
    draw(pad)
    page.locator("#custom").fill("A")
    ink = pad.ink()
    for key in ("Delete", "Control+z", "Escape"):
        page.keyboard.press(key)
    assert pad.ink() == ink, "in a text field these keys edit the text"


@pytest.mark.slow
def test_a_screen_reader_hears_settled_answers_only(pad: Pad) -> None:
    draw(pad)
    shown = pad.answer()
    assert pad.spoken() == [f"A, Upper case, {shown.words}"]
    pad.page.keyboard.press("Escape")
    assert pad.spoken(2)[1] == "Nothing to read yet. Draw a character, or give a picture of one."
    draw(pad)
    assert pad.spoken(3)[2] == pad.spoken()[0], "the same answer again is said again"
    assert len(pad.spoken()) == 3
    canvas = pad.page.get_by_role("img", name="Drawing area")
    expect(canvas).to_have_accessible_description("Mouse, finger or pen. It is read as you draw.")
    expect(pad.page.locator("#bars").get_by_role("listitem")).to_have_count(5)


SCREENS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": PHONE,
    "dark phone": {**PHONE, "color_scheme": "dark"},
}


@pytest.mark.slow
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing(open_pad: Open, server: str, screen: str) -> None:
    pad = open_pad(server, reduced_motion="reduce", **SCREENS[screen])
    pad.page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    assert violations(pad.page) == []
    draw(pad)
    pad.answer()
    pad.page.locator("#charset").select_option("custom")
    pad.page.locator("#custom").fill("!")
    assert violations(pad.page) == []
    pad.page.locator("#custom").fill("0-9A-Za-z")
    pad.page.locator("summary").click()
    pad.page.set_input_files("#files", [*EXAMPLES, REPOSITORY / "README.md"])
    expect(pad.page.locator("#batch")).to_have_attribute("aria-busy", "false")
    assert violations(pad.page) == []
    pad.page.set_input_files("#files", EXAMPLES[:1])
    pad.answer()
    assert violations(pad.page) == []


def violations(page: Page) -> list[tuple[str, str]]:
    """What axe-core finds wrong: all its rules, the best practices too."""
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]


@pytest.mark.slow
def test_dark_and_light(open_pad: Open, server: str) -> None:
    grounds, drawings = [], []
    for scheme in ("light", "dark"):
        pad = open_pad(server, color_scheme=scheme)
        draw(pad)
        drawings.append(pad.canvas())
        colour = pad.page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds.append(sum(map(int, colour[4:-1].split(","))) / 3)
    assert grounds[0] > 220 and grounds[1] < 40
    assert drawings[0] == drawings[1], "the picture is the same in the dark"


@pytest.mark.slow
def test_motion(open_pad: Open, server: str) -> None:
    durations = [
        open_pad(server, reduced_motion=motion).page.evaluate(
            "getComputedStyle(document.querySelector('.bar'), '::before').transitionDuration"
        )
        for motion in ("no-preference", "reduce")
    ]
    assert durations == ["0.15s", "0s"]


@pytest.mark.slow
def test_below_a_prefix(open_pad: Open, server: str) -> None:
    with between(server, "/tools/emnist") as proxy:
        pad = open_pad(proxy.url)
        draw(pad)
        assert pad.answer().glyph == "A"
        assert {exchange.path for exchange in proxy.exchanges} == {"/tools/emnist/api/predict"}
        assert all("/tools/emnist/" in url for url in pad.asked if url.startswith("http"))


@pytest.mark.slow
def test_a_busy_server(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    draw(pad)
    pad.answer()
    proxy.refusals += [(429, {"Retry-After": "1"}), (503, {"Retry-After": "1"})]
    pad.page.get_by_role("button", name="Recognize").click()
    assert pad.answer().glyph == "A"
    assert [exchange.status for exchange in proxy.exchanges[-3:]] == [429, 503, 200]
    assert len({exchange.files()[0] for exchange in proxy.exchanges[-3:]}) == 1
    pad.console.clear()  # Chromium notes each refusal


@pytest.mark.slow
def test_a_refusal_is_shown(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    draw(pad)
    pad.answer()
    proxy.refusals += [(400, {})]
    pad.page.get_by_role("button", name="Recognize").click()
    shown = pad.answer()
    assert (shown.status, shown.kind, shown.words) == ("failed", "No answer", "refused by the test")
    pad.page.get_by_role("button", name="Recognize").click()
    assert pad.answer().glyph == "A"
    pad.console.clear()


@pytest.mark.slow
def test_the_server_goes_and_comes_back(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    notice = pad.page.locator("#notice")
    proxy.close()
    draw(pad)
    expect(notice).to_contain_text("The server does not answer")
    drawn = pad.canvas()
    expect(pad.page.locator("#answer")).to_have_attribute("data-status", "waiting")
    proxy.open()
    assert pad.answer().glyph == "A"
    expect(notice).to_be_hidden()
    assert pad.canvas() == drawn
    assert all("Failed to load resource" in text for text in pad.console)
    pad.console.clear()


@pytest.mark.slow
def test_the_server_goes_within_a_batch(open_pad: Open, proxy: Proxy) -> None:
    pad = open_pad(proxy.url)
    proxy.held += [0.5]
    pad.page.set_input_files("#files", EXAMPLES * 6)  # two requests
    pad.page.wait_for_function("() => document.querySelectorAll('#rows tr').length === 32")
    proxy.close()
    pad.page.set_input_files("#files", EXAMPLES * 6)
    expect(pad.page.locator("#notice")).to_be_visible()
    proxy.open()
    expect(pad.page.locator("#batch")).to_have_attribute("aria-busy", "false", timeout=20_000)
    expect(pad.page.locator("#rows tr")).to_have_count(36)
    pad.console.clear()


@pytest.mark.slow
def test_no_script_but_its_own_runs(pad: Pad) -> None:
    pad.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
        }"""
    )
    assert pad.page.evaluate("[window.ran, window.violations]") == [None, ["script-src-elem: inline"]]
    pad.page.evaluate("window.violations.length = 0")
    pad.console.clear()


@pytest.mark.slow
def test_nothing_is_kept(pad: Pad) -> None:
    draw(pad)
    pad.answer()
    kept = pad.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    assert kept == [0, 0, ""]
    pad.page.reload()
    assert (pad.ink(), pad.answer().status) == (0, "idle")
