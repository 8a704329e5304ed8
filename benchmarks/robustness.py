"""Measure how much accuracy survives what cameras, paper and programs do to an image of a character.

    python benchmarks/robustness.py FOLDER [--part test] [--limit 300] [--save FOLDER]

FOLDER holds pictures and a labels.csv (file,label,writer,part). Each picture is degraded in each way below, seeded by
its number, and read by the installed package. `accuracy` is case-folded; `empty` counts pictures in which no ink was
found; `as clean` is how often the answer is the one given for the clean picture.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from emnist_cli import Recognizer
from emnist_cli.core.imaging import decode

Gray = NDArray[np.float32]
Rng = np.random.Generator


def main() -> None:
    """Degrade, read, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="test")
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--save", type=Path, help="write the first twelve pictures of each degradation here")
    args = parser.parse_args()
    rows = [r for r in csv.DictReader((args.folder / "labels.csv").read_text().splitlines()) if r["part"] == args.part]
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[: args.limit]]
    clean = [load(args.folder / row["file"]) for row in rows]
    truth = [row["label"].upper() for row in rows]
    recognizer = Recognizer(fold_case=True)
    reference: list[str] = []
    for name, degrade in DEGRADATIONS.items():
        pictures = [to_bytes(degrade(picture, np.random.default_rng(i))) for i, picture in enumerate(clean)]
        if args.save:
            save_sheet(pictures[:12], args.save / f"{name.replace(' ', '-')}.png")
        answers = list(recognizer.predict_many(Image.fromarray(p) for p in pictures))
        labels = [answer.label for answer in answers]
        reference = reference or labels
        right = np.mean([a == b for a, b in zip(labels, truth, strict=True)])
        same = np.mean([a == b for a, b in zip(labels, reference, strict=True)])
        empty = sum(answer.status == "empty" for answer in answers)
        print(f"{name:32} accuracy {right:.3f}  as clean {same:.3f}  empty {empty}")


def load(path: Path) -> Gray:
    """Read a picture as dark ink on white, long side 400: float32 (h, w) in [0, 1]."""
    gray = decode.decode_image(path.read_bytes()).gray
    values = gray.astype(np.float32) / (255 if gray.dtype == np.uint8 else 1)
    if np.median(values) < 0.5:
        values = 1 - values
    image = Image.fromarray(values)
    scale = 400 / max(image.size)
    size = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BOX), np.float32)


def to_bytes(gray: Gray) -> NDArray[np.uint8]:
    """Quantize to 8 bits."""
    return (np.clip(gray, 0, 1) * 255 + 0.5).astype(np.uint8)


def on_paper(gray: Gray, paper: Gray | float, ink: float = 0.25) -> Gray:
    """Put black on white onto paper of that brightness with ink that leaves `ink` of its light."""
    return ((ink + (1 - ink) * gray) * paper).astype(np.float32)


def axes(gray: Gray) -> tuple[Gray, Gray]:
    """Coordinates in [0, 1]: y as a column, x as a row."""
    height, width = gray.shape
    return np.linspace(0, 1, height, dtype=np.float32)[:, None], np.linspace(0, 1, width, dtype=np.float32)[None, :]


def noise(gray: Gray, rng: Rng, amount: float) -> Gray:
    """Add normal noise."""
    return gray + rng.normal(0, amount, gray.shape).astype(np.float32)


def blur(gray: Gray, radius: float) -> Gray:
    """Gaussian blur."""
    image = Image.fromarray(to_bytes(gray)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(image, np.float32) / 255


def slope(gray: Gray, rng: Rng) -> Gray:
    """Light that falls off across the page to a third."""
    y, x = axes(gray)
    angle = rng.uniform(0, 2 * np.pi)
    light = (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.7) / 1.4
    return noise(on_paper(gray, 0.3 + 0.6 * light), rng, 0.015)


def shadow(gray: Gray, rng: Rng) -> Gray:
    """The sharp edge of a shadow that halves the light on a part of the page."""
    y, x = axes(gray)
    angle = rng.uniform(0, 2 * np.pi)
    side = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) - rng.uniform(-0.2, 0.2)
    return noise(on_paper(gray, np.where(side > 0, 0.85, 0.45).astype(np.float32)), rng, 0.015)


def lines(gray: Gray, rng: Rng) -> Gray:
    """Ruled paper, slightly slanted, the lines half as dark as the ink."""
    height, width = gray.shape
    out, pitch, tilt = on_paper(gray, 0.9), height * rng.uniform(0.55, 0.8), rng.uniform(-0.02, 0.02)
    first = rng.uniform(0, pitch)
    y = np.arange(height, dtype=np.float32)[:, None] + tilt * np.arange(width, dtype=np.float32)[None, :]
    ruled = np.abs((y - first + pitch / 2) % pitch - pitch / 2) < 1.5
    return noise(np.where(ruled, np.minimum(out, 0.5), out).astype(np.float32), rng, 0.015)


