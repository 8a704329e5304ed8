"""Measure for the benchmark how many image files a second are read end to end.

A file is found, decoded, preprocessed and classified.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from itertools import cycle, islice
from typing import cast

from emnist_cli.core.benchmark.timing import Clock
from emnist_cli.core.parallel.run_files import CHUNK, predict_files
from emnist_cli.core.records import Prediction

_HEAD = 2 * CHUNK  # pictures a process until all of them are at work


def read_speed(
    files: Sequence[str], model: str, processes: int, seconds: float, clock: Clock = time.perf_counter
) -> float:
    """Return pictures a second of `emnist predict FOLDER --workers PROCESSES`, without its start.

    Files are read over and over; the system has them in memory. What is counted begins and ends while all processes
    are at work, at the end of a chunk.

    Args:
        files: pictures.
        model: as `Recognizer` takes it.
        processes: that read.
        seconds: to measure for, at least.
        clock: tells the time.
    """
    options = {"model": model, "trust": True, "top_k": 1}  # `find_models` has asked
    predictions = cast(Generator[Prediction, None, None], predict_files(cycle(files), options, workers=processes))
    try:
        _skip(predictions, _HEAD * processes)
        began, count, passed = clock(), 0, 0.0
        while passed < seconds:
            _skip(predictions, CHUNK)
            count, passed = count + CHUNK, clock() - began
    finally:
        predictions.close()
    return count / passed


def _skip(predictions: Iterator[Prediction], count: int) -> None:
    for _ in islice(predictions, count):
        pass
