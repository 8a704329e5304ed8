"""The server as one ASGI app: the page, the API, its documentation, limits and headers. Used by `server`."""

import base64
import hashlib
import re
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException as NoSuchPage
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emnist_cli import __version__
from emnist_cli.core.bundle import Bundle
from emnist_cli.core.config import ServeConfig
from emnist_cli.output.formats import notify
from emnist_cli.web.api import make_router
from emnist_cli.web.errors import RequestError
from emnist_cli.web.limits import Limits
from emnist_cli.web.metrics import Measured, Metrics
from emnist_cli.web.worker_pool import WorkerPool

STATIC = Path(__file__).parent / "static"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def make_app(pool: WorkerPool, model: Bundle, labels: tuple[str, ...], config: ServeConfig) -> ASGIApp:
    """Put the server together.

    Args:
        pool: recognizes the images.
        model: that they read them with.
        labels: its answers, in class order.
        config: the limits.
    """
    metrics = Metrics(model.name)
    app = FastAPIOffline(
        title="emnist-cli",
        summary="Which handwritten character does a picture show?",
        version=__version__,
        redoc_url=None,
        static_url="/docs/static",
    )
    router = make_router(pool, model, labels, config, metrics)
    app.include_router(router)
    _explain_errors(app)
    paths = frozenset(path for route in router.routes if (path := getattr(route, "path", "")))
    return Measured(_Headers(_Site(Limits(app, config))), metrics, paths | {"/"})


class _Site:
    """ASGI middleware that answers for the page's files.

    Not a mount at "/": that would take every address with a method that the API does not have.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._files = app, StaticFiles(directory=STATIC, html=True)
        self._paths = {"/", *(f"/{file.name}" for file in STATIC.iterdir())}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] == "http" and scope["path"] in self._paths and scope["method"] in ("GET", "HEAD")
        await (self._files if ours else self._app)(scope, receive, send)


def _explain_errors(app: FastAPI) -> None:
    """Answer whatever goes wrong with {"error": one line}."""

    @app.exception_handler(RequestError)
    async def refuse(request: Request, error: RequestError) -> JSONResponse:
        return error.response()

    @app.exception_handler(NoSuchPage)
    async def explain(request: Request, error: HTTPException) -> JSONResponse:
        text = f"{HTTPStatus(error.status_code).phrase}: {request.method} {request.url.path[:100]}"
        return JSONResponse({"error": text}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def report(request: Request, error: Exception) -> JSONResponse:
        notify(f"unexpected {type(error).__name__} at {request.url.path[:100]}: {error}; please report it")
        return JSONResponse({"error": "unexpected; the server's own output says more"}, 500)


class _Headers:
    """ASGI middleware that tells browsers what a page of ours may do, which is little."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message = {}

        async def adding(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and scope["path"] == "/docs":
                start = message  # its policy depends on what it says
                return
            if message["type"] == "http.response.start":
                _add(message, _HEADERS)
            elif start:
                policy = _POLICY.replace("script-src 'self'", f"script-src 'self' {_hashes(message.get('body', b''))}")
                _add(start, {**_HEADERS, "Content-Security-Policy": policy})
                await send(start)
                start = {}
            await send(message)

        await self._app(scope, receive, adding)


def _add(message: Message, headers: dict[str, str]) -> None:
    message["headers"] = [
        *message["headers"],
        *((key.lower().encode(), value.encode()) for key, value in headers.items()),
    ]


def _hashes(page: bytes) -> str:
    """Allow the scripts that stand in a page of the API's documentation, and no others."""
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts)
