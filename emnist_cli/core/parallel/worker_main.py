"""The main loop of a worker process that `parallel.pool` starts: the same work on chunk after chunk of items."""

import faulthandler
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[list[Item]], list[Result]]
"""One result for each item of a chunk."""


class _Timed(list[Any]):
    """Items, each of which is begun when it is taken; the process ends if the next is not taken in time."""

    timeout = 0.0

    def __iter__(self) -> Iterator[Any]:
        for item in super().__iter__():
            _set_alarm(self.timeout)
            yield item


if hasattr(signal, "setitimer"):
    LATE = -signal.SIGALRM

    def _set_alarm(seconds: float) -> None:
        """Have the system end this process later, whatever it is at then; 0 for never."""
        signal.setitimer(signal.ITIMER_REAL, seconds)

else:  # Windows
    LATE = 1
    _NOWHERE = os.open(os.devnull, os.O_WRONLY)

    def _set_alarm(seconds: float) -> None:
        """Have a thread that needs no lock end this process later; 0 for never."""
        if seconds:
            faulthandler.dump_traceback_later(seconds, exit=True, file=_NOWHERE)
        else:
            faulthandler.cancel_dump_traceback_later()


def serve() -> None:
    """Be such a process: read what to do, then chunks, from stdin; write results to stdout."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):  # whatever reads or prints there must not come between
        os.dup2(nowhere, descriptor)
    try:
        make, _Timed.timeout = pickle.load(requests)
        work: Work[Any, Any] = make()
        _answer(answers, "ready", None)
        while True:
            results = work(_Timed(pickle.load(requests)))
            _set_alarm(0)
            _answer(answers, "done", results)
    except EOFError:  # nobody needs any more
        pass
    except Exception as error:
        _set_alarm(0)
        _answer(answers, "error", error)
    os._exit(0)


def _answer(answers: BinaryIO, kind: str, content: object) -> None:
    pickle.dump((kind, content), answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()
