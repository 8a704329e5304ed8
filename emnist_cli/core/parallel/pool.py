"""Run work in worker processes and survive any bad item; `run_files`, `run_pages`, Ray and `web` use it.

Processes are used instead of threads: preprocessing makes many small numpy calls, which share one lock among threads,
and a decoder that hangs or crashes takes the whole process with it. Each worker process is started by name and
reached through its own pipes, so a user's script is not run again in it. It ends when this process does, however that
ends.
"""

import os
import pickle
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic

from emnist_cli.core.errors import EmnistError
from emnist_cli.core.parallel.worker_main import LATE, Item, Result, Work, serve

_PACKAGES = Path(__file__).resolve().parents[3]
_START = f"import sys; sys.path.insert(0, {str(_PACKAGES)!r}); from {serve.__module__} import serve; serve()"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# To glibc: keep freed memory for the next picture; handing it back each time costs a tenth of the time.
_ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": str(2**27), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
_AHEAD = 4  # chunks a process that may be under way or wait for their turn to be handed on
_STARTS = 5  # processes in a row that may be killed before they have begun


class Pool(Generic[Item, Result]):
    """Processes that do the same work on chunks of items; results come in the order of the items.

    A process ends itself when an item takes too long. A chunk during which one ends, whatever the reason, is done again
    item by item, so that only an item that does it on its own is given up.

    Attributes:
        pace: seconds that an item took of late.
    """

    def __init__(
        self,
        make: Callable[[], "Work[Item, Result]"],
        size: int,
        timeout: float,
        give_up: Callable[[Item, str], Result],
    ) -> None:
        """Prepare; processes are started when there is work for them.

        Args:
            make: called in each process, gives what that does; pickled.
            size: how many processes at most.
            timeout: seconds that an item may take.
            give_up: gives the result for an item that cannot be done, and why that is.
        """
        self._order, self._give_up = pickle.dumps((make, timeout)), give_up
        self._late = f"took longer than {timeout:g} s and was given up"
        self._size, self._owner = size, os.getpid()
        self.pace = 0.0
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="worker")  # each looks after one process
        self._own = threading.local()
        self._processes: set[_Process] = set()
        self._failed_starts = 0
        self._closed = False

    def map(self, chunks: Iterable[Sequence[Item]]) -> Iterator[list[Result]]:
        """Yield each chunk's results, reading no more than a few chunks ahead.

        Raises:
            EmnistError: whatever `make` or the work raises; or processes cannot be started.
        """
        pending: deque[Future[list[Result]]] = deque()
        for chunk in chunks:
            pending.append(self.submit(chunk))
            while pending and (len(pending) >= _AHEAD * self._size or pending[0].done()):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def submit(self, chunk: Sequence[Item]) -> "Future[list[Result]]":
        """Have a chunk done as soon as a process is free.

        Raises:
            EmnistError: a process cannot be looked after. The future raises as `map` does.
        """
        try:
            return self._threads.submit(self._do, list(chunk))
        except RuntimeError as error:
            raise EmnistError(f"a worker process cannot be looked after ({error})") from None

    def close(self) -> None:
        """End the processes, whatever they are at."""
        if os.getpid() != self._owner:  # a fork of the process whose they are
            return
        self._closed = True
        for process in list(self._processes):
            process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._processes:
            process.end()

    def _do(self, chunk: list[Item]) -> list[Result]:
        started = time.monotonic()
        try:
            results = self._ask(chunk) if len(chunk) != 1 else [self._do_alone(chunk[0])]
        except _LostError:
            results = [self._do_alone(item) for item in chunk]
        self.pace = (time.monotonic() - started) / max(1, len(chunk))
        return results

    def _do_alone(self, item: Item) -> Result:
        try:
            return self._ask([item])[0]
        except _LostError as lost:
            if lost.late:
                return self._give_up(item, self._late)
        try:  # once more: it could have been ended from outside
            return self._ask([item])[0]
        except _LostError as lost:
            return self._give_up(item, self._late if lost.late else str(lost))

    def _ask(self, chunk: list[Item]) -> list[Result]:
        process: _Process | None = getattr(self._own, "process", None)
        if process is None:
            process = self._own.process = _Process(self._order)
            self._processes.add(process)
        if self._closed:
            process.kill()
        try:
            results: list[Result] = process.ask(chunk)
        except EmnistError:  # after which it has ended, too
            self._forget(process)
            raise
        except _LostError as lost:
            self._forget(process)
            self._failed_starts += not process.ready
            if self._closed:
                raise EmnistError("the work was stopped") from None
            if self._failed_starts >= _STARTS:
                raise EmnistError(f"worker processes end before they can begin: {lost}") from None
            raise
        self._failed_starts = 0
        return results

    def _forget(self, process: "_Process") -> None:
        process.end()
        self._processes.discard(process)
        self._own.process = None


class _LostError(Exception):
    """A process ended during its work; `late` if it did so because that took too long."""

    def __init__(self, code: int) -> None:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        super().__init__(f"the process that reads it ends each time ({how})")
        self.late = code == LATE


class _Process:
    """One process and the pipes to it.

    Attributes:
        ready: whether it has begun.
    """

    def __init__(self, order: bytes) -> None:
        self.ready = False
        try:
            self._process = subprocess.Popen(
                # -P: a file called numpy.py in the user's folder must not be imported.
                [sys.executable, "-P", "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # What a C library says as it dies is not for the user.
                stderr=None if os.environ.get("EMNIST_DEBUG") else subprocess.DEVNULL,
                env={**_ENVIRONMENT, **os.environ, **_ONE_THREAD},
                # Keep Ctrl-C from it: this process decides what becomes of it.
                process_group=None if os.name == "nt" else 0,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            raise EmnistError(f"a worker process cannot be started ({error.strerror or error})") from None
        self._send_bytes(order)

    def ask(self, chunk: object) -> Any:
        """Send a chunk, return its results.

        Raises:
            _LostError: the process has ended.
            EmnistError: what the work raises; or it could not even begin.
        """
        if not self.ready:
            self._receive()
            self.ready = True
        self._send_bytes(pickle.dumps(chunk, pickle.HIGHEST_PROTOCOL))
        return self._receive()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def end(self) -> int:
        """End the process, return its exit code."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was still to be sent
                pipe.close()  # type: ignore[union-attr]
        return self._process.wait()

    def _send_bytes(self, data: bytes) -> None:
        assert self._process.stdin
        with suppress(OSError):  # it has died; reading its answer will tell
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def _receive(self) -> Any:
        assert self._process.stdout
        try:
            kind, content = pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError, OSError):
            code = self.end()
            if self.ready or code < 0:
                raise _LostError(code) from None
            text = f"a worker process ended before it could begin (exit code {code}); EMNIST_DEBUG=1 shows why"
            raise EmnistError(text) from None
        if kind == "error":
            raise content
        return content
