"""`emnist serve` as a command: how it begins, how it refuses to, and how it ends."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.conftest import Emnist
from tests.web.running import running


def test_what_is_not_installed_is_named(emnist: Emnist, monkeypatch: pytest.MonkeyPatch) -> None:
    from emnist_cli.web import server

    known = server.find_spec
    monkeypatch.setattr(server, "find_spec", lambda name: None if name in ("uvicorn", "fastapi") else known(name))
    result = emnist("serve")
    assert (result.code, result.out) == (6, "")
    assert result.err == "emnist: fastapi, uvicorn: not installed; run: pip install 'emnist-cli[serve]'\n"


def test_a_port_in_use(emnist: Emnist) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = emnist("serve", "--port", port)
    assert result.code == 2
    assert result.err == (
        f"emnist: cannot listen there: Address already in use; try --port 0. Received: 127.0.0.1 port {port}\n"
    )


def test_a_host_that_there_is_not(emnist: Emnist) -> None:
    result = emnist("serve", "--host", "nowhere.invalid", "--port", 0)
    assert result.code == 2
    assert result.err.startswith("emnist: cannot listen there: ") and result.err.count("\n") == 1


@pytest.mark.parametrize("content", [None, b"not a model"])
def test_a_model_that_is_none(emnist: Emnist, tmp_path: Path, content: bytes | None) -> None:
    model = tmp_path / "model.tflite"
    if content is not None:
        model.write_bytes(content)
    result = emnist("serve", "--port", 0, "--model", model)
    assert (result.code, result.out) == (4, "")
    assert str(model) in result.err and result.err.count("\n") == 1


def test_other_machines_can_reach_it_only_if_told() -> None:
    with running() as server:
        assert server.address.startswith("http://127.0.0.1:")
        # On Linux all of 127.0.0.0/8 is this machine; elsewhere nothing is there anyway.
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", server.port), timeout=2):
            pass


@pytest.mark.skipif(not hasattr(signal, "SIGTERM") or sys.platform == "win32", reason="Windows ends it outright")
def test_a_polite_end() -> None:
    with running() as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0


def test_a_bare_graph_is_served(tmp_path: Path) -> None:
    from emnist_cli.core.bundle import PACKAGED

    graph = tmp_path / "bare.tflite"
    graph.write_bytes((PACKAGED / "starter" / "model.tflite").read_bytes())
    with running("--model", graph, "--workers", 1) as server:
        [model] = server.ask("/api/models").json["models"]
        assert (model["name"], model["classes"], model["split"]) == ("bare.tflite", 62, "")
        assert server.upload(("notes.txt", b"")).status == 422
