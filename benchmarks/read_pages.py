"""Measure how well `emnist read` reads whole pages, beside Tesseract and PP-OCRv6 small, degraded photographs too.

    python benchmarks/read_pages.py FOLDER [--save FOLDER] [--rounds 3] [--no-tesseract] [--no-paddle]

FOLDER holds images of pages and transcripts.json, {file name: [line, ...]}. Each page is read as it is and in each of
the ways below: by `read_page`, by `tesseract --psm 6`, and by PP-OCRv6 small with its text detection (`rapid_ocr.py`),
one program after the other. RapidOCR, which runs PP-OCRv6, puts the pieces that it finds in order in two ways: as it
returns them, and by its `to_markdown` ("in lines"); each is better on other pages. Tesseract and PP-OCRv6 are left out
where they are not installed.

Printed is the character error rate: the edit distance divided by the number of characters in the transcript, over
letters and digits only, in either case. `lines` counts the pages on which emnist found as many lines as there are. At
the end each page is scaled to 12 megapixels and read by each program in a process of its own, in turns. For these the
table shows the median seconds from start to end, the processor's seconds, and the peak memory.
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
from edits import distance
from peers import PADDLE, TESSERACT, installed
from PIL import Image, ImageOps
from rapid_ocr import read

from emnist_cli import Recognizer, read_page

MEGAPIXELS = 12e6

_LAUNCHER = """
import resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
seconds, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""  # a small process, since what one that is large starts counts as large from the beginning


