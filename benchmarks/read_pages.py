"""How well whole pages are read, beside Tesseract, and what is left of that when photographs get worse.

    python benchmarks/read_pages.py FOLDER [--save FOLDER] [--no-tesseract]

FOLDER holds pictures of pages and transcripts.json, {file name: [line, ...]}. Each page is read as it is and in each of
the ways below, by the installed package and by `tesseract --psm 6` where that is installed. The figure is the character
error rate, edit distance by characters of the transcript, over letters and digits alone, both cases counted as one.
`lines` tells on how many pages as many lines were found as there are. At the end each page is scaled to 12 megapixels
and read by `emnist read` in a process of its own: seconds from start to end, those of its processors, and its peak
memory.
"""

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from edits import distance
from PIL import Image, ImageOps

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
    parser.add_argument("--no-tesseract", action="store_true")
    args = parser.parse_args()
    truth = json.loads((args.folder / "transcripts.json").read_text(encoding="utf-8"))
    pages = {name: ImageOps.exif_transpose(Image.open(args.folder / name)).convert("RGB") for name in truth}
    tesseract = None if args.no_tesseract else shutil.which("tesseract")
    recognizer = Recognizer()
    print(f"{'':34} emnist   lines  seconds  {'tesseract' if tesseract else ''}")
    for way, degrade in WAYS.items():
        degraded = {name: degrade(picture) for name, picture in pages.items()}
        if args.save:
            args.save.mkdir(exist_ok=True)
            for name, content in degraded.items():
                (args.save / f"{way.replace(' ', '-')}-{Path(name).stem}.jpg").write_bytes(content)
        started = time.perf_counter()
        read = {name: read_page(content, recognizer) for name, content in degraded.items()}
        seconds = (time.perf_counter() - started) / len(read)
        ours = {name: errors(page.text, truth[name]) for name, page in read.items()}
        theirs = {name: errors(by_tesseract(c), truth[name]) for name, c in degraded.items()} if tesseract else {}
        lines = sum(len(page.lines) == len(truth[name]) for name, page in read.items())
        print(f"{way:34} {rate(ours, truth):.4f}   {lines}/{len(read)}    {seconds:6.2f}  {shown(theirs, truth)}")
        if way == "as it is":
            for name in truth:
                other = shown({k: v for k, v in theirs.items() if k == name}, truth)
                print(f"  {name:32} {rate({name: ours[name]}, truth):.4f}                   {other}")
    measure(pages)


def clean(text: str) -> str:
    """Keep letters and digits, in upper case."""
    return "".join(c for c in text.upper() if c.isalnum())


def errors(text: str, lines: list[str]) -> int:
    """Edit distance to the transcript."""
    return distance(clean("".join(lines)), clean(text))


def rate(wrong: dict[str, int], truth: dict[str, list[str]]) -> float:
    """Character error rate over some pages."""
    return sum(wrong.values()) / max(1, sum(len(clean("".join(truth[name]))) for name in wrong))


def shown(wrong: dict[str, int], truth: dict[str, list[str]]) -> str:
    """The rate as text, nothing where nothing was read."""
    return f"{rate(wrong, truth):.4f}" if wrong else ""


def by_tesseract(content: bytes) -> str:
    """Read a page with Tesseract, as one block of text."""
    command = ["tesseract", "stdin", "stdout", "--psm", "6"]
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    return done.stdout.decode()


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


def measure(pages: dict[str, Image.Image]) -> None:
    """Print the time and memory of a process that reads a page of 12 megapixels."""
    for name, picture in pages.items():
        scale = (MEGAPIXELS / (picture.width * picture.height)) ** 0.5
        size = round(picture.width * scale), round(picture.height * scale)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.jpg"
            path.write_bytes(to_bytes(picture.resize(size, Image.Resampling.BICUBIC), 90))
            command = [sys.executable, "-c", _LAUNCHER, sys.executable, "-m", "emnist_cli", "read", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, processor, memory = map(float, done.stdout.split())
        megabytes = memory / (1024 if sys.platform == "linux" else 1024**2)  # Linux counts kilobytes, macOS bytes
        print(f"12 megapixels, {name:32} {seconds:.2f} s ({processor:.2f} s of processor)  {megabytes:.0f} MiB")


if __name__ == "__main__":
    main()
