"""Work spread over processes that survive whatever one item does to them. Used by `batch`.

Processes rather than threads: preprocessing is many small numpy calls, which share one lock among threads, and a
decoder that hangs or dies takes a whole process along. Each is started by name and spoken to through its own pipes,
so a user's script is not run again in it, and it ends when this process does, however that ends.
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
from typing import Any, BinaryIO, Generic, TypeVar

from emnist_cli.core.errors import EmnistError

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[list[Item]], list[Result]]
"""What a process does: one result for each item of a chunk."""

_PACKAGES = Path(__file__).resolve().parents[3]
_START = (
    f"import sys; sys.path.append({str(_PACKAGES)!r}); from emnist_cli.core.inference.workers import serve; serve()"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# To glibc: keep freed memory for the next picture; handing it back each time costs a tenth of the time.
_ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": str(2**27), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
_AHEAD = 4  # chunks a process that may be under way or wait for their turn to be handed on
_LOOK = 0.5  # seconds between looks at whether a process has hung


class Pool(Generic[Item, Result]):
    """Processes that do the same work on chunks of items; results come in the order of the items.

    A chunk during which a process dies or exceeds the time limit is done again item by item, so that only an item
    that does it on its own is given up.
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
            timeout: seconds that a chunk, or an item on its own, may take.
            give_up: gives the result for an item that cannot be done, and why that is.
        """
        self._make, self._timeout, self._give_up = pickle.dumps(make), timeout, give_up
        self._size = size
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="worker")  # each looks after one process
        self._own = threading.local()
        self._processes: set[_Process] = set()
        self._closed = False

    def map(self, chunks: Iterable[Sequence[Item]]) -> Iterator[list[Result]]:
        """Yield each chunk's results, reading no more than a few chunks ahead.

        Raises:
            EmnistError: whatever `make` or the work raises; or processes cannot be started.
        """
        pending: deque[Future[list[Result]]] = deque()
        for chunk in chunks:
            pending.append(self._threads.submit(self._do, list(chunk)))
            while pending and (len(pending) >= _AHEAD * self._size or pending[0].done()):
                yield self._wait(pending.popleft())
        while pending:
            yield self._wait(pending.popleft())

    def close(self) -> None:
        """End the processes, whatever they are at."""
        self._closed = True
        for process in list(self._processes):
            process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._processes:
            process.end()

    def _wait(self, future: "Future[list[Result]]") -> list[Result]:
        while not future.done():
            for process in list(self._processes):
                process.check()
            try:
                return future.result(_LOOK)
            except TimeoutError:
                continue
        return future.result()

    def _do(self, chunk: list[Item]) -> list[Result]:
        try:
            return self._ask(chunk)
        except _LostError as lost:
            if len(chunk) == 1 and lost.late:
                return [self._give_up(chunk[0], str(lost))]
        return [self._do_alone(item) for item in chunk]

    def _do_alone(self, item: Item) -> Result:
        try:
            return self._ask([item])[0]
        except _LostError as lost:
            return self._give_up(item, str(lost))

    def _ask(self, chunk: list[Item]) -> list[Result]:
        process: _Process | None = getattr(self._own, "process", None)
        if process is None:
            process = self._own.process = _Process(self._make)
            self._processes.add(process)
        if self._closed:
            process.kill()
        try:
            results: list[Result] = process.ask(chunk, self._timeout)
        except _LostError:
            self._processes.discard(process)
            self._own.process = None
            if self._closed:
                raise EmnistError("the work was stopped") from None
            raise
        return results


class _LostError(Exception):
    """A process died during its work; `late` if it was ended because it took too long."""

    def __init__(self, reason: str, late: bool) -> None:
        super().__init__(reason)
        self.late = late


class _Process:
    """One process and the pipes to it."""

    def __init__(self, make: bytes) -> None:
        self._deadline: float | None = None
        self._late = False
        self._ready = False
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
        self._send_bytes(make)

    def ask(self, chunk: object, timeout: float) -> Any:
        """Send a chunk, return its results.

        Raises:
            _LostError: the process has died, or was killed by `check`.
            EmnistError: it could not even begin.
        """
        if not self._ready:
            self._receive()
            self._ready = True
        self._send_bytes(pickle.dumps(chunk, pickle.HIGHEST_PROTOCOL))
        self._deadline = time.monotonic() + timeout
        self._limit = timeout
        results = self._receive()
        self._deadline = None
        return results

    def check(self) -> None:
        """Kill the process if its chunk is overdue."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._late = True
            self.kill()

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
            raise self._lost() from None
        if kind == "error":
            raise content
        return content

    def _lost(self) -> Exception:
        code = self.end()
        if self._late:
            return _LostError(f"took longer than {self._limit:g} s and was given up", late=True)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if not self._ready:
            return EmnistError(f"a worker process ended before it could begin ({how}); EMNIST_DEBUG=1 shows why")
        return _LostError(f"the process that read it ended ({how}), twice", late=False)


def serve() -> None:
    """Be such a process: read what to do, then chunks, from stdin; write results to stdout."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)  # whatever prints there must not come between the answers
    try:
        work: Work[Any, Any] = pickle.load(requests)()
        _answer(answers, "ready", None)
        while True:
            _answer(answers, "done", work(pickle.load(requests)))
    except EOFError:  # nobody needs any more
        pass
    except BaseException as error:
        _answer(answers, "error", error)
    os._exit(0)


def _answer(answers: BinaryIO, kind: str, content: object) -> None:
    pickle.dump((kind, content), answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()
