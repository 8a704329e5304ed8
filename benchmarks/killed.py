"""Check that `emnist predict FOLDER -o rows.jsonl --resume` loses nothing when it is killed at random moments.

    python benchmarks/killed.py PICTURES [--count 20000] [--kills 10] [--seed 1] [--format jsonl]

A folder of so many files is made of the pictures of PICTURES. A run is killed (kill -9) after a random time
and begun again, so often; then it may end. Every file must have exactly one row, and the file must be the same as
that of a run that was never killed.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from emnist_cli.core.files.discovery import find_pictures

STARTING = 0.4
"""Seconds before the first rows come; a kill before that would only start it over."""


def main() -> None:
    """Kill, resume, check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", default="jsonl")
    args = parser.parse_args()
    sources = [found.path for found in islice(find_pictures([str(args.pictures)], True), args.count)]
    with tempfile.TemporaryDirectory(dir=args.pictures.parent) as scratch:
        folder = Path(scratch) / "scans"
        folder.mkdir()
        for number, source in enumerate(islice(cycle(sources), args.count)):
            os.link(source, folder / f"{number:06}{Path(source).suffix}")
        whole, resumed = (Path(scratch) / f"{name}.{args.format}" for name in ("whole", "resumed"))
        start = time.perf_counter()
        subprocess.run(command(folder, whole), check=True)
        seconds = time.perf_counter() - start
        print(f"{args.count:,} files in {seconds:.1f} s without interruption")
        rng = random.Random(args.seed)
        partial = resumed.with_name(f"{resumed.name}.partial")
        for number in range(args.kills):
            kill_after(STARTING + rng.uniform(0, 2 * seconds / args.kills), command(folder, resumed))
            rows = (partial.read_bytes() if partial.exists() else b"").split(b"\n")
            torn = f", the last one cut off after {len(rows[-1])} bytes" if rows[-1] else ""
            print(f"kill {number + 1}: {len(rows) - 1:,} rows{torn}{', complete' if resumed.exists() else ''}")
        subprocess.run(command(folder, resumed), check=True)
        same = whole.read_bytes() == resumed.read_bytes()
        print("the same as without interruption" if same else "NOT the same as without interruption")
        left = sorted(path.name for path in Path(scratch).iterdir())
        print("beside it lies:", *left)
    sys.exit(not same or left != ["resumed." + args.format, "scans", "whole." + args.format])


def command(folder: Path, output: Path) -> list[str]:
    """The run."""
    return [sys.executable, "-m", "emnist_cli", "predict", str(folder), "-q", "-o", str(output), "--resume"]


def kill_after(seconds: float, words: list[str]) -> None:
    """Start a run and kill it."""
    process = subprocess.Popen(words)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)  # those that it started end by themselves
        process.wait()


if __name__ == "__main__":
    main()
