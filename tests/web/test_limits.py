"""What one client may take of a server, and what is left for the others then."""

import http.client
import io
import os
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.handwriting import picture
from tests.web.running import Reply, Server, form, running


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def narrow() -> Iterator[Server]:
    with running("--max-megabytes", 1, "--max-files", 2, "--max-requests", 1, "--timeout", 2) as server:
        yield server


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def head(length: int | None, kind: str) -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{size}\r\n\r\n".encode()


def reply_on(connection: socket.socket) -> Reply:
    reply = http.client.HTTPResponse(connection)
    reply.begin()
    with reply:
        return Reply(reply.status, {key.lower(): value for key, value in reply.getheaders()}, reply.read())


def is_read(server: Server) -> bool:
    reply = server.upload(("a.png", png(picture("A"))))
    return reply.status == 200 and reply.json[0]["label"] in "Aa"


def test_too_large_by_its_own_word(narrow: Server) -> None:
    with connect(narrow) as connection:
        connection.sendall(head(1_000_001, "application/json"))
        reply = reply_on(connection)
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert reply.json["error"] == "the request is larger than 1 MB; send fewer pictures"
    assert is_read(narrow)


def test_too_large_without_a_word(narrow: Server) -> None:
    with connect(narrow) as connection:
        connection.sendall(head(None, "application/json"))
        block = b"%x\r\n%s\r\n" % (100_000, b" " * 100_000)
        for _ in range(11):
            connection.sendall(block)
        assert reply_on(connection).status == 413
    assert is_read(narrow)


def test_too_many_files(narrow: Server) -> None:
    data = png(picture("A"))
    reply = narrow.upload(("a", data), ("b", data), ("c", data))
    assert reply.status == 400
    assert reply.json["error"] == "the form cannot be read: Too many files. Maximum number of files is 2."


def test_too_many_requests(narrow: Server) -> None:
    kind, body = form([("a.png", png(picture("A")))], {})
    with connect(narrow) as slow:
        slow.sendall(head(len(body), kind) + body[:100])
        wait_for(narrow, "emnist_requests_in_progress 2.0")
        reply = narrow.ask("/api/predict", body, content_type=kind)
        assert (reply.status, reply.headers["retry-after"]) == (429, "1")
        assert narrow.ask("/healthz").status == 200  # reading nothing, it is always answered
        slow.sendall(body[100:])
        assert reply_on(slow).status == 200
    assert is_read(narrow)


def wait_for(server: Server, line: str) -> None:
    while line not in server.ask("/metrics").body.decode().splitlines():
        pass


def test_too_slow(narrow: Server) -> None:
    with connect(narrow) as connection:
        connection.sendall(head(1000, "application/json") + b"{")
        reply = reply_on(connection)
    assert reply.status == 408
    assert reply.json["error"] == "the request took longer than 2 s to arrive"
    assert is_read(narrow)


def test_a_client_that_leaves(narrow: Server) -> None:
    with connect(narrow) as connection:
        connection.sendall(head(1000, "application/json") + b"{")
        wait_for(narrow, "emnist_requests_in_progress 2.0")
    wait_for(narrow, "emnist_requests_in_progress 1.0")
    assert is_read(narrow)


def test_many_that_never_finish_their_headers() -> None:
    with running() as server:
        connections = [connect(server) for _ in range(100)]
        for connection in connections:
            connection.sendall(b"POST /api/predict HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert all(is_read(server) for _ in range(20))
        for connection in connections:
            connection.close()


def test_what_is_no_http(narrow: Server) -> None:
    for garbage in (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\0" * 100_000):
        with connect(narrow) as connection:
            try:
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(10_000):
                    pass
            except OSError as error:  # it may hang up while the rest is on its way, but not leave one waiting
                assert not isinstance(error, TimeoutError)
    assert is_read(narrow)


@pytest.mark.slow
def test_a_picture_that_takes_too_long_costs_itself_only() -> None:
    large = io.BytesIO()
    Image.effect_noise((2000, 2000), 90).resize((8000, 8000)).save(large, "JPEG", progressive=True)
    with running("--timeout", 0.4, "--workers", 1, "--max-megabytes", 100) as server:
        assert is_read(server)
        reply = server.upload(("large.jpg", large.getvalue()))
        assert reply.status == 422, reply
        assert reply.json["error"] == "took longer than 0.2 s and was given up"
        while server.ask("/healthz").status != 200 or not is_read(server):  # another process has to begin first
            pass


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs pgrep")
def test_a_process_that_is_killed_is_replaced() -> None:
    with running("--workers", 2) as server:
        assert is_read(server)
        found = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, check=True)
        children = [int(pid) for pid in found.stdout.split()]
        assert len(children) == 2
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        assert all(is_read(server) for _ in range(4))
