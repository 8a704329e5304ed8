"""Measure the peak memory of `emnist predict FOLDER`, all its processes together, for more and more files.

    python benchmarks/folder_memory.py PICTURES [--counts 1000,10000,100000] [--rounds 1] [--links]

Folders of so many files are made of the pictures of PICTURES, repeated under other names (as hard links, so that a
million costs no more room than its names). The sum of the processes' proportional set sizes (PSS: pages that several
share count once) is looked at every 50 ms while the command runs. Linux only.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from emnist_cli.core.files.discovery import find_pictures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--counts", default="1000,10000,100000")
    parser.add_argument("--options", default="", help="of emnist predict")
    args = parser.parse_args()
    sources = [found.path for found in islice(find_pictures([str(args.pictures)], True), 20_000)]
    first = 0
    for count in (int(text) for text in args.counts.split(",")):
        with tempfile.TemporaryDirectory(dir=args.pictures.parent) as scratch:
            folder = Path(scratch) / "scans"
            folder.mkdir()
            for number, source in enumerate(islice(cycle(sources), count)):
                os.link(source, folder / f"{number:07}{Path(source).suffix}")
            peak, seconds = watch(folder, Path(scratch) / "rows.jsonl", args.options.split())
        first = first or peak
        print(f"{count:9,} files: {peak / 2**20:6.1f} MiB at most, {peak / first:.3f} of the first, {seconds:,.1f} s")


def watch(folder: Path, output: Path, options: list[str]) -> tuple[int, float]:
    """Run the command; return the peak in bytes, and seconds."""
    command = [sys.executable, "-m", "emnist_cli", "predict", str(folder), "-q", "-o", str(output), *options]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(pss(pid) for pid in tree(process.pid)))
        time.sleep(0.05)
    assert process.returncode in (0, 3)
    return peak, time.perf_counter() - start


def tree(root: int) -> list[int]:
    """A process and all that come from it."""
    parents: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(place.parent.name)] = int(place.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def pss(pid: int) -> int:
    """Bytes of memory that a process holds; of shared pages its share."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main()
