"""Make the pictures and strokes that the repository carries, from UNIPEN's pen strokes (CC BY 4.0).

    python scripts/make_pictures.py strokes UNIPEN.npz    writes tests/fixtures/strokes.json
    python scripts/make_pictures.py examples              writes examples/ from it

UNIPEN.npz holds train_r01_v07 (doi 10.5281/zenodo.1195803) as arrays: `points` int32 (n, 2) with y downwards,
`stroke_len` points per stroke, `strokes` strokes per character, `label`, `part`. The strokes are chosen by
a seed, three donors' characters of each class, of the part that no model is trained on; some are hard to read. The
examples are legible ones among them.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.core.pages.written import page  # noqa: E402
from tests.handwriting import FIXTURES, picture  # noqa: E402

PER_CLASS = 3


def main() -> None:
    """Make what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("strokes").add_argument("unipen", type=Path)
    commands.add_parser("examples")
    args = parser.parse_args()
    if args.what == "strokes":
        make_strokes(args.unipen)
    else:
        make_examples(ROOT / "examples")


def make_strokes(unipen: Path) -> None:
    """Choose strokes and write them, thinned and scaled to a box of 100."""
    data = np.load(unipen)
    points = np.split(data["points"], np.cumsum(data["stroke_len"])[:-1])
    first = np.concatenate([[0], np.cumsum(data["strokes"])])
    labels, tests = data["label"].astype(str), np.flatnonzero(data["part"].astype(str) == "test")
    chosen: dict[str, list[list[list[list[int]]]]] = {}
    for i in np.random.default_rng(7).permutation(tests):
        mine = chosen.setdefault(labels[i], [])
        if len(mine) < PER_CLASS:
            mine.append(scaled(points[first[i] : first[i + 1]]))
    text = ",\n".join(f"{json.dumps(c)}: {json.dumps(chosen[c], separators=(',', ':'))}" for c in sorted(chosen))
    (FIXTURES / "strokes.json").write_text("{" + text + "}\n")


def scaled(strokes: list[np.ndarray]) -> list[list[list[int]]]:
    """Bring strokes to a box of 100 and drop points that hardly move."""
    everything = np.concatenate(strokes).astype(float)
    low, side = everything.min(axis=0), max(float(np.ptp(everything, axis=0).max()), 1.0)
    out = []
    for stroke in strokes:
        kept: list[list[int]] = []
        for x, y in np.rint((stroke - low) * 100 / side).astype(int).tolist():
            if not kept or max(abs(x - kept[-1][0]), abs(y - kept[-1][1])) >= 3:
                kept.append([x, y])
        out.append(kept)
    return out


def make_examples(folder: Path) -> None:
    """Draw the examples: the forms in which people have handwriting."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    on_paper(picture("A", 0, size=(480, 360), pen=0.035, margin=0.15), (38, 52, 120), rng).save(
        folder / "blue-ink-A.jpg", quality=88
    )
    on_paper(picture("7", 1, size=(300, 400), pen=0.03), (70, 70, 74), rng).save(folder / "pencil-7.jpg", quality=80)
    chalk = np.asarray(picture("R", 0, size=(256, 256), pen=0.07), np.float32) / 255
    board = 0.2 + 0.6 * (1 - chalk) + rng.normal(0, 0.03, chalk.shape)
    Image.fromarray((np.clip(board, 0, 1) * 255).astype(np.uint8)).save(folder / "chalk-R.png")
    canvas = Image.new("RGBA", (280, 280), (255, 255, 255, 0))
    canvas.putalpha(picture("b", 0, size=(280, 280), pen=0.07).point(lambda v: 255 - v))
    canvas.save(folder / "canvas-b.png")
    picture("5", 2, size=(900, 600), pen=0.02).convert("1").save(folder / "scan-5.tiff", compression="group4")
    small = picture("e", 1, size=(28, 28), pen=0.11, margin=0.14).point(lambda v: 255 - v)
    small.save(folder / "tiny-e.png")
    written = page(["READ WHAT PEOPLE", "PRINT BY HAND", "ROOM 204 CODE X19B", "2026 73615 48"], donor=1, cap=64)
    (folder / "pages").mkdir(exist_ok=True)
    held = written.rotate(-2, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    on_paper(held, (34, 36, 48), rng).save(folder / "pages" / "note.jpg", quality=82)


def on_paper(drawn: Image.Image, ink: tuple[int, int, int], rng: np.random.Generator) -> Image.Image:
    """Put black on white onto warm paper in light that falls off, as a phone would take it."""
    cover = 1 - np.asarray(drawn.filter(ImageFilter.GaussianBlur(0.8)), np.float32)[..., None] / 255
    height, width = drawn.height, drawn.width
    light = 0.62 + 0.38 * np.linspace(0, 1, width)[None, :, None] * np.linspace(1, 0.8, height)[:, None, None]
    paper = np.array([244, 238, 222], np.float32)
    picture = (paper * (1 - 0.85 * cover) + np.array(ink, np.float32) * 0.85 * cover) * light
    picture += rng.normal(0, 2.5, picture.shape)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
