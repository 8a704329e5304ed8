"""Write images of an EMNIST archive as upright PNG files of 28x28 pixels, for the other benchmarks.

python benchmarks/small_pictures.py ARCHIVE DIR [--count 100000] [--split byclass] [--part train]
"""

import argparse
from itertools import islice
from pathlib import Path

from PIL import Image

from emnist_cli.core.data.sources import open_source


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--split", default="byclass")
    parser.add_argument("--part", default="train")
    args = parser.parse_args()
    args.dir.mkdir(parents=True)
    pictures = (p for chunk in open_source(args.archive).chunks(args.split, args.part) for p in chunk.images)
    for number, picture in enumerate(islice(pictures, args.count)):
        Image.fromarray(picture).save(args.dir / f"{number:06}.png")


if __name__ == "__main__":
    main()
