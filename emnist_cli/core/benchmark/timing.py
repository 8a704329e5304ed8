"""Time calls in turns and compute statistics of the times, for the benchmark."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

Measurable = TypeVar("Measurable")
Measurement = TypeVar("Measurement")
Clock = Callable[[], float]

_LEAST = 3  # calls of a measurement, however long they take


class Statistic(NamedTuple):
    """A figure measured in several runs: the median over them, the lowest and the highest."""

    median: float
    low: float
    high: float


class Latency(NamedTuple):
    """How long a call takes, in seconds.

    Attributes:
        median, p95, p99: of all calls of all runs.
        low, high: the lowest and the highest of the runs' own medians.
        calls: how many there were.
    """

    median: float
    p95: float
    p99: float
    low: float
    high: float
    calls: int


def sample(call: Callable[[], object], seconds: float, clock: Clock = time.perf_counter) -> list[float]:
    """Call for so long, three times at least; return the seconds that each call took."""
    taken: list[float] = []
    before = began = clock()
    while before - began < seconds or len(taken) < _LEAST:
        call()
        after = clock()
        taken.append(after - before)
        before = after
    return taken


def in_turns(
    subjects: Sequence[Measurable],
    runs: int,
    measure: Callable[[Measurable], Measurement],
    warm_up: Callable[[Measurable], object] | None = None,
) -> list[list[Measurement]]:
    """Measure subjects A B C A B C, so that a machine that gets slower or faster favours none of them.

    Args:
        subjects: what to measure.
        runs: how often.
        measure: called with a subject.
        warm_up: called with each subject once before the first run.

    Returns:
        For each subject, the results of its runs.
    """
    if warm_up:
        for subject in subjects:
            warm_up(subject)
    results: list[list[Measurement]] = [[] for _ in subjects]
    for _ in range(runs):
        for subject, found in zip(subjects, results, strict=True):
            found.append(measure(subject))
    return results


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of `values` does not exceed, interpolated linearly between neighbours.

    Args:
        values: at least one, in any order.
        share: in [0, 1]; 0.5 is the median. Definition 7 of Hyndman and Fan ("Sample quantiles in statistical
            packages", The American Statistician, 1996), as numpy has it.
    """
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def statistic(values: Sequence[float]) -> Statistic:
    """Sum up the figures of several runs."""
    return Statistic(percentile(values, 0.5), min(values), max(values))


def latency(runs: Sequence[Sequence[float]]) -> Latency:
    """Sum up the seconds of the calls of several runs."""
    calls = [seconds for run in runs for seconds in run]
    medians = statistic([percentile(run, 0.5) for run in runs])
    median, p95, p99 = (percentile(calls, share) for share in (0.5, 0.95, 0.99))
    return Latency(median, p95, p99, medians.low, medians.high, len(calls))
