"""Report the peak memory use of the current process, for the benchmark's worker processes."""

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_memory() -> int | None:
    """Return bytes of resident memory at the highest so far, or None where the system does not say (Windows)."""
    if _STATUS.is_file():
        # Not getrusage: on Linux a process begins with the peak of the one that started it.
        lines = _STATUS.read_text().splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