def main() -> None:
    """Read every page in every way, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--save", type=Path, help="write the degraded pages here")
    parser.add_argument("--rounds", type=int, default=3, help="times that each page of 12 megapixels is read")
    parser.add_argument("--no-tesseract", action="store_true")
    parser.add_argument("--no-paddle", action="store_true")
    args = parser.parse_args()
    left_out = {TESSERACT: args.no_tesseract, PADDLE: args.no_paddle}
    programs = ["emnist", *(name for name in installed() if not left_out[name])]
    truth = json.loads((args.folder / "transcripts.json").read_text(encoding="utf-8"))
    pages = {name: ImageOps.exif_transpose(Image.open(args.folder / name)).convert("RGB") for name in truth}
    columns = dict(column for name in programs for column in READERS[name])
    print(" " * 34 + "".join(f"{name:16}" for name in columns) + "lines")
    for way, degrade in WAYS.items():
        degraded = {name: degrade(picture) for name, picture in pages.items()}
        if args.save:
            args.save.mkdir(exist_ok=True)
            for name, content in degraded.items():
                (args.save / f"{way.replace(' ', '-')}-{Path(name).stem}.jpg").write_bytes(content)
        texts = {page: {name: reader(degraded[page]) for name, reader in columns.items()} for page in truth}
        show(way, texts, truth)
        if way == "as it is":
            for page in truth:
                show(f"  {page}", {page: texts[page]}, truth)
    measure(pages, programs, args.rounds)


def show(title: str, texts: dict[str, dict[str, str]], truth: dict[str, list[str]]) -> None:
    """Print a row: the error rate of each column over these pages, and on how many emnist found the right lines."""
    row = f"{title:34}"
    for name in next(iter(texts.values())):
        wrong = sum(errors(read[name], truth[page]) for page, read in texts.items())
        total = sum(len(clean("".join(truth[page]))) for page in texts)
        row += f"{wrong / max(1, total):<16.4f}"
    lines = sum(len([*filter(None, read["emnist"].split("\n"))]) == len(truth[page]) for page, read in texts.items())
    print(f"{row}{lines}/{len(texts)}")


def clean(text: str) -> str:
    """Keep letters and digits, in upper case."""
    return "".join(c for c in text.upper() if c.isalnum())


def errors(text: str, lines: list[str]) -> int:
    """Edit distance to the transcript."""
    return distance(clean("".join(lines)), clean(text))


def by_emnist(content: bytes) -> str:
    """Read a page as `emnist read` does."""
    return read_page(content, recognizer()).text


@cache
def recognizer() -> Recognizer:
    """Load the packaged model, once."""
    return Recognizer()


def by_tesseract(content: bytes) -> str:
    """Read a page with Tesseract, as one block of text."""
    command = ["tesseract", "stdin", "stdout", "--psm", "6"]
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    return done.stdout.decode()


READERS: dict[str, list[tuple[str, Callable[[bytes], str]]]] = {
    "emnist": [("emnist", by_emnist)],
    TESSERACT: [(TESSERACT, by_tesseract)],
    PADDLE: [(PADDLE, read), ("in lines", partial(read, layout=True))],
}  # the columns of each program


def arguments(program: str, path: Path) -> list[str]:
    """Return the command by which a user has a program read a page."""
    return {
        "emnist": [sys.executable, "-m", "emnist_cli", "read", str(path)],
        TESSERACT: ["tesseract", str(path), "stdout", "--psm", "6"],
        PADDLE: [sys.executable, str(Path(__file__).parent / "rapid_ocr.py"), str(path)],
    }[program]


def to_bytes(picture: Image.Image, quality: int = 95) -> bytes:
    """Return a JPEG file."""
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=quality)
    return content.getvalue()


def rotated(degrees: float) -> Callable[[Image.Image], bytes]:
    """Turn a page; what was not seen has the brightness of its border."""

    def rotate(picture: Image.Image) -> bytes:
        border = np.asarray(picture)[[0, -1]].reshape(-1, 3)
        colour = tuple(int(c) for c in np.median(border, axis=0))
        return to_bytes(picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=colour))

    return rotate


def shadowed(picture: Image.Image) -> bytes:
    """Throw a shadow over one half, with a soft edge that runs aslant; it takes half of the light."""
    width, height = picture.size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    light = 0.5 + 0.5 / (1 + np.exp(-(x + 0.2 * (y - 0.5) - 0.5) / 0.01))
    return to_bytes(Image.fromarray((np.asarray(picture) * light[..., None]).astype(np.uint8)))


def halved(picture: Image.Image) -> bytes:
    """Scale to half the size."""
    return to_bytes(picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS))


WAYS: dict[str, Callable[[Image.Image], bytes]] = {
    "as it is": to_bytes,
    "turned by 5 degrees": rotated(5),
    "turned by -5 degrees": rotated(-5),
    "half the size": halved,
    "JPEG quality 30": lambda picture: to_bytes(picture, 30),
    "shadow over half": shadowed,
}


def measure(pages: dict[str, Image.Image], programs: list[str], rounds: int) -> None:
    """Print the time and memory of the processes that read a page of 12 megapixels, the programs in turns."""
    for name, picture in pages.items():
        scale = (MEGAPIXELS / (picture.width * picture.height)) ** 0.5
        size = round(picture.width * scale), round(picture.height * scale)
        runs: dict[str, list[tuple[float, float, float]]] = {program: [] for program in programs}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.jpg"
            path.write_bytes(to_bytes(picture.resize(size, Image.Resampling.BICUBIC), 90))
            for _ in range(rounds):
                for program in programs:
                    runs[program].append(run_alone(program, path))
        for program, figures in runs.items():
            seconds, processor, memory = map(statistics.median, zip(*figures, strict=True))
            print(
                f"12 megapixels, {name:32} {program:14} {seconds:.2f} s "
                f"({processor:.2f} s of processor)  {memory:.0f} MiB"
            )


def run_alone(program: str, path: Path) -> tuple[float, float, float]:
    """Read a page in a process of its own: seconds, the processor's seconds, and the peak memory in MiB."""
    command = [sys.executable, "-c", _LAUNCHER, *arguments(program, path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, processor, memory = map(float, done.stdout.split())
    return seconds, processor, memory / (1024 if sys.platform == "linux" else 1024**2)  # macOS counts bytes


if __name__ == "__main__":
    main()
