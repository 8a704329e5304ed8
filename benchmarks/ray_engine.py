"""Compare the two engines of `emnist predict` on the same folder of one machine, in turns.

    python benchmarks/ray_engine.py FOLDER [--rounds 3]

Ways: "one" reads in one process with `Recognizer`, "local" is --engine local, a process a core, "ray" is --engine ray
with a Ray of its own. Each run has a process of its own. Printed are medians and their spread: seconds until the first
row, which for Ray is mostly its start, seconds in all, and rows a second in all and once they come.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from statistics import median

from emnist_cli.core.files.discovery import find_pictures
from emnist_cli.core.platform.cpu import available_cores
from emnist_cli.core.records import Prediction


def one(folder: str) -> Iterator[Prediction]:
    """One process."""
    from emnist_cli.core.classify.recognizer import Recognizer

    return Recognizer().predict_many(find_pictures([folder]), keep_pictures=False)


def local(folder: str) -> Iterator[Prediction]:
    """A process a core."""
    from emnist_cli.core.parallel.run_files import predict_files

    return predict_files(find_pictures([folder]))


def ray(folder: str) -> Iterator[Prediction]:
    """An actor a core."""
    from emnist_cli.core.cluster import engine

    return engine.predict_on_ray([folder], False, {})


WAYS: dict[str, Callable[[str], Iterator[Prediction]]] = {"one": one, "local": local, "ray": ray}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help="run once, in this process")
    args = parser.parse_args()
    if args.way:
        print(json.dumps(run(args.way, args.folder)))
        return
    rounds: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for _ in range(args.rounds):
        for way, results in rounds.items():
            command = [sys.executable, __file__, args.folder, "--way", way]
            results.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
    packages = ", ".join(f"{name} {version(name)}" for name in ("ray", "pyarrow", "numpy", "ai-edge-litert"))
    print(f"{platform.machine()}, {available_cores()} cores, Python {platform.python_version()}, {packages}")
    print(f"{args.folder}, {args.rounds} rounds\n")
    print("| way | first row, s | all rows, s | rows/s in all | rows/s once they come |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for way, results in rounds.items():
        columns = [[f, t, n / t, n / (t - f)] for f, t, n in results]
        cells = [cell([column[i] for column in columns], 1 if i < 2 else 0) for i in range(4)]
        print(f"| {way} | " + " | ".join(cells) + " |")


def run(way: str, folder: str) -> list[float]:
    """Read a folder; return seconds to the first row, seconds to the end, and rows."""
    start = time.perf_counter()
    rows = WAYS[way](folder)
    next(rows)
    first = time.perf_counter() - start
    count = 1 + sum(1 for _ in rows)
    return [first, time.perf_counter() - start, count]


def cell(values: list[float], digits: int) -> str:
    """The median and the spread."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}..{max(values):,.{digits}f})"


if __name__ == "__main__":
    main()
