"""Measure accuracy and speed of `emnist predict` beside Tesseract, PP-OCRv6 small and a small Flask app.

    python benchmarks/compare.py FOLDER... [--where part=test] [--keras MODEL.keras] [--rounds 3]

Each FOLDER holds images of single characters and a labels.csv: file, label, and further columns to choose rows by. All
programs read the same images, one program after the other in each round:
- `emnist predict`, with one worker process per core and with one;
- Tesseract, in one process, with `--psm 10`, only letters and digits allowed;
- PP-OCRv6 small (`rapid_ocr.py`), in one process, with and without its text detection. It cannot be limited to letters
  and digits, so the first one in its text counts as the answer;
- with MODEL.keras (62 classes), the Flask app (`flask_keras.py`), one image after another over HTTP.
Tesseract and PP-OCRv6 are left out where they are not installed.

Printed are the share of right answers; images per second over a whole run, start included (not that of the Flask app),
as the median of the rounds; and the seconds that a run on one image takes.
"""

import argparse
import base64
import csv
import io
import json
import statistics
import string
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from peers import PADDLE, TESSERACT, installed
from PIL import Image

from emnist_cli.core.labels import find_split

PORT = 8298
ALLOWED = string.ascii_letters + string.digits
MERGED = {character: c.label for c in find_split("balanced").classes for character in c.characters}
MEASURES: dict[str, Callable[[str], str]] = {
    "62 classes": str,
    "47 classes": lambda label: MERGED.get(label, label),
    "case folded": str.upper,
}


class Picture(NamedTuple):
    """A picture and what it shows."""

    path: Path
    label: str


def read_table(folder: Path, where: str | None) -> list[Picture]:
    """Read labels.csv, or those rows of it that have a value in a column."""
    column, _, value = (where or "").partition("=")
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not column or row[column] == value]
    return [Picture(folder / row["file"], row["label"]) for row in rows]


Engine = Callable[[Sequence[Picture]], list[str]]


def run_emnist(pictures: Sequence[Picture], workers: int | None = None) -> list[str]:
    """What `emnist predict` answers."""
    command = [sys.executable, "-m", "emnist_cli", "predict", *(str(p.path) for p in pictures), "-f", "csv", "-q"]
    command += ["--workers", str(workers)] if workers else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [row["label"] for row in csv.DictReader(io.StringIO(done.stdout))]


def run_tesseract(pictures: Sequence[Picture]) -> list[str]:
    """What Tesseract takes each whole picture for."""
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder) / "names"
        names.write_text("\n".join(str(p.path.resolve()) for p in pictures) + "\n")
        allowed = f"tessedit_char_whitelist={ALLOWED}"
        command = ["tesseract", names, "stdout", "--psm", "10", "-c", allowed, "-c", "page_separator=\f"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    pages = done.stdout.split("\f")[: len(pictures)]
    if len(pages) != len(pictures):
        raise SystemExit(f"Tesseract answered {len(pages)} of {len(pictures)} pictures")
    return [page.strip()[:1] for page in pages]


def run_paddle(pictures: Sequence[Picture], *options: str) -> list[str]:
    """What PP-OCRv6 small reads: the first letter or digit of its text, "" if there is none."""
    command = [sys.executable, str(Path(__file__).parent / "rapid_ocr.py"), *options, *(str(p.path) for p in pictures)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    texts = [json.loads(line) for line in done.stdout.splitlines()]
    return [next((c for c in text if c in ALLOWED), "") for text in texts]


def ask_flask(pictures: Sequence[Picture]) -> list[str]:
    """What the Flask app answers, picture after picture; "" where it fails."""
    labels = [c.label for c in find_split("byclass").classes]
    answers = []
    for picture in pictures:
        url = "data:image/png;base64," + base64.b64encode(picture.path.read_bytes()).decode()
        body = json.dumps({"image_data": url}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}/predict", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                results = json.load(reply)["results"]
            answers.append(labels[results.index(max(results))])
        except urllib.error.HTTPError:
            answers.append("")
    return answers


def score(pictures: Sequence[Picture], answers: Sequence[str]) -> dict[str, float]:
    """Share of right answers by each measure."""
    pairs = list(zip(pictures, answers, strict=True))
    return {name: sum(fold(p.label) == fold(a) for p, a in pairs) / len(pairs) for name, fold in MEASURES.items()}


def compare(folder: Path, pictures: Sequence[Picture], engines: dict[str, Engine], rounds: int) -> None:
    """Print a row for each engine."""
    answers: dict[str, list[str]] = {}
    whole: dict[str, list[float]] = {name: [] for name in engines}
    alone: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, engine in engines.items():
            answers[name] = timed(engine, pictures, whole[name])
            timed(engine, pictures[:1], alone[name])
    print(f"\n{folder}: {len(pictures)} pictures")
    for name in engines:
        figures = "  ".join(f"{measure} {value:.4f}" for measure, value in score(pictures, answers[name]).items())
        rate = len(pictures) / statistics.median(whole[name])
        spread = f"{min(whole[name]):.2f} to {max(whole[name]):.2f} s"
        print(f"  {name:<24}{figures}  {rate:8.1f}/s ({spread})  one alone {statistics.median(alone[name]):.3f} s")


def timed(engine: Engine, pictures: Sequence[Picture], seconds: list[float]) -> list[str]:
    """Run an engine, and note how long it took."""
    started = time.perf_counter()
    answers = engine(pictures)
    seconds.append(time.perf_counter() - started)
    return answers


def start_flask(model: Path) -> subprocess.Popen[bytes]:
    """Start the app, wait until it answers, and print how long that took."""
    started = time.perf_counter()
    command = [sys.executable, str(Path(__file__).parent / "flask_keras.py"), str(PORT), str(model)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    stream = io.BytesIO()
    Image.new("L", (28, 28), 255).save(stream, "PNG")
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(stream.getvalue())
        file.flush()
        for _ in range(300):
            try:
                ask_flask([Picture(Path(file.name), "")])
                print(f"Flask and Keras: {time.perf_counter() - started:.2f} s from the start to the first answer")
                return process
            except OSError:
                time.sleep(0.2)
    raise SystemExit("the Flask app does not start")


def main() -> None:
    """Compare on every folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--where", metavar="COLUMN=VALUE")
    parser.add_argument("--keras", type=Path, metavar="MODEL.keras")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    engines: dict[str, Engine] = {
        "emnist predict": run_emnist,
        "the same, one process": lambda pictures: run_emnist(pictures, 1),
    }
    peers = installed()
    if TESSERACT in peers:
        engines["tesseract --psm 10"] = run_tesseract
    if PADDLE in peers:
        engines[PADDLE] = run_paddle
        engines["the same, no detection"] = lambda pictures: run_paddle(pictures, "--no-detection")
    app = start_flask(asked.keras) if asked.keras else None
    if app:
        engines["Flask and Keras"] = ask_flask
    try:
        for folder in asked.folders:
            compare(folder, read_table(folder, asked.where), engines, asked.rounds)
    finally:
        if app:
            app.kill()


if __name__ == "__main__":
    main()
