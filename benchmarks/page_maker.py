"""Make pages of single handwritten characters, with the box of each, from a seed; for `pages.py`.

One writer's characters are laid out in lines on paper that is plain, ruled, squared or has boxes for them, and seen by
a camera: tilted, in a shadow, in perspective on a table, blurred, noisy, compressed.
"""

import csv
import io
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from emnist_cli.core.imaging import decode
from emnist_cli.core.imaging.ops import Gray, bounds, resize
from emnist_cli.core.pages.char_boxes import PixelBox
from emnist_cli.core.preprocessing.background import is_dark_ink
from emnist_cli.core.preprocessing.ink import find_ink

Rng = np.random.Generator
Owner = NDArray[np.int32]
"""The number of the character that each pixel belongs to; 0 for none."""

_SMALL, _DEEP = "acemnorsuvwxz", "gjpqy"
_RULED = ("ruled", "squared", "table lines")


class Made(NamedTuple):
    """A page and what stands on it: lines of (character, box), and the conditions it was made under."""

    picture: NDArray[np.uint8]
    lines: list[list[tuple[str, PixelBox]]]
    conditions: list[str]


Hand = dict[str, list[Path]]
"""One writer's pictures of each character."""


def hands(folder: Path, part: str) -> list[Hand]:
    """Find the pictures of every writer who wrote at least twenty characters."""
    found: dict[tuple[Path, str], Hand] = defaultdict(lambda: defaultdict(list))
    for table in sorted(folder.rglob("labels.csv")):
        for row in csv.DictReader(table.read_text().splitlines()):
            if row["part"] == part and row["label"].isalnum():
                found[table, row["writer"]][row["label"]].append(table.parent / row["file"])
    return [hand for hand in found.values() if sum(map(len, hand.values())) >= 20]


def ink_of(path: Path, height: int, width: int) -> Gray | None:
    """The ink of one character scaled to fit height and width, float32 in [0, 1]; None where there is none."""
    shade = resize(decode.decode_image(path.read_bytes()).gray, 1)
    shade = resize(shade, min(1.0, 320 / max(shade.shape)))
    found = find_ink(shade, is_dark_ink(shade))
    if found is None:
        return None
    top, left, bottom, right = bounds(found.mask)
    ink = found.density[top:bottom, left:right]
    return resize(ink, min(height / ink.shape[0], width / ink.shape[1]), Image.Resampling.BICUBIC).clip(0, 1)


class Chance:
    """Decides what befalls a page, and keeps the names of what did."""

    def __init__(self, rng: Rng) -> None:
        """Decide by `rng`."""
        self.rng, self.names = rng, list[str]()

    def happens(self, name: str, chance: float) -> bool:
        """Tell whether it does."""
        if self.rng.random() < chance:
            self.names.append(name)
        return name in self.names


def make_page(rng: Rng, hand: Hand) -> Made:
    """Make a page of one writer's characters."""
    chance = Chance(rng)
    height = int(rng.uniform(30, 110))
    columns, rows = int(rng.integers(4, 16)), int(rng.integers(2, 9))
    touching, spaced = chance.happens("touching", 0.15), chance.happens("spaced", 0.25)
    pitch = int(height * rng.uniform(1.5, 2.6))
    gap = height * (rng.uniform(0.0, 0.1) if touching else rng.uniform(0.6, 1.3) if spaced else rng.uniform(0.12, 0.35))
    size = (int(rows * pitch + 3 * height), int(columns * (height + gap) * 1.25 + 4 * height))
    ink, owner = np.zeros(size, np.float32), np.zeros(size, np.int32)
    lines = write_lines(rng, hand, ink, owner, rows=rows, height=height, pitch=pitch, gap=gap, spaced=spaced)
    ink *= np.float32(rng.uniform(0.45, 0.92))
    paper = draw_paper(chance, size, height, pitch)
    if not set(_RULED) & set(chance.names) and chance.happens("boxes", 0.25):
        boxes = boxes_of(owner)
        paper = paper * draw_boxes(rng, size, [[boxes[n] for _, n in line if n in boxes] for line in lines], height)
    picture, owner = photograph(chance, paper * (1 - ink), owner, height)
    boxes = boxes_of(owner)
    written = [[(c, boxes[n]) for c, n in line if n in boxes] for line in lines]
    return Made(picture, [line for line in written if line], chance.names or ["plain"])


