"""Many requests at a time: no wrong answer, none lost, no memory kept."""

import io
import json
import random
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY, Emnist
from tests.handwriting import characters, picture
from tests.web.running import Server, form, running

pytestmark = pytest.mark.slow


def drawings(folder: Path) -> dict[str, bytes]:
    """Every character of the fixture by every donor, as a page would send it."""
    folder.mkdir()
    for character, donors in characters().items():
        for donor in range(len(donors)):
            picture(character, donor, size=(160, 160)).save(folder / f"{ord(character)}-{donor}.png")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class Client:
    """One connection a thread, kept open."""

    def __init__(self, port: int) -> None:
        self._port, self._own = port, threading.local()
        self.connections: list[HTTPConnection] = []

    def read(self, name: str, data: bytes) -> Any:
        if not hasattr(self._own, "connection"):
            self._own.connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
            self.connections.append(self._own.connection)
        kind, body = form([(name, data)], {})
        self._own.connection.request("POST", "/api/predict", body, {"Content-Type": kind})
        reply = self._own.connection.getresponse()
        return reply.status, json.loads(reply.read())

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


def memory(server: Server) -> int:
    """KiB that the server and its processes have in memory."""
    done = subprocess.run(
        ["ps", "-o", "rss=", "--pid", str(server.process.pid), "--ppid", str(server.process.pid)],
        capture_output=True,
        check=True,
    )
    return sum(map(int, done.stdout.split()))


def test_a_thousand_requests_on_32_connections(tmp_path: Path, emnist: Emnist) -> None:
    pictures = drawings(tmp_path / "pictures")
    listed = json.loads(emnist("predict", tmp_path / "pictures", "--format", "json").out)
    wanted = {Path(record["path"]).name: {**record, "path": Path(record["path"]).name} for record in listed}
    names = random.Random(1).choices(sorted(pictures), k=1000)
    with running() as server, ThreadPoolExecutor(32) as threads:
        client = Client(server.port)
        list(threads.map(lambda name: client.read(name, pictures[name]), names))  # until memory is as it stays
        before = memory(server)
        answers = list(threads.map(lambda name: client.read(name, pictures[name]), names))
        assert len(client.connections) == 32
        assert memory(server) < before + 8 * 1024
        client.close()
    assert answers == [(200, [wanted[name]]) for name in names]


@pytest.mark.parametrize("seed", range(4))
def test_damaged_pictures_are_never_the_servers_fault(seed: int) -> None:
    numbers = random.Random(seed)
    originals = [path.read_bytes() for path in sorted((REPOSITORY / "examples").glob("*.*"))]
    stream = io.BytesIO()
    picture("A").save(stream, "WEBP")
    originals += [stream.getvalue()]
    with running() as server:
        for _ in range(12):
            files = [(f"{i}", damaged(numbers.choice(originals), numbers)) for i in range(16)]
            reply = server.upload(*files)
            assert reply.status in (200, 422), reply
            records = reply.json if reply.status == 200 else reply.json["records"]
            assert [record["path"] for record in records] == [name for name, _ in files]
            for record in records:
                assert bool(record["error"]) == (record["status"] == "error")
                assert "Traceback" not in record["error"] and "please report" not in record["error"]
        assert server.ask("/healthz").status == 200


def damaged(data: bytes, numbers: random.Random) -> bytes:
    """Change, cut or repeat some bytes, most often near the start, where the headers are."""
    changed = bytearray(data)
    for _ in range(numbers.choice([1, 3, 30])):
        where = numbers.randrange(min(len(changed), numbers.choice([64, 1024, 10**6])))
        changed[where] = numbers.randrange(256)
    if numbers.random() < 0.3:
        del changed[numbers.randrange(1, len(changed)) :]
    if numbers.random() < 0.2:
        start = numbers.randrange(len(changed))
        changed[start:start] = changed[start : start + 50]
    return bytes(changed)
