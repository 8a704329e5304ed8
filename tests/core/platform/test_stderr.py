"""C libraries are kept quiet, also in a program that has no stderr."""

import os
import subprocess
import sys

import pytest

from emnist_cli.core.platform.stderr import silent_stderr

WITHOUT = """
import os, sys
sys.stdout = sys.stderr = None  # as pythonw has them
for descriptor in {closed}:
    os.close(descriptor)
from emnist_cli import Recognizer
os._exit(0 if Recognizer().labels[0] == "0" else 1)
"""


def test_what_is_written_meanwhile_is_lost(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    with silent_stderr():
        os.write(2, b"meanwhile ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


@pytest.mark.parametrize("closed", [(), (1, 2)])
def test_a_model_is_loaded_without_stderr(closed: tuple[int, ...]) -> None:
    code = WITHOUT.format(closed=closed)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