def photograph(chance: Chance, page: Gray, owner: Owner, height: int) -> tuple[NDArray[np.uint8], Owner]:
    """See a page with a camera; where it shows each character."""
    rng, picture = chance.rng, page
    if chance.happens("table", 0.2):
        picture, owner = lay_on_table(rng, picture, owner)
    degrees = rng.uniform(-6, 6) if chance.happens("tilted", 0.4) else rng.uniform(-0.7, 0.7)
    picture, owner = tilt(picture, owner, degrees)
    if chance.happens("shadow", 0.25):
        picture = picture * shadow(rng, picture.shape)
    if chance.happens("blur", 0.25):
        picture = gaussian_filter(picture, height * rng.uniform(0.01, 0.035))
    picture = picture + rng.normal(0, rng.uniform(0.002, 0.03), picture.shape).astype(np.float32)
    if chance.happens("light ink", 0.15):
        picture = 1 - picture
    eight_bits = (picture.clip(0, 1) * 255).astype(np.uint8)
    if chance.happens("jpeg 30", 0.3):
        stream = io.BytesIO()
        Image.fromarray(eight_bits).save(stream, "JPEG", quality=30)
        eight_bits = np.asarray(Image.open(stream))
    return eight_bits, owner


def write_lines(
    rng: Rng, hand: Hand, ink: Gray, owner: Owner, *, rows: int, height: int, pitch: int, gap: float, spaced: bool
) -> list[list[tuple[str, int]]]:
    """Write lines of words onto `ink`; `owner` gets each character's number. Returns their characters and numbers."""
    labels, number, lines = sorted(hand), 0, []
    slope, bend = rng.normal(0, 0.01), rng.normal(0, 0.02)
    for row in range(rows):
        line: list[tuple[str, int]] = []
        x, word = height * rng.uniform(1, 2), int(rng.integers(1, 9))
        end = ink.shape[1] - height * rng.uniform(1, 4)
        while x < end:
            label = labels[rng.integers(len(labels))]
            path = hand[label][rng.integers(len(hand[label]))]
            scale = rng.uniform(0.85, 1.1) * (0.68 if label in _SMALL else 1)
            drawn = ink_of(path, round(height * scale), round(height * 1.15 * scale))
            if drawn is None:
                continue
            across = x / ink.shape[1] - 0.5
            base = 1.5 * height + row * pitch + height + slope * x + bend * height * 8 * (across**2 - 0.08)
            base += height * (0.28 * (label in _DEEP) + rng.normal(0, 0.04))
            top, left = int(base) - drawn.shape[0], int(x)
            place = np.s_[top : top + drawn.shape[0], left : left + drawn.shape[1]]
            if top < 0 or ink[place].shape != drawn.shape:
                break
            number += 1
            owner[place][drawn > np.maximum(ink[place], 0.3)] = number
            ink[place] = np.maximum(ink[place], drawn)
            line.append((label, number))
            word -= 1
            x += drawn.shape[1] + max(gap * rng.uniform(0.6, 1.4), 0.04 * height if gap > 0.11 * height else -2)
            if not word:
                x += height * (0.0 if spaced else rng.uniform(0.6, 1.2))
                word = int(rng.integers(1, 9))
        lines.append(line)
    return lines


def draw_paper(chance: Chance, size: tuple[int, int], height: int, pitch: int) -> Gray:
    """Paper with uneven light, perhaps ruled or squared, perhaps with specks."""
    rng = chance.rng
    rows, columns = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j].astype(np.float32)
    light = rng.uniform(0.55, 0.97) * (1 + rng.normal(0, 0.12) * rows + rng.normal(0, 0.12) * columns)
    image = Image.new("F", size[::-1], 1.0)
    pen = ImageDraw.Draw(image)
    gray, width = rng.uniform(0.35, 0.85), max(1, round(height * rng.uniform(0.015, 0.05)))
    kind = str(rng.choice(["plain", "plain", *_RULED]))
    if kind in _RULED and chance.happens(kind, 1):
        step = height * rng.uniform(0.35, 1.2) if kind == "squared" else pitch
        for y in np.arange(1.5 * height + height * (1.08 if kind == "ruled" else -0.25), size[0], step):
            pen.line([(0, y), (size[1], y)], fill=gray, width=width)
        apart = {"ruled": size[1], "squared": step}.get(kind, size[1] / rng.integers(1, 4))
        for x in np.arange(height * 0.5, size[1], apart) if kind != "ruled" else ():
            pen.line([(x, 0), (x, size[0])], fill=gray, width=width)
    if chance.happens("specks", 0.2):
        for x, y in rng.uniform(0, 1, (int(rng.integers(5, 60)), 2)) * (size[1], size[0]):
            r = height * rng.uniform(0.01, 0.05)
            pen.ellipse((x - r, y - r, x + r, y + r), fill=gray)
    return np.asarray(image) * light.clip(0.1, 1).astype(np.float32)


