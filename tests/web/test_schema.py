"""What `/openapi.json` promises, tried by schemathesis with requests that it makes up from it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.running import running

pytestmark = pytest.mark.slow


def test_promises_are_kept(tmp_path: Path) -> None:
    with running() as server:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.address}/openapi.json"]
        # Whatever a string or a file is made up as, it is hardly ever a picture; test_api.py sends pictures.
        command += ["--exclude-checks", "positive_data_acceptance"]
        command += ["--max-examples", "100", "--seed", "1", "--no-color"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        [tested] = re.findall(r"Tested: (\d+)", done.stdout)
        assert int(tested) == len(server.ask("/openapi.json").json["paths"])
