"""Measure how well the starter reads the same strokes drawn with thinner and thicker pens.

    python benchmarks/pens.py DATA [--model MODEL]

DATA holds scans/tablet and strokes/tablet.json (docs/model/starter.md); the writers of part test are drawn, each with
one pen for all characters, whose width is given beside the height of a capital.
"""

import argparse
import string
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from starter import scans, strokes  # noqa: E402

from emnist_cli.core.classify.recognizer import Recognizer  # noqa: E402

WIDTHS = (0.04, 0.06, 0.09, 0.12, 0.16, 0.20, 0.25)
ALIKE = "COSUVWXZ"  # capitals that differ from their small letters in size alone
CAPITAL = 480  # height in pixels, reduced to a third when drawn


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="starter")
    args = parser.parse_args()
    writers = scans.read_writers(args.data / "scans/tablet", "test")
    characters = strokes.read_tablet(args.data / "strokes/tablet.json", writers)
    recognizer = Recognizer(args.model, top_k=1)
    print(f"{len(characters):,} characters of {len(writers)} writers; {''.join(ALIKE)} by case")
    print("pen width  exact  case folded  capitals read small  small read as capitals")
    for width in WIDTHS:
        read = [p.label for p in recognizer.predict_many(np.asarray(draw(c, width)) for c in characters)]
        pairs = [(c.label, label) for c, label in zip(characters, read, strict=True)]
        exact = np.mean([a == b for a, b in pairs])
        folded = np.mean([a.upper() == b.upper() for a, b in pairs])
        small = np.mean([b == a.lower() for a, b in pairs if a in ALIKE])
        large = np.mean([b == a.upper() for a, b in pairs if a in ALIKE.lower()])
        print(f"{width:9.2f}  {exact:.3f}  {folded:11.3f}  {small:19.3f}  {large:22.3f}")


def draw(character: strokes.Character, width: float) -> Image.Image:
    """Draw a character with a round pen of `width` capitals, dark on white."""
    assert character.label in string.ascii_letters + string.digits
    scale, pen = character.size * CAPITAL, width * CAPITAL
    points = np.concatenate(character.strokes)
    margin = pen + 0.2 * CAPITAL
    size = tuple((np.ptp(points, axis=0) * scale + 2 * margin).astype(int).tolist())
    image = Image.new("L", size, 255)
    canvas = ImageDraw.Draw(image)
    for stroke in character.strokes:
        path = stroke * scale + margin
        canvas.line(path.ravel().tolist(), fill=0, width=round(pen), joint="curve")
        for x, y in path[:: max(1, len(path) - 1)]:
            canvas.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=0)
    return image.reduce(3)


if __name__ == "__main__":
    main()
