"""Measure how well characters are found and read on pages made of single handwritten characters.

    python benchmarks/pages.py FOLDER [--part test] [--pages 200] [--seed 1] [--write DIR]

FOLDER holds pictures of single characters and a labels.csv (file,label,writer,part), or folders that do; `page_maker`
says what pages are made of them. Recall and precision are of boxes (intersection over union at least 0.5); a line is
found if most of its characters stand in one line, and no other line's do.
"""

import argparse
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from edits import distance
from page_maker import Made, hands, make_page
from PIL import Image, ImageDraw

from emnist_cli import Recognizer
from emnist_cli.core.pages.char_boxes import Layout, PixelBox
from emnist_cli.core.pages.segment import segment


def overlap(one: PixelBox, other: PixelBox) -> float:
    """Intersection over union."""
    wide = min(one.right, other.right) - max(one.left, other.left)
    tall = min(one.bottom, other.bottom) - max(one.top, other.top)
    if wide <= 0 or tall <= 0:
        return 0.0
    area = sum((b.right - b.left) * (b.bottom - b.top) for b in (one, other)) - wide * tall
    return wide * tall / area


class Score(NamedTuple):
    """Counts over one page, or summed over several."""

    boxes: int
    found: int
    matched: int
    lines: int
    lines_found: int
    lines_right: int
    folded: int
    exact: int
    seconds: float


def score(made: Made, layout: Layout, labels: tuple[str, ...], seconds: float) -> Score:
    """Compare what was found on a page with what stands there."""
    truth = [(box, i) for i, line in enumerate(made.lines) for _, box in line]
    found = [(g.box, i) for i, line in enumerate(layout.lines) for word in line.words for g in word]
    pairs = sorted(
        ((overlap(a, b), i, j) for i, (a, _) in enumerate(truth) for j, (b, _) in enumerate(found)), reverse=True
    )
    of_truth: dict[int, int] = {}
    taken: set[int] = set()
    for share, i, j in pairs:
        if share < 0.5:
            break
        if i not in of_truth and j not in taken:
            of_truth[i] = j
            taken.add(j)
    votes: dict[int, list[int]] = defaultdict(list)
    for i, j in of_truth.items():
        votes[truth[i][1]].append(found[j][1])
    homes = [max(set(v), key=v.count) for n, v in votes.items() if len(v) * 2 > len(made.lines[n])]
    text = "".join(c for line in made.lines for c, _ in line)
    read = "".join(labels[g.probabilities.argmax()] for line in layout.lines for word in line.words for g in word)
    return Score(
        len(truth), len(found), len(of_truth), len(made.lines), len(layout.lines), len(set(homes)),
        distance(text.upper(), read.upper()), distance(text, read), seconds,
    )  # fmt: skip


def report(name: str, scores: list[Score]) -> None:
    """Print one row of the table."""
    s = Score(*map(sum, zip(*scores, strict=True)))
    print(
        f"{name:14} pages {len(scores):4}  recall {s.matched / s.boxes:.4f}  precision "
        f"{s.matched / max(1, s.found):.4f}  lines {s.lines_right}/{s.lines} ({s.lines_found} found)  character errors "
        f"{s.folded / s.boxes:.4f} case-folded "
        f"{s.exact / s.boxes:.4f} exact  {s.seconds / len(scores):.2f} s"
    )


def draw(made: Made, layout: Layout, path: Path) -> None:
    """Write the page with the boxes that stand there (green) and those found (red)."""
    image = Image.fromarray(made.picture).convert("RGB")
    pen = ImageDraw.Draw(image)
    for line in made.lines:
        for _, box in line:
            pen.rectangle(box, outline=(0, 160, 0))
    for line in layout.lines:
        for word in line.words:
            for glyph in word:
                pen.rectangle(
                    (glyph.box.left - 1, glyph.box.top - 1, glyph.box.right, glyph.box.bottom), outline=(230, 0, 0)
                )
    image.save(path)


def main() -> None:
    """Make pages, read them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="test")
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="write each page here, with boxes")
    args = parser.parse_args()
    writers = hands(args.folder, args.part)
    recognizer = Recognizer()
    every: dict[str, list[Score]] = defaultdict(list)
    for number in range(args.pages):
        rng = np.random.default_rng([args.seed, number])
        made = make_page(rng, writers[rng.integers(len(writers))])
        start = time.perf_counter()
        layout = segment(made.picture, recognizer)
        one = score(made, layout, recognizer.labels, time.perf_counter() - start)
        for condition in (*made.conditions, "all"):
            every[condition].append(one)
        if args.write:
            args.write.mkdir(parents=True, exist_ok=True)
            draw(made, layout, args.write / f"{number:03}.png")
            print(number, made.picture.shape, made.conditions, one, flush=True)
    for condition in sorted(every, key=lambda name: (name == "all", name)):
        report(condition, every[condition])


if __name__ == "__main__":
    main()
