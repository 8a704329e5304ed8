"""Describe the machine and the library versions that a benchmark was run with.

The description makes it possible to tell apart results from different days.
"""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from emnist_cli import __version__
from emnist_cli.core.platform.cpu import available_cores

LIBRARIES = {
    "LiteRT": ("ai-edge-litert",),
    "ONNX Runtime": ("onnxruntime",),
    "Keras": ("keras", "tensorflow"),
}
"""What each runtime is made of."""

SAME = ("cpu", "cores")
"""What two machines must share for their speeds to be comparable."""


def describe_machine(runtimes: Iterable[str]) -> dict[str, Any]:
    """Return what this machine is: processor, cores that may be used, system, versions, load.

    Args:
        runtimes: whose versions are named, besides those of what reads the pictures.
    """
    names = ["numpy", "pillow", *(name for runtime in runtimes for name in LIBRARIES[runtime])]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cpu": _cpu(),
        "cores": available_cores(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": {
            "emnist-cli": __version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in dict.fromkeys(names)},
        },
    }


def _cpu() -> str:
    """The processor's name, as the system has it; else its kind."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        if asked.stdout.strip():
            return asked.stdout.strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
