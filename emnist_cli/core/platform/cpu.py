"""Count the CPU cores that this process may use, for the worker pools, runtimes, benchmark and server."""

import os


def available_cores() -> int:
    """Return how many cores this process may run on, which can be fewer than the machine has (taskset, cpusets)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
