"""The JavaScript modules of an exported page in a real browser, to be compared with the Python they are ports of."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from emnist_cli.core.imaging import decode
from emnist_cli.core.preprocessing.normalize import preprocess
from emnist_cli.web import site
from tests.web.hosting import hosted

Gray8 = NDArray[np.uint8]

ROUNDING = 0.005
"""Most that a pixel in [0, 1] may differ where both sides read the same bytes: a level of the blurred canvas."""

UNPACK = """const unpack = ({ width, height, bytes }, Kind = Uint8Array) => {
  const data = new Kind(Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)).buffer);
  return { width, height, data };
};"""


@contextmanager
def opened(browser: Browser, folder: Path, **normalize: float) -> Iterator[Page]:
    """Put the modules into an empty folder, and open an empty page beside them under the policy of an exported one.

    Args:
        browser: which opens it.
        folder: an empty one.
        normalize: numbers of constants.json to have in place of Python's.
    """
    site.write_modules(folder / "browser")
    constants = json.loads((folder / "browser" / "constants.json").read_text())
    constants["normalize"] |= normalize
    (folder / "browser" / "constants.json").write_text(json.dumps(constants))
    policy = f'<meta http-equiv="Content-Security-Policy" content="{site.POLICY}">'
    (folder / "index.html").write_text(f'<!doctype html><meta charset="utf-8">{policy}<title>.</title>')
    with hosted(folder) as address, browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.evaluate("import('./browser/constants.js').then(({ loadConstants }) => loadConstants())")
        yield page


def encoded(array: NDArray[Any]) -> dict[str, Any]:
    """Pack uint8 or float32 (h, w) for the page."""
    height, width = array.shape
    return {"width": width, "height": height, "bytes": base64.b64encode(array.tobytes()).decode()}


def preprocess_there(
    page: Page, grays: Sequence[Gray8], ink: str = "auto", side: int = 28
) -> list[NDArray[np.float32] | None]:
    found = page.evaluate(
        f"""async ([grays, ink]) => {{
          {UNPACK}
          const {{ preprocess }} = await import("./browser/normalize.js");
          return grays.map((gray) => preprocess(unpack(gray), ink)).map((seen) => seen && [...seen.data]);
        }}""",
        [[encoded(gray) for gray in grays], ink],
    )
    return [None if each is None else np.array(each, np.float32).reshape(side, side) for each in found]


def differences(page: Page, grays: Sequence[Gray8], ink: str = "auto") -> list[float]:
    """The largest difference of a pixel, for each picture; infinite where only one side finds ink."""
    here = [preprocess(gray, ink) for gray in grays]
    return [
        0.0 if a is b is None else np.inf if a is None or b is None else float(np.abs(a - b).max())
        for a, b in zip(here, preprocess_there(page, grays, ink), strict=True)
    ]


def look_there(page: Page, data: bytes) -> Any:
    """Decode and preprocess a file in the page: 28x28, null, or the reason why not."""
    return page.evaluate(
        """async (bytes) => {
          const [{ decode, ImageError }, { toGray }, { preprocess }] = await Promise.all(
            ["decode", "grayscale", "normalize"].map((name) => import(`./browser/${name}.js`)));
          const blob = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))]);
          try { return [...preprocess(toGray(await decode(blob))).data]; }
          catch (error) { if (error instanceof ImageError) return error.message; throw error; }
        }""",
        base64.b64encode(data).decode(),
    )


def compare_file(page: Page, data: bytes) -> NDArray[np.float32]:
    """Return how each pixel of what the network sees differs."""
    here = preprocess(decode.decode_image(data).gray)
    assert here is not None
    there = look_there(page, data)
    assert isinstance(there, list), there
    return np.abs(np.array(there, np.float32).reshape(28, 28) - here)
