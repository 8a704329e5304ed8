"""Work for the processes of `test_workers`, which import it by name: it does to them what an item says."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from emnist_cli.core.errors import ModelError, UsageError


def make() -> Callable[[list[str]], list[str]]:
    print("the streams between processes must not carry this")
    return lambda chunk: [_do(item) for item in chunk]


def make_none() -> Callable[[list[str]], list[str]]:
    raise ModelError("no model: there is none")


def make_and_die() -> Callable[[list[str]], list[str]]:
    os._exit(7)


def make_slowly() -> Callable[[list[str]], list[str]]:
    time.sleep(1)
    return make()


def make_and_be_killed() -> Callable[[list[str]], list[str]]:
    os.kill(os.getpid(), 9)
    return make()


def _do(item: str) -> str:
    print("nor this")
    what, _, argument = item.partition(" ")
    if what == "die":
        os._exit(9)
    if what == "hang":
        time.sleep(600)
    if what == "die-once" and not Path(argument).exists():
        Path(argument).touch()
        os.kill(os.getpid(), 9)
    if what == "refuse":
        raise UsageError("cannot be meant")
    return f"{item} done"
