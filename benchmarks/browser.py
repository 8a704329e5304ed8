"""Check whether the drawing page reads as well as the command: the same strokes in a browser and as PNG files.

    python benchmarks/browser.py STROKES.json [--writers 10] [--labels LABELS.csv] [--pen 16]

STROKES.json holds {character: {writer: [[[x, y], ...], ...]}}. Every character is replayed on the page of a running
`emnist serve`, point by point with the mouse, and drawn with a pen as wide on a picture as large for `emnist predict`.
With LABELS.csv (file,label,writer,part) the writers of part test come first.
"""

import argparse
import csv
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from emnist_cli.core.labels import MERGED  # noqa: E402
from tests.handwriting import Strokes, draw  # noqa: E402
from tests.web.browser import launch, open_page  # noqa: E402
from tests.web.running import running  # noqa: E402

SHEET = 320  # width of the page's canvas in units of its pen
MARGIN = 0.2


def main() -> None:
    """Read everything twice, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path)
    parser.add_argument("--writers", type=int, default=10)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--pen", type=int, default=16, help="its width, as on the page")
    args = parser.parse_args()
    drawn: dict[str, dict[str, Strokes]] = json.loads(args.strokes.read_text())
    writers = choose_writers({w for each in drawn.values() for w in each}, args.labels)[: args.writers]
    samples = [(label, drawn[label][writer]) for writer in writers for label in sorted(drawn) if writer in drawn[label]]
    truth = [label for label, _ in samples]
    print(f"{len(samples)} characters of writers {', '.join(writers)}; pen {args.pen} of {SHEET}")
    on_page, side = read_on_page([strokes for _, strokes in samples], args.pen)
    by_command = read_by_command([strokes for _, strokes in samples], args.pen, side)
    print("            62 classes  47 classes  case folded")
    for name, answers in (("page", on_page), ("predict", by_command), ("agreement", on_page)):
        wanted = by_command if name == "agreement" else truth
        shares = [share(answers, wanted, alike) for alike in (str, merged, str.upper)]
        print(f"{name:10}{shares[0]:12.4f}{shares[1]:12.4f}{shares[2]:13.4f}")


def choose_writers(known: Iterable[str], labels: Path | None) -> list[str]:
    """Order writers, those of part test first where that is known."""
    tests: set[str] = set()
    if labels:
        tests = {row["writer"] for row in csv.DictReader(labels.read_text().splitlines()) if row["part"] == "test"}
    return sorted(known, key=lambda writer: (writer not in tests, int(writer)))


def read_on_page(samples: list[Strokes], pen: int) -> tuple[list[str], int]:
    """Replay strokes in a browser, and return the answers and how many pixels wide the canvas was."""
    answers = []
    with running() as server, launch() as browser:
        pad = open_page(browser, server.address)
        pad.page.locator("#pen").fill(str(pen))
        for strokes in samples:
            pad.page.keyboard.press("Escape")
            pad.draw(strokes, MARGIN)
            answers.append(pad.answer().glyph)
        side = pad.pixels().shape[1]
        pad.page.context.close()
    return answers, side


def read_by_command(samples: list[Strokes], pen: int, side: int) -> list[str]:
    """Draw strokes on pictures of `side` pixels and return what `emnist predict` says."""
    with tempfile.TemporaryDirectory() as folder:
        for number, strokes in enumerate(samples):
            draw(strokes, (side, side), pen / SHEET, MARGIN).save(Path(folder) / f"{number:06}.png")
        command = [sys.executable, "-m", "emnist_cli", "predict", folder, "--format", "csv", "--quiet"]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [row["label"] for row in csv.DictReader(io.StringIO(found))]


def merged(label: str) -> str:
    """Return the label among EMNIST's 47 classes."""
    return label.upper() if label.upper() in MERGED else label


def share(answers: list[str], wanted: list[str], alike: Callable[[str], str]) -> float:
    """Say how often two lists agree."""
    return sum(alike(a) == alike(b) for a, b in zip(answers, wanted, strict=True)) / len(wanted)


if __name__ == "__main__":
    main()
