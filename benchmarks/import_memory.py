"""Measure the memory and time of `emnist data import` for the largest split, and how soon training can start.

    python benchmarks/import_memory.py [--pictures 814255] [--archive gzip.zip]

Without --archive one is made, laid out as NIST's gzip.zip, with as many pictures of byclass as the published one has
and about their size when compressed. Everything lies in a temporary folder, 2 GB at full size, and is removed.
"""

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from emnist_cli.core.labels import SPLITS

SPLIT = SPLITS["byclass"]
CHUNK = 8192
SHAPES = 4096  # so many that gzip, which looks 40 pictures back, hardly meets one twice

FIRST_BATCH = """
import sys, time
from pathlib import Path
start = float(sys.argv[1])
from emnist_cli.core.platform.tensorflow import load_tensorflow
ready = time.time()
load_tensorflow()
imported = time.time()
import numpy as np
import tensorflow as tf
from emnist_cli.core.config import TrainConfig
from emnist_cli.core.data import dataset
from emnist_cli.core.training.input_pipeline import training_batches
pictures = dataset.load(sys.argv[3], "train", Path(sys.argv[2]))
rows = np.arange(len(pictures.labels))
batches = training_batches(pictures, rows, TrainConfig(batch_size=128, augment=sys.argv[4] == "1"), 0,
                           tf.distribute.get_strategy())
next(iter(batches))
print(imported - ready, time.time() - start - (imported - ready))
"""
"""Run by a new process: seconds for importing TensorFlow, and for everything else up to the first batch."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=SPLIT.train + SPLIT.test, help="how many to make")
    parser.add_argument("--archive", type=Path, help="import this instead of making one")
    parser.add_argument("--split", default=SPLIT.name, help="what to import of --archive")
    parser.add_argument("--runs", type=int, default=3, help="of what is measured after the import")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="emnist-") as name:
        folder = Path(name)
        archive = asked.archive or make_archive(folder / "gzip.zip", asked.pictures)
        split = asked.split if asked.archive else SPLIT.name
        print(f"{archive.name}, {archive.stat().st_size / 1e6:,.1f} MB, {split}")
        command = [sys.executable, "-m", "emnist_cli", "data", "import", str(archive), "--split", split]
        command += ["--data-dir", str(folder / "data")]
        report("import TensorFlow alone", *measure([sys.executable, "-c", "import tensorflow"])[:2])
        report("data import", *measure(command)[:2])
        for _ in range(asked.runs):
            report("data import again, nothing changed", *measure(command)[:2])
        for augment in "01" * asked.runs:
            start = [sys.executable, "-c", FIRST_BATCH, str(time.time()), str(folder / "data"), split, augment]
            wall, peak, out = measure(start)
            imported, beyond = map(float, out.split())
            report(f"first batch, {'with' if augment == '1' else 'no'} augmentation", wall, peak)
            print(f"    {imported:.2f} s of it for importing TensorFlow, {beyond:.2f} s for all else")


def report(what: str, wall: float, peak: float) -> None:
    """Print one line."""
    print(f"{what:36} {wall:8.2f} s {peak:8.0f} MB peak", flush=True)


def measure(command: list[str]) -> tuple[float, float, str]:
    """Run a command; return wall seconds, its peak resident memory in MB and what it printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        sys.exit(f"{command} failed with {os.waitstatus_to_exitcode(status)}")
    return wall, usage.ru_maxrss / 1024, out


def make_archive(path: Path, pictures: int) -> Path:
    """Write an archive of byclass, an eighth of it for testing as in the published one, a chunk at a time."""
    rng = np.random.default_rng(0)
    shapes = draw_shapes(rng)
    test = round(pictures * SPLIT.test / (SPLIT.train + SPLIT.test))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for part, count in (("train", pictures - test), ("test", test)):
            name = f"gzip/emnist-{SPLIT.name}-{part}"
            labels = (rng.integers(0, len(SPLIT.classes), min(CHUNK, count - i), np.uint8) for i in steps(count))
            images = (choose(rng, shapes, min(CHUNK, count - i)) for i in steps(count))
            write_member(archive, f"{name}-labels-idx1-ubyte.gz", (count,), labels)
            write_member(archive, f"{name}-images-idx3-ubyte.gz", (count, 28, 28), images)
    return path


def steps(count: int) -> range:
    """Return where each chunk of `count` pictures starts."""
    return range(0, count, CHUNK)


def write_member(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], chunks: Iterator[NDArray[np.uint8]]
) -> None:
    """Write one IDX file, gzipped, as it comes."""
    header = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    with archive.open(name, "w", force_zip64=True) as member, gzip.GzipFile(fileobj=member, mode="wb") as file:
        file.write(header)
        for chunk in chunks:
            file.write(chunk.tobytes())


def draw_shapes(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a few strokes each, soft as EMNIST's; uint8 (SHAPES, 28, 28)."""
    shapes = np.zeros((SHAPES, 28, 28), np.uint8)
    for shape in shapes:
        picture = Image.new("L", (112, 112))
        pen = ImageDraw.Draw(picture)
        for _ in range(rng.integers(1, 3)):
            points = [tuple(point) for point in rng.integers(16, 96, (rng.integers(2, 5), 2)).tolist()]
            pen.line(points, fill=255, width=11, joint="curve")
        soft = picture.filter(ImageFilter.GaussianBlur(3)).resize((28, 28), Image.Resampling.BICUBIC)
        shape[:] = np.asarray(soft)
    return shapes


def choose(rng: np.random.Generator, shapes: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Take shapes at random, each shifted a little; uint8 (count, 28, 28)."""
    chosen = shapes[rng.integers(0, len(shapes), count)]
    rows, columns = rng.integers(0, 5, (2, count))
    padded = np.pad(chosen, ((0, 0), (2, 2), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (28, 28), axis=(1, 2))
    return np.asarray(windows[np.arange(count), rows, columns])


if __name__ == "__main__":
    main()
