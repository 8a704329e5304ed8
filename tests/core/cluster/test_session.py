"""Ray in processes of its own: how it starts, is refused and ends."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from emnist_cli.core.cluster import session
from emnist_cli.core.cluster.session import import_ray, open_session
from emnist_cli.core.errors import UsageError
from tests.conftest import Emnist
from tests.handwriting import picture
from tests.loopback import closed_port

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def descendants(pid: int) -> dict[int, str]:
    """What a process has started, directly or not: process ids and command lines."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:  # gone by now
            continue
    found: dict[int, str] = {}
    for child in [child for child, parent in parents.items() if parent == pid]:
        try:
            found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        found |= descendants(child)
    return found


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scans") / "7.png"
    picture("7", 1).save(path)
    return path


@pytest.mark.slow
@needs_proc
def test_ctrl_c_ends_everything(seven: Path) -> None:
    command = [sys.executable, "-m", "emnist_cli", "predict", *[str(seven)] * 8_000, "--engine", "ray", "-f", "csv"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: any("MapWorker" in command for command in descendants(process.pid).values()), 60)
    started = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == b"emnist: interrupted"
    assert all(line.startswith((b"path,", bytes(seven))) for line in out.splitlines())
    wait_until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in started))


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[int, int]]:
    """A cluster of its own; the ports for machines that belong to it and for those that do not."""
    inside, outside = closed_port(), closed_port()
    ray = str(Path(sys.executable).with_name("ray"))
    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as folder:  # sockets want short names
        command = [ray, "start", "--head", "--block", f"--port={inside}", f"--ray-client-server-port={outside}"]
        command += ["--num-cpus=2", "--include-dashboard=false", "--object-store-memory=100000000"]
        command += ["--disable-usage-stats", f"--temp-dir={folder}"]
        env = {**os.environ, "RAY_AUTH_MODE": "disabled"}
        with (Path(folder) / "log").open("w") as log:
            head = subprocess.Popen(command, stdout=log, stderr=log, env=env, stdin=subprocess.DEVNULL)
        try:
            wait_until(lambda: "Ray runtime started" in (Path(folder) / "log").read_text(), 60)
            yield inside, outside
        finally:
            started = [*descendants(head.pid), head.pid]
            for pid in started:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            head.wait()


@pytest.mark.slow
@needs_proc
def test_a_cluster_that_runs_already(running: tuple[int, int], shell: Emnist, seven: Path, tmp_path: Path) -> None:
    expected = shell("predict", seven, tmp_path / "none.png", "-f", "jsonl", "-q").out
    assert '"label": "7"' in expected
    for address in (f"127.0.0.1:{running[0]}", f"ray://127.0.0.1:{running[1]}"):
        options = ("--engine", "ray", "--ray-address", address, "-f", "jsonl", "-q")
        result = shell("predict", seven, tmp_path / "none.png", *options, RAY_AUTH_MODE="disabled")
        assert (result.code, result.out) == (3, expected)
        assert result.err == f"emnist: {tmp_path / 'none.png'}: no such file or folder\n"
    folder = tmp_path / "rows"
    written = shell("predict", seven, *options, "-o", f"{folder}/", RAY_AUTH_MODE="disabled")
    assert (written.code, written.out, written.err) == (0, "", "")
    assert (folder / "part-00000.jsonl").read_text() == expected.splitlines(keepends=True)[0]
    refused = shell("predict", seven, *options, "-o", f"{folder}/", RAY_AUTH_MODE="disabled")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("emnist: --output: expected an empty folder")


@pytest.mark.slow
def test_a_cluster_that_is_not_there(shell: Emnist, seven: Path) -> None:
    for address in (f"127.0.0.1:{closed_port()}", f"ray://127.0.0.1:{closed_port()}", "nonsense"):
        result = shell("predict", seven, "--engine", "ray", "--ray-address", address)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("emnist: --ray-address: ")
        assert result.err.endswith(f"Received: {address!r}\n")
        assert result.err.count("\n") == 1


@pytest.mark.parametrize("failures", [2, 3])
def test_a_server_that_fails_at_first_is_asked_again(monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    ray, calls = import_ray(), list[object]()

    def init(**how: object) -> None:
        calls.append(how["address"])
        if len(calls) <= failures:
            raise ConnectionAbortedError("Initialization failure from server:\nTraceback\nRuntimeError: no process.\n")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(session.time, "sleep", lambda seconds: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"ray://127.0.0.1:{server.getsockname()[1]}"
        if failures < 3:
            with open_session(address, None) as found:
                assert found is ray
        else:
            with pytest.raises(UsageError, match=r"can be reached there \(RuntimeError: no process\)"):
                open_session(address, None).__enter__()
    assert calls == [address] * 3


def test_without_ray(seven: Path) -> None:
    script = "import sys; sys.modules['ray'] = None; from emnist_cli.app import app; app()"
    command = [sys.executable, "-c", script, "predict", str(seven), "--engine", "ray"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (6, b"")
    assert done.stderr == b"emnist: ray is not installed; run: pip install 'emnist-cli[ray]'\n"
