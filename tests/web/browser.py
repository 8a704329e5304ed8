"""A person at the drawing page: a real browser, moved by real pointer and key events."""

import base64
import io
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.handwriting import Strokes

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
});
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
window.spoken = [];
document.addEventListener("DOMContentLoaded", () => {
  const said = document.getElementById("said");
  new MutationObserver(() => said.textContent && window.spoken.push(said.textContent)).observe(said, {
    childList: true, characterData: true, subtree: true,
  });
});
"""


def find_browser() -> str | None:
    """Return the path of an installed Chromium or Chrome."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def thin(strokes: Strokes, spacing: float) -> Strokes:
    """Leave out points that are nearer than `spacing` to the one before: the browser takes one a frame."""
    out: Strokes = []
    for stroke in strokes:
        kept = stroke[:1]
        for point in stroke[1:-1]:
            if math.dist(point, kept[-1]) >= spacing:
                kept.append(point)
        out.append(kept + stroke[1:][-1:])
    return out


@contextmanager
def launch() -> Iterator[Browser]:
    """Start the installed browser. Not kept for long: while it runs, no other asyncio loop can in this thread."""
    path = find_browser()
    assert path, f"none of {', '.join(_NAMES)} is installed"
    options = ["--no-sandbox", "--disable-dev-shm-usage"]  # as containers need them
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options, env={**os.environ, "HOME": "/tmp"})
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Shown:
    """What the page says of a picture."""

    status: str
    glyph: str
    kind: str
    words: str
    labels: list[str]
    percents: list[str]


@dataclass
class Pad:
    """The page in one tab.

    Attributes:
        page: to do anything with.
        console: errors and warnings so far; a test that provokes some clears it.
        asked: the address of every request.
    """

    page: Page
    console: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def draw(self, strokes: Strokes, margin: float = 0.2, lift: bool = True) -> None:
        """Draw with the mouse, as large as the canvas less a margin on each side; the last stroke may stay down."""
        placed = self.place(strokes, margin)
        for number, stroke in enumerate(placed):
            self.page.mouse.move(*stroke[0])
            self.page.mouse.down()
            for x, y in stroke[1:]:
                self.page.mouse.move(x, y)
            if lift or number + 1 < len(placed):
                self.page.mouse.up()

    def place(self, strokes: Strokes, margin: float = 0.2) -> list[list[tuple[float, float]]]:
        """Say where on the screen the points come, as `handwriting.draw` places them in its picture."""
        canvas = self.page.locator("#canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box
        points = np.concatenate([np.asarray(stroke, float) for stroke in strokes])
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        scale = box["width"] * (1 - 2 * margin) / max(float(extent.max()), 1.0)
        offset = [box["x"], box["y"]] + (np.array([box["width"], box["height"]]) - extent * scale) / 2
        return [
            [(float(x), float(y)) for x, y in (np.asarray(stroke, float) - low) * scale + offset] for stroke in strokes
        ]

    def line(self, x0: float, y0: float, x1: float, y1: float, steps: int = 10) -> None:
        """Draw a straight line between two points given as shares of the canvas."""
        box = self.page.locator("#canvas").bounding_box()
        assert box
        self.page.mouse.move(box["x"] + x0 * box["width"], box["y"] + y0 * box["height"])
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + x1 * box["width"], box["y"] + y1 * box["height"], steps=steps)
        self.page.mouse.up()

    def answer(self) -> Shown:
        """Wait until the page has answered, and return what it says."""
        expect(self.page.locator("#answer")).not_to_have_attribute("data-status", "waiting", timeout=15_000)
        found: dict[str, Any] = self.page.evaluate(
            """() => {
              const text = (id) => document.getElementById(id).textContent;
              const all = (selector) => [...document.querySelectorAll(selector)].map((each) => each.textContent);
              const status = document.getElementById("answer").dataset.status;
              return { status, glyph: text("glyph"), kind: text("kind"), words: text("words"),
                labels: all("#bars b").filter(Boolean), percents: all("#bars li > :last-child").filter(Boolean) };
            }"""
        )
        return Shown(**found)

    def canvas(self) -> str:
        """Return what is drawn, as a data URL, once it is on the screen."""
        shown: str = self.page.evaluate(
            """() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() =>
              resolve(document.getElementById("canvas").toDataURL()))))"""
        )
        return shown

    def pixels(self) -> NDArray[np.uint8]:
        """Return what is drawn, uint8 (height, width), black ink (0) on white paper (255)."""
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(self.canvas().partition(",")[2]))).convert("L"))

    def ink(self) -> int:
        """Count the dark pixels of the canvas."""
        return int((self.pixels() < 128).sum())

    def spoken(self, at_least: int = 1) -> list[str]:
        """Wait until a screen reader was given so many things to say, and return them."""
        self.page.wait_for_function("(n) => window.spoken.length >= n", arg=at_least, timeout=15_000)
        found: list[str] = self.page.evaluate("window.spoken")
        return found

    def check(self) -> None:
        """Nothing was complained about, and nothing asked of anybody else."""
        assert not self.console, "\n".join(self.console)
        assert self.page.evaluate("window.violations") == []
        home = self.page.url.split("/")[2]
        strangers = [url for url in self.asked if not url.startswith(("data:", "blob:")) and url.split("/")[2] != home]
        assert strangers == []


Open = Callable[..., Pad]


def open_page(browser: Browser, url: str, **how: Any) -> Pad:
    """Open the page in a context of its own; `how` as for `Browser.new_context`."""
    context = browser.new_context(**{"viewport": {"width": 1100, "height": 900}, **how})
    page = context.new_page()
    page.set_default_timeout(15_000)
    pad = Pad(page)
    page.add_init_script(_WATCH)
    page.on(
        "console", lambda m: pad.console.append(f"{m.text} {m.location}") if m.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: pad.console.append(str(error)))
    page.on("request", lambda request: pad.asked.append(request.url))
    page.goto(url)
    expect(page.locator("summary")).to_be_visible()
    return pad


def near(percent: str, confidence: float) -> bool:
    """Whether a text such as "98.2%" stands for a confidence."""
    if percent.startswith("<"):
        return confidence < 0.0005
    if percent.startswith(">"):
        return confidence >= 0.9995
    return math.isclose(float(percent.rstrip("%")), confidence * 100, abs_tol=0.051)
