"""Measure one model in one format with a fixed number of threads, in a process of its own; the benchmark uses it.

Each model has its own process for three reasons. Its memory is measured alone. It runs with the number of threads
that was requested, which TensorFlow accepts only once. The threads of one runtime do not disturb another. A process
waits while the others are measured.
"""

import functools
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image

from emnist_cli.core.benchmark.memory import peak_memory
from emnist_cli.core.benchmark.timing import sample
from emnist_cli.core.classify.classifier import Classifier
from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import EmnistError
from emnist_cli.core.imaging.decode import opened, read_bytes
from emnist_cli.core.parallel.pool import Pool
from emnist_cli.core.parallel.worker_main import Work

_OPEN = 32  # pictures that are held open
_PATIENCE = 3600.0  # seconds that one measurement may take


class MeasureTask(NamedTuple):
    """What the process needs to begin.

    Attributes:
        model: as `Recognizer` takes it.
        threads: that a batch is run with.
        ready: .npy file of pictures in EMNIST's form, float32 (n, 28, 28).
        files: pictures.
    """

    model: str
    threads: int
    ready: Path
    files: tuple[str, ...]


class MeasureRequest(NamedTuple):
    """What the process is asked for.

    Attributes:
        what: "network": seconds of calls with one picture in EMNIST's form; "picture": with one that is open, until it
            has its answer; "batch": with `size` pictures in EMNIST's form; "answers": the classes, and
            each picture's; "memory": the most bytes that were needed for one picture and a batch of 64.
        seconds: that calls are made for.
        size: of a batch.
    """

    what: Literal["network", "picture", "batch", "answers", "memory"]
    seconds: float = 0.0
    size: int = 1


class MeasuredProcess:
    """The process that measures, seen from outside. Close it in the end."""

    def __init__(self, task: MeasureTask) -> None:
        """Prepare; the process is started by the first request."""
        make = functools.partial(_make, task)
        self._pool: Pool[MeasureRequest, Any] = Pool(make, 1, _PATIENCE, _give_up)

    def ask(self, request: MeasureRequest) -> Any:
        """Return what is asked for.

        Raises:
            ModelError: the model cannot be run.
            MissingError: its runtime is not installed.
            EmnistError: the process ends each time.
        """
        return self._pool.submit([request]).result()[0]

    def close(self) -> None:
        """End the process."""
        self._pool.close()


def _give_up(request: MeasureRequest, reason: str) -> Any:
    raise EmnistError(f"{request.what} cannot be measured: {reason}")


def _make(task: MeasureTask) -> "Work[MeasureRequest, Any]":
    """Load the model; return what answers requests. Called in the measured process."""
    measured = _MeasuredCall(task)

    def work(requests: Sequence[MeasureRequest]) -> list[Any]:
        return [measured.answer(request) for request in requests]

    return work


class _MeasuredCall:
    """A loaded model."""

    def __init__(self, task: MeasureTask) -> None:
        self._task = task
        self._recognizer = Recognizer(task.model, threads=task.threads, trust=True)  # `find_models` has asked
        self._pictures = np.load(task.ready, mmap_mode="r")
        self._open = [_open(path) for path in task.files[:_OPEN]]
        self._recognizer.predict(self._open[0])
        self._recognizer.probabilities(self._batch(PredictConfig.batch_size))
        self._memory = peak_memory()
        self._classifiers: dict[int, Classifier] = {}

    def answer(self, request: MeasureRequest) -> Any:
        """Return what is asked for."""
        if request.what == "memory":
            return self._memory
        if request.what == "answers":
            classifier = self._classifier(PredictConfig.batch_size)
            best = classifier.run(np.asarray(self._pictures)).argmax(axis=1)
            return classifier.classes, best.tolist()
        if request.what == "picture":
            images = cycle(self._open)
            return sample(lambda: self._recognizer.predict(next(images)), request.seconds)
        classifier, batch = self._classifier(request.size), self._batch(request.size)
        return sample(lambda: classifier.run(batch), request.seconds)

    def _classifier(self, batch_size: int) -> Classifier:
        """Return the model for batches of that size; a runtime is made for one size."""
        if batch_size not in self._classifiers:
            found = self._recognizer.model
            self._classifiers[batch_size] = Classifier(found, threads=self._task.threads, batch_size=batch_size)
        return self._classifiers[batch_size]

    def _batch(self, size: int) -> Any:
        """Return so many pictures, float32 (size, 28, 28), the same ones again where there are fewer."""
        return np.ascontiguousarray(self._pictures[np.arange(size) % len(self._pictures)])


def _open(path: str) -> Image.Image:
    with opened(read_bytes(path)) as (image, _):
        return image.copy()
