"""Metrics for Prometheus: requests, answers and times, nothing about what an image shows. Used by `app` and `api`."""

import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emnist_cli import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The counters of one server."""

    def __init__(self, model: str) -> None:
        """Begin at nothing; `model` is named in them."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge("emnist_info", "What is running", ["version", "model"], registry=registry).labels(__version__, model).set(
            1
        )
        self.requests = Counter("emnist_requests", "Requests answered", ["path", "status"], registry=registry)
        self.seconds = Histogram("emnist_request_seconds", "To answer", ["path"], buckets=_BUCKETS, registry=registry)
        self.busy = Gauge("emnist_requests_in_progress", "Requests being answered", registry=registry)
        self.pictures = Counter("emnist_pictures", "Pictures read", ["status"], registry=registry)

    def text(self) -> bytes:
        """Return them as Prometheus reads them."""
        return generate_latest(self._registry)


class Measured:
    """ASGI middleware that counts and times requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        """Wrap `app`; other paths than those listed are counted together, or a client could make up any number."""
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else "other"
        status = 500
        started = time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with self._metrics.busy.track_inprogress():
                await self._app(scope, receive, noting)
        finally:
            self._metrics.requests.labels(path, str(status)).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - started)
