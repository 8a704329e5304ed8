"""Measure what context adds when pages are read: case, digits and letters, before and after.

    python benchmarks/read_context.py STROKES.npz [--part test] [--pages 60] [--seed 1]

STROKES.npz is UNIPEN's train_r01_v07 as `scripts/starter/strokes.py` reads it. Words and numbers of a page are put
together from one writer's characters, in the sizes in which they were written, on lines that slope and wave a little:
pages of text in both cases, in capitals, of numbers, of forms and of alphabets. Each character is recognized alone,
then in context; the shares that are right are printed, `folded` with both cases of a letter counted as one.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from starter.strokes import Character, read_unipen  # noqa: E402

from emnist_cli import Recognizer  # noqa: E402
from emnist_cli.core.pages.char_boxes import Glyph, Layout, PixelBox, TextLine  # noqa: E402
from emnist_cli.core.pages.context import read_in_context  # noqa: E402

UPPER, LOWER, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
HANG = dict.fromkeys("gpqy", 0.38) | {"j": 0.38}
STYLES = {
    "text": {"lower": 0.7, "capitalized": 0.2, "number": 0.1},
    "capitals": {"upper": 0.75, "number": 0.2, "code": 0.05},
    "form": {"upper": 0.2, "capitalized": 0.25, "number": 0.35, "code": 0.2},
    "alphabet": {"ABC": 0.4, "abc": 0.3, "number": 0.3},
    "numbers": {"number": 1.0},
}
"""Kinds of words on a page, and how often."""


class Sample(NamedTuple):
    """A character as it was written: its size in the writer's cap heights, and what the recognizer says."""

    height: float
    width: float
    probabilities: NDArray[np.float32]


Hand = dict[str, list[Sample]]


