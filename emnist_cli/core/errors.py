"""Every error that a user can cause, with its exit code and advice; the core raises them and `app` prints them.

`app` is the only place that prints these errors (one line on stderr) and turns them into an exit code. A message says
what was wrong, what was received and what to do.
"""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the `emnist` command: a stable contract, documented in docs/contract.md."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    INPUT = 3
    MODEL = 4
    DATA = 5
    MISSING = 6
    INTERRUPTED = 130


class EmnistError(Exception):
    """Base class: an error whose text is meant for the user."""

    exit_code = ExitCode.UNEXPECTED


class UsageError(EmnistError):
    """An option or argument that cannot be meant as given."""

    exit_code = ExitCode.USAGE


class ImageError(EmnistError):
    """A picture that cannot be read; in a run over many it becomes a row instead."""

    exit_code = ExitCode.INPUT


class OutputError(EmnistError):
    """Results that cannot be written: a full disk, a folder without permission."""

    exit_code = ExitCode.UNEXPECTED


class ModelError(EmnistError):
    """A model that is not there, damaged, or not one that can classify characters."""

    exit_code = ExitCode.MODEL


class DataError(EmnistError):
    """Training data that is not there or not what it claims to be."""

    exit_code = ExitCode.DATA


class TrainingError(EmnistError):
    """A training run that cannot go on: it diverged, ran out of memory or lost a worker."""

    exit_code = ExitCode.UNEXPECTED


class MissingError(EmnistError):
    """Something that has to be installed first."""

    exit_code = ExitCode.MISSING


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the name that was probably meant.

    Args:
        name: one that is not known.
        known: those that are.
        likeness: what the two must share at least, from 0 to 1, as `difflib` measures it.
    """
    from difflib import get_close_matches  # only errors pay for it

    by_folded = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), by_folded, n=1, cutoff=likeness)
    return by_folded[near[0]] if near else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the advice for a name that is not known: the nearest one, or all there are."""
    names = list(known)
    near = nearest(name, names)
    return f"did you mean {near}?" if near else f"expected one of: {', '.join(names) or 'none there are'}"