def cell(gray: Gray, rng: Rng) -> Gray:
    """The cell of a form: a box around the character, some sides cut off by the picture's border."""
    out = on_paper(gray, 0.9)
    for axis in (0, 1):
        for end in (0, 1):
            size = out.shape[axis]
            at = int(size * rng.uniform(0.0, 0.04)) if end == 0 else int(size * rng.uniform(0.96, 1.0)) - 3
            index = [slice(None), slice(None)]
            index[axis] = slice(max(0, at), at + 3)
            out[tuple(index)] = 0.3
    return noise(out, rng, 0.015)


def specks(gray: Gray, rng: Rng) -> Gray:
    """Dust and dots."""
    out = on_paper(gray, 0.92)
    for _ in range(40):
        y, x = rng.integers(0, out.shape[0] - 3), rng.integers(0, out.shape[1] - 3)
        out[y : y + rng.integers(1, 4), x : x + rng.integers(1, 4)] = rng.uniform(0.2, 0.6)
    return out


def crop(gray: Gray, margin: int) -> Gray:
    """Cut to the ink's own box, plus a margin."""
    rows, columns = np.flatnonzero(gray.min(1) < 0.5), np.flatnonzero(gray.min(0) < 0.5)
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    return gray[top : rows[-1] + 1 + margin, left : columns[-1] + 1 + margin]


def far_away(gray: Gray, rng: Rng) -> Gray:
    """A small character on a large sheet."""
    sheet = np.ones((1200, 1600), np.float32)
    image = Image.fromarray(gray).resize((round(gray.shape[1] / 4), round(gray.shape[0] / 4)), Image.Resampling.BOX)
    small = np.asarray(image)
    top, left = rng.integers(50, 1200 - small.shape[0] - 50), rng.integers(50, 1600 - small.shape[1] - 50)
    sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    return noise(on_paper(sheet, 0.9), rng, 0.01)


def low_resolution(gray: Gray, side: int) -> Gray:
    """Reduce to a few pixels a side."""
    scale = side / max(gray.shape)
    size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
    return np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX), np.float32)


def jpeg(gray: Gray, quality: int) -> Gray:
    """Through a JPEG file."""
    import io

    file = io.BytesIO()
    Image.fromarray(to_bytes(gray)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32) / 255


def save_sheet(pictures: list[NDArray[np.uint8]], path: Path) -> None:
    """Write pictures side by side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = Image.new("L", (len(pictures) * 124, 124), 128)
    for i, picture in enumerate(pictures):
        image = Image.fromarray(picture)
        image.thumbnail((120, 120))
        sheet.paste(image, (i * 124 + 2, 2))
    sheet.save(path)


DEGRADATIONS: dict[str, Callable[[Gray, Rng], Gray]] = {
    "clean": lambda g, r: g,
    "white on black": lambda g, r: 1 - g,
    "chalk on a gray board": lambda g, r: noise(0.25 + 0.5 * (1 - g), r, 0.03),
    "gray paper, noise 3%": lambda g, r: noise(on_paper(g, 0.7), r, 0.03),
    "noise 10%": lambda g, r: noise(on_paper(g, 0.8), r, 0.10),
    "faint pencil": lambda g, r: noise(on_paper(g, 0.9, ink=0.75), r, 0.02),
    "light falling off": slope,
    "shadow edge": shadow,
    "ruled paper": lines,
    "form cell": cell,
    "specks": specks,
    "blur 4 px of 400": lambda g, r: noise(blur(on_paper(g, 0.9), 4), r, 0.01),
    "blur 10 px of 400": lambda g, r: noise(blur(on_paper(g, 0.9), 10), r, 0.01),
    "JPEG quality 10": lambda g, r: jpeg(on_paper(g, 0.9), 10),
    "tight crop": lambda g, r: crop(g, 0),
    "tight crop, white on black": lambda g, r: 1 - crop(g, 0),
    "crop with 3 px margin": lambda g, r: crop(g, 3),
    "small on a large sheet": far_away,
    "40 px": lambda g, r: low_resolution(crop(g, 20), 40),
    "28 px": lambda g, r: low_resolution(crop(g, 20), 28),
    "16 px": lambda g, r: low_resolution(crop(g, 10), 16),
}


if __name__ == "__main__":
    main()