def main() -> None:
    """Write pages, read them, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path)
    parser.add_argument("--part", default="test")
    parser.add_argument("--pages", type=int, default=60, help="of each style")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    recognizer = Recognizer()
    hands = look(read_unipen(args.strokes, args.part), recognizer)
    rng = np.random.default_rng(args.seed)
    totals = np.zeros(5)
    print(f"{len(hands)} writers\n{'page':10} characters   alone  folded   in context  folded")
    for style in STYLES:
        counts = np.zeros(5)
        for _ in range(args.pages):
            layout, truth = write(rng, hands[rng.integers(len(hands))], style)
            alone = [[np.array([g.probabilities for g in word]) for word in line.words] for line in layout.lines]
            read = read_in_context(layout, recognizer.labels)
            counts += score(truth, [alone, read], recognizer.labels)
        report(style, counts)
        totals += counts
    report("all", totals)


def look(characters: list[Character], recognizer: Recognizer) -> list[Hand]:
    """Have every character recognized; return those of each writer who wrote most of them."""
    seen: dict[str, Hand] = defaultdict(lambda: defaultdict(list))
    rng = np.random.default_rng(0)
    for character in characters:
        picture = recognizer.look(draw(character, float(rng.uniform(4, 9))))
        if picture is None:
            continue
        width, height = np.ptp(np.concatenate(character.strokes), axis=0) * character.size
        row = recognizer.probabilities(picture[None])[0]
        seen[character.writer][character.label].append(Sample(max(float(height), 0.1), max(float(width), 0.05), row))
    return [hand for _, hand in sorted(seen.items()) if len(hand) >= 50]


def draw(character: Character, pen: float) -> NDArray[np.uint8]:
    """Draw a character with a round pen, black on white."""
    image = Image.new("L", (120, 120), 255)
    canvas = ImageDraw.Draw(image)
    for stroke in character.strokes:
        path = [(10 + 100 * x, 10 + 100 * y) for x, y in stroke.tolist()]
        canvas.line(path, fill=0, width=round(pen), joint="curve")
        for x, y in path:
            canvas.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=0)
    return np.asarray(image)


def write(rng: np.random.Generator, hand: Hand, style: str) -> tuple[Layout, list[list[str]]]:
    """Put a page together; return what is found on it, and its words."""
    kinds, shares = [*STYLES[style]], [*STYLES[style].values()]
    cap, slope = rng.uniform(20, 60), rng.normal(0, 0.04)
    lines, truth = [], []
    for i in range(rng.integers(1, 9)):
        one = rng.choice(kinds, p=shares)  # alphabets have a word a line
        count = 1 if style == "alphabet" else rng.integers(1, 7)
        texts = [make_word(rng, one if count == 1 else rng.choice(kinds, p=shares)) for _ in range(count)]
        texts = [t for t in ("".join(c for c in text if c in hand) for text in texts) if t]
        if not texts:
            continue
        words = place(rng, hand, texts, cap * np.exp(rng.normal(0, 0.05)), 2.5 * cap * (i + 1), slope)
        boxes = np.array([glyph.box for word in words for glyph in word])
        lines.append(TextLine(PixelBox(*boxes[:, :2].min(0).tolist(), *boxes[:, 2:].max(0).tolist()), words))
        truth.append(texts)
    return Layout(10_000, 10_000, tuple(lines)), truth


def place(
    rng: np.random.Generator, hand: Hand, texts: list[str], cap: float, row: float, slope: float
) -> tuple[tuple[Glyph, ...], ...]:
    """Write words on a line that slopes and waves."""
    x, phase, words = 0.0, rng.uniform(0, 6), []
    for text in texts:
        word = []
        for character in text:
            sample = hand[character][rng.integers(len(hand[character]))]
            height, width = sample.height * cap * np.exp(rng.normal(0, 0.04)), sample.width * cap
            bottom = row + slope * x + cap * (0.08 * np.sin(x / cap / 12 + phase) + rng.normal(0, 0.07))
            bottom += HANG.get(character, 0.0) * height
            box = PixelBox(int(x), int(bottom - height), int(x + width) + 1, int(bottom) + 1)
            word.append(Glyph(box, sample.probabilities))
            x += width + 0.25 * cap
        words.append(tuple(word))
        x += cap
    return tuple(words)


WORDS = sorted({w.lower() for w in re.findall(r"[A-Za-z]{2,12}", (ROOT / "LICENSE").read_text(encoding="utf-8"))})


def make_word(rng: np.random.Generator, kind: str) -> str:
    """Make up a word of a kind."""
    if kind in ("number", "code"):
        return "".join(rng.choice([*(DIGITS if kind == "number" else DIGITS + UPPER)], rng.integers(2, 8)))
    if kind in ("ABC", "abc"):
        first = rng.integers(0, 20)
        return (UPPER if kind == "ABC" else LOWER)[first : first + rng.integers(3, 14)]
    word = str(rng.choice(WORDS))
    return {"lower": word, "upper": word.upper(), "capitalized": word.capitalize()}[kind]


def score(
    truth: list[list[str]], answers: list[list[list[NDArray[np.float32]]]], labels: tuple[str, ...]
) -> NDArray[np.float64]:
    """Count characters, and for each way of reading those that are right, exactly and with cases folded."""
    true = "".join(text for line in truth for text in line)
    counts = [len(true)]
    for lines in answers:
        read = "".join(labels[i] for line in lines for word in line for i in word.argmax(axis=1))
        counts.append(sum(a == b for a, b in zip(read, true, strict=True)))
        counts.append(sum(a.upper() == b.upper() for a, b in zip(read, true, strict=True)))
    return np.array(counts, float)


def report(name: str, counts: NDArray[np.float64]) -> None:
    """Print a row."""
    alone, folded, read, read_folded = counts[1:] / counts[0]
    print(f"{name:10} {counts[0]:10.0f}  {alone:.4f}  {folded:.4f}       {read:.4f}  {read_folded:.4f}")


if __name__ == "__main__":
    main()