def draw_boxes(rng: Rng, size: tuple[int, int], lines: list[list[PixelBox]], height: int) -> Gray:
    """A form's box around every character: rows of cells that share their sides, or boxes apart."""
    image = Image.new("F", size[::-1], 1.0)
    pen = ImageDraw.Draw(image)
    gray, width = rng.uniform(0.1, 0.8), max(1, round(height * rng.uniform(0.02, 0.05)))
    margin, apart = height * rng.uniform(0.08, 0.25), rng.random() < 0.4
    for line in filter(None, lines):
        top, bottom = min(b.top for b in line) - margin, max(b.bottom for b in line) + margin
        middles = [(a.right + b.left) / 2 for a, b in pairwise(line)]
        sides = [line[0].left - margin, *middles, line[-1].right + margin]
        for left, right in pairwise(sides):
            inset = min(0.04 * height, (right - left) / 8) if apart else 0
            pen.rectangle((left + inset, top, right - inset, bottom), outline=gray, width=width)
    return np.asarray(image)


def lay_on_table(rng: Rng, page: Gray, owner: Owner) -> tuple[Gray, Owner]:
    """Show the page slightly in perspective on a table of another brightness with some grain."""
    height, width = page.shape
    margin = 0.12 * max(page.shape)
    size = (int(width + 2 * margin), int(height + 2 * margin))
    source = np.array([[0, 0], [0, height], [width, height], [width, 0]], float)
    numbers = perspective(source + margin + rng.uniform(-0.4, 0.4, (4, 2)) * margin, source)
    how = (size, Image.Transform.PERSPECTIVE, numbers)
    laid = np.asarray(Image.fromarray(page).transform(*how, Image.Resampling.BILINEAR))
    cover = np.asarray(Image.new("F", (width, height), 1.0).transform(*how, Image.Resampling.BILINEAR))
    grain = rng.normal(0, rng.uniform(0, 0.08), (size[1], 1)) + rng.normal(0, 0.02, size[::-1])
    table = (rng.uniform(0.1, 0.5) + gaussian_filter(grain, 2)).clip(0.02, 1).astype(np.float32)
    owner = np.asarray(Image.fromarray(owner).transform(*how, Image.Resampling.NEAREST))
    return laid * cover + table * (1 - cover), owner


def perspective(corners: NDArray[np.float64], source: NDArray[np.float64]) -> tuple[float, ...]:
    """The eight numbers by which Pillow takes places in the new picture, `corners`, to those in the old, `source`."""
    equations, values = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        equations += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(np.linalg.solve(np.array(equations), np.array(values)).tolist())


def tilt(picture: Gray, owner: Owner, degrees: float) -> tuple[Gray, Owner]:
    """Turn the page; what comes into view at the corners has the brightness of its border."""
    fill = float(np.median(picture[0]))
    turned = Image.fromarray(picture).rotate(degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=fill)
    return np.asarray(turned), np.asarray(Image.fromarray(owner).rotate(degrees, Image.Resampling.NEAREST, expand=True))


def shadow(rng: Rng, shape: tuple[int, ...]) -> Gray:
    """Light that falls on one side of a line across the page only, with a soft or a sharp edge."""
    rows, columns = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    side = (rows * np.sin(angle) + columns * np.cos(angle) + rng.uniform(-0.4, 0.4)) / rng.uniform(0.01, 0.2)
    return (1 - rng.uniform(0.3, 0.6) / (1 + np.exp(-side.clip(-30, 30)))).astype(np.float32)


def boxes_of(owner: Owner) -> dict[int, PixelBox]:
    """The box of each number's pixels."""
    rows, columns = np.nonzero(owner)
    numbers = owner[rows, columns]
    order = np.argsort(numbers, kind="stable")
    found = {}
    for group in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
        if len(group):
            y, x = rows[group], columns[group]
            found[int(numbers[group[0]])] = PixelBox(int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
    return found
