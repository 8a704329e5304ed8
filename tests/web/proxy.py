"""A proxy on loopback between browser and server: keeps what passes through, and fails where a test wants that."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Exchange:
    """One request and its answer, as they went over the wire."""

    path: str
    content_type: str
    body: bytes
    status: int = 0
    answer: bytes = b""

    def parts(self) -> list[Message]:
        """The parts of the form that was sent."""
        whole = message_from_bytes(b"Content-Type: " + self.content_type.encode() + b"\r\n\r\n" + self.body)
        return [part for part in whole.get_payload() if isinstance(part, Message)]

    def files(self) -> list[bytes]:
        """The pictures in it."""
        found = [part for part in self.parts() if part.get_param("name", header="Content-Disposition") == "files"]
        return [content for part in found if isinstance(content := part.get_payload(decode=True), bytes)]

    def options(self) -> dict[str, str]:
        """What else it says."""
        names = {str(part.get_param("name", header="Content-Disposition")): part for part in self.parts()}
        return {name: str(part.get_payload()) for name, part in names.items() if name != "files"}

    def records(self) -> list[dict[str, Any]]:
        """The answer to it."""
        found: list[dict[str, Any]] = json.loads(self.answer)
        return found


@dataclass
class Proxy:
    """What happened, and what is to happen.

    Attributes:
        url: of the page.
        exchanges: requests for predictions so far.
        refusals: status and headers of the answers to the next requests, in the server's place.
        held: a number is taken out for each request; its answer waits for so many seconds.
    """

    target: str
    prefix: str
    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    _server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        """Listen; at the same address as before."""
        port = urlsplit(self.url).port or 0
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"proxy": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}{self.prefix}/"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def close(self) -> None:
        """Stop listening, as a server that has gone."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._server = None


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._pass_on(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        exchange = Exchange(self.path, self.headers["Content-Type"], body)
        self.proxy.exchanges.append(exchange)
        self._pass_on(exchange)

    def _pass_on(self, exchange: Exchange | None) -> None:
        proxy = self.proxy
        if exchange and proxy.refusals:
            status, headers = proxy.refusals.pop(0)
            exchange.status, content = status, b'{"error": "refused by the test"}'
        elif self.path.startswith(f"{proxy.prefix}/"):
            status, headers, content = self._ask(exchange)
        else:
            status, headers, content = 404, {}, b""
        if exchange:
            if proxy.held:
                proxy.done.wait(proxy.held.pop(0))
            exchange.status, exchange.answer = status, content
        with suppress(OSError):  # the browser may have given up
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def _ask(self, exchange: Exchange | None) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.proxy.target).netloc, timeout=30)
        headers = {"Content-Type": exchange.content_type} if exchange else {}
        path = self.path.removeprefix(self.proxy.prefix)
        try:
            connection.request(self.command, path, exchange.body if exchange else None, headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name not in ("content-length", "date")}
            return answer.status, kept, answer.read()
        finally:
            connection.close()


@contextmanager
def between(target: str, prefix: str = "") -> Iterator[Proxy]:
    """Stand between a browser and the server at `target`, at an address that ends in `prefix`."""
    proxy = Proxy(target, prefix)
    proxy.open()
    try:
        yield proxy
    finally:
        proxy.done.set()
        proxy.close()
