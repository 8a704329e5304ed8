"""Take the pictures of the drawing page that the documentation shows: docs/pictures/serve-*.png.

    python scripts/make_page_pictures.py

Needs the extra `dev` and an installed Chromium; a server is started and ended.
"""

import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, expect

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.handwriting import characters  # noqa: E402
from tests.web.browser import Pad, launch, open_page  # noqa: E402
from tests.web.running import running  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1000, "height": 860}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2}


def main() -> None:
    """Take them all."""
    with running() as server, launch() as browser:
        take(browser, server.address, "light", DESKTOP, "R")
        take(browser, server.address, "dark", {**DESKTOP, "color_scheme": "dark"}, "g")
        take(browser, server.address, "phone", PHONE, "8")
        pad = open_page(browser, server.address, **DESKTOP)
        pad.page.set_input_files("#files", sorted((ROOT / "examples").iterdir()))
        expect(pad.page.locator("#batch")).to_have_attribute("aria-busy", "false")
        save(pad.page.locator("#batch").screenshot(), "table")
        pad.page.context.close()


def take(browser: Browser, address: str, name: str, how: dict[str, Any], character: str) -> None:
    """Draw a character and take a picture of the window."""
    pad: Pad = open_page(browser, address, reduced_motion="reduce", **how)
    pad.draw(characters()[character][0])
    assert pad.answer().glyph == character
    pad.page.mouse.move(0, 0)
    save(pad.page.screenshot(), name)
    pad.page.context.close()


def save(png: bytes, name: str) -> None:
    """Write a picture with few colours, for a small file."""
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    image.save(FOLDER / f"serve-{name}.png", optimize=True)


if __name__ == "__main__":
    main()
