"""Start Ray or connect to a cluster for one run; `cluster.engine` uses it.

Ray is silenced, and shut down or disconnected at the end of the run.
"""

import logging
import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from emnist_cli.core.errors import EmnistError, MissingError, UsageError
from emnist_cli.core.platform.cpu import available_cores
from emnist_cli.core.platform.stderr import silent_stderr

_STORE = 256 * 2**20  # bytes for a Ray of our own: it holds paths and rows, and spills to disk what is more
_TRIES = 3
_PATIENCE = 5.0  # seconds for a cluster to accept a connection


def import_ray(address: str | None = None) -> ModuleType:
    """Return Ray, with Ray Data, told to be silent.

    Args:
        address: as for `session`.

    Raises:
        MissingError: it is not installed.
    """
    debug = bool(os.environ.get("EMNIST_DEBUG"))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "^")  # what it would print among the results: all of it
    if not debug:
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if _real(address):
        # Each takes up to 40 s where something answers that is no cluster.
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")
    try:
        import pyarrow  # noqa: F401
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("ray", "pyarrow", "fsspec", "pandas"):
            raise
        raise MissingError("ray is not installed; run: pip install 'emnist-cli[ray]'") from None
    if not debug:
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    module: ModuleType = ray
    return module


def is_client(ray: ModuleType) -> bool:
    """Whether this process is connected by Ray Client, and so no part of the cluster."""
    return bool(ray.util.client.ray.is_connected())


@contextmanager
def open_session(
    address: str | None, workers: int | None, before: Callable[[], None] = lambda: None
) -> Iterator[ModuleType]:
    """Give Ray, connected; leave as it was one that this process is connected to already.

    Args:
        address: of a running cluster; None for RAY_ADDRESS, else a Ray of our own, on this machine.
        workers: CPUs of one of our own; None for those of this process.
        before: called before anything is started, where this machine is part of the cluster.

    Raises:
        MissingError: Ray is not installed, or emnist-cli not on the workers.
        UsageError: there is no cluster at that address.
        EmnistError: Ray gave up; or what `before` raises.
    """
    ray = import_ray(address)
    if ray.is_initialized():
        with _explained():
            yield ray
        return
    place = _real(address)
    if not (place or "").startswith("ray://"):
        before()
    try:
        _connect(ray, place, workers)
        with _explained():
            yield ray
    finally:
        ray.shutdown()


def _real(address: str | None) -> str | None:
    """Return the address of a cluster, None for a Ray of our own."""
    address = address or os.environ.get("RAY_ADDRESS")
    return None if address == "local" else address or None


def _connect(ray: ModuleType, address: str | None, workers: int | None) -> None:
    debug = bool(os.environ.get("EMNIST_DEBUG"))
    how: dict[str, Any] = {"log_to_driver": debug, "logging_level": logging.INFO if debug else logging.CRITICAL}
    if address is None:
        how |= {"address": "local", "num_cpus": workers or available_cores(), "num_gpus": 0}
        how |= {"include_dashboard": False, "object_store_memory": _STORE}
    else:
        _check_reachable(address)
        how["address"] = address
    handler = signal.getsignal(signal.SIGTERM)
    ours = callable(handler) and threading.current_thread() is threading.main_thread()
    try:
        with nullcontext() if debug else silent_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _init(ray, how)
    except Exception as error:
        if address is None:
            raise EmnistError(f"Ray cannot be started here ({_first_line(error)}); EMNIST_DEBUG=1 shows more") from None
        # Ray Client's ends with what went wrong on the cluster.
        reason = _last_line(error) if isinstance(error, ConnectionAbortedError) else _first_line(error)
        raise _refusal(address, reason) from None
    finally:
        if ours:
            signal.signal(signal.SIGTERM, handler)  # which Ray has replaced by its own


def _init(ray: ModuleType, how: dict[str, Any]) -> None:
    """Connect. For a client a process is started on the cluster, which fails now and then where that is busy."""
    for _ in range(_TRIES - 1):
        try:
            ray.init(**how)
            return
        except ConnectionAbortedError:
            time.sleep(1)
    ray.init(**how)


def _check_reachable(address: str) -> None:
    """Ask for a connection, for which Ray would wait for minutes."""
    if address == "auto":
        return
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port or (10001 if parts.scheme == "ray" else None)
        if not host or not port:
            raise UsageError(f"--ray-address: expected auto, HOST:PORT or ray://HOST:PORT. Received: {address!r}")
        socket.create_connection((host, port), _PATIENCE).close()
    except (OSError, ValueError) as error:
        raise _refusal(address, getattr(error, "strerror", None) or str(error)) from None


def _refusal(address: str, reason: str) -> UsageError:
    return UsageError(f"--ray-address: no Ray cluster can be reached there ({reason}). Received: {address!r}")


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what went wrong on a worker into the error that it was there, or into one line."""
    try:
        yield
    except Exception as error:
        known = [e for e in _causes(error) if isinstance(e, EmnistError)]
        if known:
            raise known[-1] from None  # Ray's own are instances of it, too, with a traceback for a text
        if "No module named 'emnist_cli" in str(error):
            raise MissingError(
                "emnist-cli is not installed on the workers of the cluster; "
                """run: ray job submit --runtime-env-json '{"pip": ["emnist-cli[ray]"]}' -- emnist predict ..."""
            ) from None
        if os.environ.get("EMNIST_DEBUG"):
            raise
        raise EmnistError(f"Ray gave up ({_last_line(error)}); EMNIST_DEBUG=1 shows more") from None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = getattr(error, "cause", None) or error.__cause__


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _last_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1].rstrip(".")
