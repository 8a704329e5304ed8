"""Measure the throughput of `emnist predict FOLDER` beside its limit, decoding, and beside other ways.

    python benchmarks/folder_speed.py FOLDER... [--rounds 5] [--workers N] [--keras 200] [--options "--raw"]

Per folder, in pictures a second from start to end of a process, so that starting up counts:
- decode: files opened and decoded with Pillow, by as many processes, and nothing else: the limit;
- emnist: `emnist predict FOLDER -o rows.jsonl --quiet`;
- threads: the same work by threads of one process (why there are processes);
- one: by one process, with --workers 1;
- keras: `model.predict` on one ready-made 28x28 picture at a time; loading the network is not counted.
The medians, their spread, and emnist's ratio to the limit and to Keras are printed.
"""

import argparse
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np

from emnist_cli.core import bundle
from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.files.discovery import find_pictures
from emnist_cli.core.parallel.run_files import CHUNK
from emnist_cli.core.platform.cpu import available_cores

DECODE = """
import sys
from multiprocessing import Pool
from PIL import Image
from emnist_cli.core.files.discovery import find_pictures
def decode(path):
    with Image.open(path) as image:
        image.load()
if __name__ == "__main__":
    with Pool(int(sys.argv[2])) as pool:
        for _ in pool.imap(decode, (found.path for found in find_pictures([sys.argv[1]], True)), chunksize=32):
            pass
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument("--keras", type=int, default=200, metavar="N", help="pictures for Keras; 0 leaves it out")
    parser.add_argument("--without", default="", help="ways to leave out, with commas between")
    parser.add_argument("--options", default="", help="of emnist predict")
    args = parser.parse_args()
    packages = ("emnist-cli", "numpy", "pillow", "ai-edge-litert", "keras")
    print(f"{platform.machine()}, {available_cores()} cores, Python {platform.python_version()},", end=" ")
    print(*(f"{name} {version(name)}" for name in packages), sep=", ")
    for folder in args.folders:
        measure(folder, args)


def measure(folder: Path, args: argparse.Namespace) -> None:
    """Time every way on one folder."""
    count = sum(1 for _ in find_pictures([str(folder)], recursive=True))
    ways: dict[str, Callable[[], float]] = {
        "decode": lambda: decode(folder, args.workers, count),
        "emnist": lambda: emnist(folder, args.workers, count, args.options),
        "threads": lambda: threads(folder, args.workers, count),
        "one": lambda: emnist(folder, 1, count, args.options),
    }
    if args.keras:
        ways["keras"] = keras_one_by_one(folder, args.keras)
    for name in filter(None, args.without.split(",")):
        ways.pop(name, None)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(args.rounds):
        for name, way in ways.items():
            rates[name].append(way())
    print(f"\n{folder}: {count:,} pictures, {args.workers} workers, {args.rounds} rounds {args.options}")
    ours = median(rates["emnist"])
    for name, found in rates.items():
        middle = median(found)
        print(
            f"  {name:8} {middle:10,.1f}/s ({min(found):,.1f}..{max(found):,.1f}); emnist is {ours / middle:.2f} of it"
        )


def decode(folder: Path, workers: int, count: int) -> float:
    """Decode alone."""
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "decode.py"
        script.write_text(DECODE)
        return count / timed([sys.executable, str(script), str(folder), str(workers)])


def emnist(folder: Path, workers: int, count: int, options: str) -> float:
    """The command."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "rows.jsonl"
        command = [sys.executable, "-m", "emnist_cli", "predict", str(folder), "-r", "-q", "-o", str(output)]
        seconds = timed([*command, "--workers", str(workers), *shlex.split(options)])
        with output.open() as rows:
            assert sum(1 for _ in rows) == count
        return count / seconds


def timed(command: list[str]) -> float:
    """Seconds that a process takes; one that fails for a picture is no reason to stop."""
    start = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert done.returncode in (0, 3)
    return time.perf_counter() - start


def threads(folder: Path, workers: int, count: int) -> float:
    """The library's own steps, shared by threads."""
    start = time.perf_counter()
    recognizer = Recognizer(threads=1, batch_size=CHUNK)
    files = list(find_pictures([str(folder)], recursive=True))
    chunks = [files[i : i + CHUNK] for i in range(0, len(files), CHUNK)]
    with ThreadPoolExecutor(workers) as pool:
        assert sum(pool.map(lambda chunk: len(list(recognizer.predict_many(chunk, False))), chunks)) == count
    return count / (time.perf_counter() - start)


def keras_one_by_one(folder: Path, count: int) -> Callable[[], float]:
    """Keras' own loop, as small web apps have it."""
    from emnist_cli.core.platform.tensorflow import load_tensorflow

    load_tensorflow()
    from emnist_cli.core.model_export import recover

    found = [f for _, f in zip(range(count), find_pictures([str(folder)], recursive=True), strict=False)]
    predictions = Recognizer().predict_many(found)
    pictures = np.stack([p.picture for p in predictions if p.picture is not None])[..., None]
    model = bundle.find_bundle(bundle.DEFAULT_MODEL)
    assert model.manifest
    network = recover.recover(model.graph, "default", len(model.manifest.classes), pictures[..., 0])
    network.predict(pictures[:1], verbose=0)

    def run() -> float:
        start = time.perf_counter()
        for picture in pictures:
            network.predict(picture[None], verbose=0)
        return len(pictures) / (time.perf_counter() - start)

    return run


if __name__ == "__main__":
    main()
