"""Measure for the benchmark the time from starting the program to its first answer.

Each measurement starts a fresh process, as a user does.
"""

import subprocess
import sys
import time
from pathlib import Path

from emnist_cli.core.errors import EmnistError

_PACKAGES = Path(__file__).resolve().parents[3]
_EMNIST = f"import sys; sys.path.insert(0, {str(_PACKAGES)!r}); from emnist_cli.__main__ import main; main()"


def cold_start(picture: str, model: str) -> float:
    """Return the seconds that `emnist predict PICTURE --model MODEL` takes, from its start to its end.

    Raises:
        EmnistError: it fails.
    """
    return _run(["-P", "-c", _EMNIST, "predict", picture, "--model", model, "--trust", "--format", "json", "--quiet"])


def bare_start() -> float:
    """Return the seconds that the interpreter takes to start, do nothing and end."""
    return _run(["-P", "-c", "pass"])


def _run(arguments: list[str]) -> float:
    before = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - before
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise EmnistError(f"a fresh process cannot answer: {why.removeprefix('emnist: ')}")
    return seconds
