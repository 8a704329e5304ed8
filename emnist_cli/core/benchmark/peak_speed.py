"""Measure the peak arithmetic speed of the machine, for the benchmark.

It is the speed of a float32 matrix product in numpy, which passes the product on to a BLAS library.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from emnist_cli.core.errors import EmnistError

_SIDES = (512, 1024)  # a smaller one stays in the cache, a larger one keeps more cores busy; the better one counts
_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS"),
)
_PACKAGES = Path(__file__).resolve().parents[3]


def measure_peak(threads: int, seconds: float) -> float:
    """Return floating-point operations a second, measured in a fresh process.

    A BLAS reads the number of threads from the environment as it is loaded, and other work of this process must not
    be in its way.

    Args:
        threads: that it may use.
        seconds: that it is measured for.

    Raises:
        EmnistError: the process fails.
    """
    script = (
        f"import sys; sys.path.insert(0, {str(_PACKAGES)!r}); "
        f"from {__name__} import multiply; print(multiply({seconds!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={**os.environ, **dict.fromkeys(_THREADS, str(threads))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise EmnistError(f"the machine's matrix product cannot be measured ({why})")
    return float(done.stdout)


def multiply(seconds: float) -> float:
    """Multiply matrices for so long; return the operations a second of the best product."""
    best = 0.0
    for side in _SIDES:
        left, right = np.random.default_rng(1).random((2, side, side), np.float32)
        out = np.empty_like(left)
        np.matmul(left, right, out=out)
        end = time.perf_counter() + seconds / len(_SIDES)
        before = time.perf_counter()
        while before < end:
            np.matmul(left, right, out=out)
            after = time.perf_counter()
            best = max(best, 2 * side**3 / (after - before))
            before = after
    return best
