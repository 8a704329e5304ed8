"""Runs the server at an address until it is interrupted. Used by `emnist serve`."""

import logging
import os
import socket
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from emnist_cli.core import bundle
from emnist_cli.core.config import ServeConfig
from emnist_cli.core.errors import MissingError, UsageError
from emnist_cli.output.formats import notify
from emnist_cli.web.worker_pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable

_NEEDS = {
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
    "python_multipart": "python-multipart",
    "fastapi_offline": "fastapi-offline",
    "prometheus_client": "prometheus-client",
}
"""Module -> the package that brings it."""

_CONNECTIONS = 1000  # open at a time
_LOOPBACK = ("127.", "::1", "localhost")


def serve(model: str, workers: int, config: ServeConfig, ready: "Callable[[str], None]", trust: bool = False) -> None:
    """Serve until interrupted; requests under way are answered first.

    Args:
        model: name, bundle folder or .tflite file.
        workers: processes that read pictures.
        config: address and limits.
        ready: is told the address once it can be asked.
        trust: run a SavedModel, as for `Recognizer`.

    Raises:
        MissingError: the packages for it are not installed.
        UsageError: it cannot listen there.
        ModelError: there is no such model, or it is damaged.
    """
    _check_installed()
    found = bundle.find_bundle(model, trust)
    with _listen(config) as listener:
        # Its processes load the model while this one imports the rest.
        pool = WorkerPool(found, workers, config.picture_timeout, config.max_megapixels)
        try:
            _answer(listener, pool, found, config, ready)
        finally:
            pool.close()


def _answer(
    listener: socket.socket, pool: WorkerPool, model: bundle.Bundle, config: ServeConfig, ready: "Callable[[str], None]"
) -> None:
    import uvicorn

    from emnist_cli.web.app import make_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready(_address(*listener.getsockname()[:2]))

    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    settings = uvicorn.Config(
        make_app(pool, model, pool.labels(), config),
        log_level="warning" if os.environ.get("EMNIST_DEBUG") else "critical",  # what clients do wrong is for them
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=5,
    )
    with suppress(KeyboardInterrupt, SystemExit):  # being ended is how a server ends
        Server(settings).run(sockets=[listener])


def _address(host: str, port: int) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # every address is no address to go to
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _check_installed() -> None:
    missing = [package for module, package in _NEEDS.items() if find_spec(module) is None]
    if missing:
        raise MissingError(f"{', '.join(missing)}: not installed; run: pip install 'emnist-cli[serve]'")


def _listen(config: ServeConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        listener = socket.create_server((config.host, config.port), family=family, backlog=1024)
    except OSError as error:
        reason = str(error.strerror or error).partition(" (while")[0]
        received = f"{config.host} port {config.port}"
        raise UsageError(f"cannot listen there: {reason}; try --port 0. Received: {received}") from None
    if not config.host.startswith(_LOOPBACK):
        notify(f"{config.host} can be reached from other machines, and nothing asks for a password")
    return listener
