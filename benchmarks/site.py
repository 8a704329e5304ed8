"""Check whether an exported page answers as the command does, and measure its size and how soon it answers.

    python benchmarks/site.py STROKES.json --runtime DIR [--labels LABELS.csv] [--scans FOLDER ...] [--count 200]

The page is exported with the packaged model and served by a plain static server on loopback. Characters of
STROKES.json ({character: {writer: [[[x, y], ...], ...]}}) are replayed on it with the mouse; the pictures that it makes
of them go through `emnist predict`, too. So do COUNT pictures of each FOLDER of scans, drawn at random from those that
its labels.csv calls part test. DIR is where `npm install` put the runtime.
"""

import argparse
import base64
import csv
import gzip
import io
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from browser import choose_writers  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Browser  # noqa: E402

from emnist_cli.core import bundle  # noqa: E402
from emnist_cli.core.classify.recognizer import Recognizer  # noqa: E402
from emnist_cli.web.site import export_site  # noqa: E402
from tests.handwriting import Strokes  # noqa: E402
from tests.web.browser import launch, open_page  # noqa: E402
from tests.web.hosting import hosted  # noqa: E402

READ = """async ({ name, bytes, ink }) => {
  const { recognize } = await import("./api.js");
  const data = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
  const began = performance.now();
  const [answer] = await recognize([new File([data], name)], { ink }, new AbortController().signal);
  return { ...answer, at: performance.now(), took: performance.now() - began };
}"""


def main() -> None:
    """Measure everything, print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path)
    parser.add_argument("--runtime", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--scans", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=200)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        page = export_site(bundle.find_bundle(), Path(scratch) / "page", args.runtime)
        files = [path for path in page.path.rglob("*") if path.is_file()]
        packed = sum(len(gzip.compress(path.read_bytes())) for path in files)
        print(f"{page.files} files, {page.bytes / 1e6:.2f} MB, {packed / 1e6:.2f} MB as gzip sends them")
        with hosted(page.path) as address, launch() as browser:
            measure_start(browser, address)
            samples = choose_samples(args.strokes, args.labels, args.count)
            compare("replayed characters", replay(browser, address, samples, Path(scratch) / "drawn"), "dark")
            for folder in args.scans:
                compare(folder.name, read(browser, address, choose_scans(folder, args.count)), "auto")


def measure_start(browser: Browser, address: str) -> None:
    """Say how long it takes from the call of the page to the answer for a first picture, with nothing cached."""
    png = (ROOT / "examples" / "canvas-b.png").read_bytes()
    times = []
    for _ in range(7):
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(address, wait_until="commit")
            asked = {"name": "b.png", "bytes": base64.b64encode(png).decode(), "ink": "auto"}
            times.append(page.evaluate(READ, asked)["at"])  # on the page's clock, which starts as it is called
    print(f"first answer after {statistics.median(times) / 1e3:.2f} s (of 7: {min(times):.0f} to {max(times):.0f} ms)")


def choose_samples(strokes: Path, labels: Path | None, count: int) -> list[Strokes]:
    """Take characters of writers, those of part test first."""
    drawn: dict[str, dict[str, Strokes]] = json.loads(strokes.read_text())
    writers = choose_writers({writer for each in drawn.values() for writer in each}, labels)
    return [drawn[label][writer] for writer in writers for label in sorted(drawn) if writer in drawn[label]][:count]


def choose_scans(folder: Path, count: int) -> list[Path]:
    """Take pictures of part test."""
    rows = csv.DictReader((folder / "labels.csv").read_text().splitlines())
    files = sorted(folder / row["file"] for row in rows if row["part"] == "test")
    return random.Random(1).sample(files, min(count, len(files)))


Answers = dict[Path, dict[str, Any]]


def replay(browser: Browser, address: str, samples: list[Strokes], folder: Path) -> Answers:
    """Draw characters on the page; keep the picture that it makes of each, and what it says."""
    folder.mkdir()
    pad = open_page(browser, address)
    found: Answers = {}
    for number, strokes in enumerate(samples):
        pad.page.keyboard.press("Escape")
        pad.draw(strokes)
        shown = pad.answer()
        drawn = pad.pixels()
        path = folder / f"{number:04}.png"
        Image.fromarray(np.pad(drawn, int(len(drawn) * 0.1 + 0.5), constant_values=255)).save(path)
        found[path] = {"label": shown.glyph, "picture": pad.page.locator("#seen").get_attribute("src")}
    pad.page.context.close()
    return found


def read(browser: Browser, address: str, paths: list[Path]) -> Answers:
    """Give files to the page."""
    pad = open_page(browser, address)
    asked = [{"name": p.name, "bytes": base64.b64encode(p.read_bytes()).decode(), "ink": "auto"} for p in paths]
    found = {path: pad.page.evaluate(READ, each) for path, each in zip(paths, asked, strict=True)}
    pad.page.context.close()
    return found


def compare(name: str, answers: Answers, ink: str) -> None:
    """Say how the page's answers compare with the command's, and what its network sees with what the command's does."""
    command = [sys.executable, "-m", "emnist_cli", "predict", *map(str, answers), "--ink", ink, "-f", "csv", "--quiet"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    expected = {Path(row["path"]): row["label"] for row in csv.DictReader(io.StringIO(said))}
    same = sum(answer["label"] == expected[path] for path, answer in answers.items())
    recognizer = Recognizer(ink=ink)
    means, largest = [], []
    for path, answer in answers.items():
        here = recognizer.predict(path).picture
        if here is None or not answer["picture"]:
            continue
        there = Image.open(io.BytesIO(base64.b64decode(answer["picture"].partition(",")[2]))).convert("L")
        apart = np.abs(np.asarray(there, int) - (here * 255 + 0.5).astype(int))
        means.append(apart.mean() / 255)
        largest.append(apart.max() / 255)
    print(f"{name}: {same} of {len(answers)} answers as predict's; what the network sees differs by", end=" ")
    print(f"{np.mean(means):.6f} in the mean of all pixels, by {max(largest):.4f} at most", end="")
    took = [answer["took"] for answer in answers.values() if "took" in answer]
    print(f"; {statistics.median(took):.0f} ms a picture" if took else "")


if __name__ == "__main__":
    main()
