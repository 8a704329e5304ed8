"""Measure how long a fresh process takes to answer, and how much memory it needs.

    python benchmarks/cold_start.py [--runs 10]

Each command runs in new processes, interleaved so that a drifting machine cannot favour one; medians are printed.
Beside them the bare imports that `emnist predict` cannot do without, in one process.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

BARE = "import typer, numpy, PIL.Image, ai_edge_litert.interpreter"

TYPER = """
app = typer.Typer()
@app.command()
def nothing(path: list[str], number: int = 3): pass
app(["x"])
"""
"""What any Typer program pays besides: since 0.29 the first command line parsed imports pydantic."""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    emnist = shutil.which("emnist", path=str(Path(sys.executable).parent)) or "emnist"
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.png", Path(folder) / "small.png"
        write_pictures(large, small)
        commands = {
            "bare imports": [sys.executable, "-c", BARE],
            "the same, one Typer command run": [sys.executable, "-c", BARE + TYPER],
            "emnist predict, 1200x900 PNG": [emnist, "predict", str(large)],
            "emnist predict, 28x28 PNG": [emnist, "predict", str(small)],
            "emnist --help": [emnist, "--help"],
            "emnist predict --help": [emnist, "predict", "--help"],
            "emnist --version": [emnist, "--version"],
        }
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for number in range(runs + 1):
            for name, command in commands.items():
                result = measure(command)
                if number:  # the first round warms the disk cache
                    measured[name].append(result)
    bare = statistics.median(wall for wall, _ in measured["bare imports"])
    print(f"{'':33} {'wall s':>8} {'spread':>15} {'to bare':>8} {'peak MB':>8}   median of {runs}")
    for name, results in measured.items():
        walls = sorted(wall for wall, _ in results)
        wall, peak = statistics.median(walls), statistics.median(peak for _, peak in results)
        print(f"{name:33} {wall:8.3f} {walls[0]:7.3f}-{walls[-1]:.3f} {wall / bare:8.2f} {peak:8.1f}")


def write_pictures(large: Path, small: Path) -> None:
    """Write a black 7 on white, 1200x900, and a white one on black, 28x28."""
    picture = np.full((900, 1200, 3), 255, np.uint8)
    picture[200:240, 400:800] = 0
    picture[200:700, 760:800] = 0
    Image.fromarray(picture).save(large)
    tiny = np.zeros((28, 28), np.uint8)
    tiny[2:5, 6:22] = tiny[2:26, 19:22] = 255
    Image.fromarray(tiny).save(small)


def measure(command: list[str]) -> tuple[float, float]:
    """Run a command; return wall seconds and its peak resident memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        sys.exit(f"{command} failed: {process.stderr.read().decode() if process.stderr else ''}")
    return wall, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
