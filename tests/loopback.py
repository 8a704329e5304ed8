"""A real HTTP server on loopback that serves one file, and misbehaves as told."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Loopback:
    """What to serve and how; may be changed between requests.

    Attributes:
        body, content_type, etag, modified: of the file; no header where they are empty.
        status: of every answer that is not 206.
        ranges: whether `Range` is heeded; heed_if_range: whether a changed ETag stops that.
        cuts: after how many bytes each coming answer ends; -1 stalls instead after none.
        cut_always: where `cuts` are used up.
        claims: a Content-Length that is not the truth.
        shift: how far an answer to a range starts from where it should.
        requests: the headers of every request that came, by lower-case name, and its "path".
    """

    body: bytes
    content_type: str = "application/zip"
    etag: str = '"1"'
    modified: str = ""
    status: int = 200
    ranges: bool = True
    heed_if_range: bool = True
    cuts: list[int] = field(default_factory=list)
    cut_always: int | None = None
    claims: int | None = None
    shift: int = 0
    location: str = ""
    url: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def asked(self) -> list[str]:
        """The ranges that were asked for, "" for the whole."""
        return [request.get("range", "") for request in self.requests]


class _Handler(BaseHTTPRequestHandler):
    plan: Loopback

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        plan = self.plan
        plan.requests.append({k.lower(): v for k, v in self.headers.items()} | {"path": self.path})
        if plan.location and not self.path.endswith(plan.location):
            self.send_response(302)
            self.send_header("Location", plan.location)
            self.end_headers()
            return
        body, headers, status = self._select()
        cut = plan.cuts.pop(0) if plan.cuts else plan.cut_always
        if cut == -1:
            plan.done.wait(20)
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])

    def _select(self) -> tuple[bytes, dict[str, str], int]:
        plan, asked = self.plan, self.plan.requests[-1]
        headers = {"Content-Type": plan.content_type, "ETag": plan.etag, "Last-Modified": plan.modified}
        start = re.fullmatch(r"bytes=(\d+)-", asked.get("range", ""))
        current = not plan.heed_if_range or asked.get("if-range") in (None, plan.etag, plan.modified)
        body, status = plan.body, plan.status
        if start and plan.ranges and current and status == 200:
            first = int(start[1]) + plan.shift
            if first >= len(body):
                body, status = b"", 416
                headers["Content-Range"] = f"bytes */{len(plan.body)}"
            else:
                headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
                body, status = body[first:], 206
        headers["Content-Length"] = str(len(body) if plan.claims is None else plan.claims)
        return body, {name: value for name, value in headers.items() if value}, status


@contextmanager
def serve(body: bytes) -> Iterator[Loopback]:
    """Serve `body` at `url` until the end of the block."""
    plan = Loopback(body)
    handler = type("Handler", (_Handler,), {"plan": plan})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        plan.url = f"http://127.0.0.1:{server.server_port}/gzip.zip"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield plan
        finally:
            plan.done.set()
            server.shutdown()
            thread.join()


def closed_port() -> int:
    """A port on loopback on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
