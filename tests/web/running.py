"""A server for the tests: the real command in a process of its own, and what asks it."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

LINE = re.compile(r"emnist: serving at (http://\S+) \(Ctrl-C stops it\)")


class Reply(NamedTuple):
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A running server."""

    def __init__(self, process: "subprocess.Popen[str]", address: str) -> None:
        self.process, self.address = process, address

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def ask(self, path: str, data: bytes | None = None, method: str | None = None, **headers: str) -> Reply:
        """Send a request; errors are replies too."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.address + path, data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return Reply(reply.status, dict(reply.headers), reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, dict(error.headers), error.read())

    def post(self, content: object, path: str = "/api/predict") -> Reply:
        """Send JSON."""
        return self.ask(path, json.dumps(content).encode(), content_type="application/json")

    def upload(self, *files: tuple[str, bytes], path: str = "/api/predict", **fields: object) -> Reply:
        """Send a form."""
        kind, body = form(files, fields)
        return self.ask(path, body, content_type=kind)


def form(files: Any, fields: dict[str, object]) -> tuple[str, bytes]:
    """Return content type and body of a form with files in fields called files."""
    parts = [
        f'Content-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode() + data
        for name, data in files
    ]
    parts += [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()
    ]
    body = b"".join(b"--BOUNDARY\r\n" + part + b"\r\n" for part in parts) + b"--BOUNDARY--\r\n"
    return "multipart/form-data; boundary=BOUNDARY", body


@contextmanager
def running(*options: object) -> Iterator[Server]:
    """Run `emnist serve` on a free port; it must end quietly when it is interrupted."""
    command = [sys.executable, "-m", "emnist_cli", "serve", "--port", "0", *map(str, options)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            line = process.stderr.readline()
            found = LINE.match(line)
            assert found, line + process.stderr.read()
            yield Server(process, found[1])
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            said = process.stderr.read()
            assert not said, said
        finally:
            process.kill()
