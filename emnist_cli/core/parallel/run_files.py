"""Classify or preprocess many image files; the predict, evaluate and train commands, and Ray's actors, use it."""

import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emnist_cli.core.config import PredictConfig
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.parallel.driver import ParallelJob, check_parallel_options, open_refs, run_parallel
from emnist_cli.core.records import Prediction

if TYPE_CHECKING:
    from emnist_cli.core.parallel.worker_main import Work
    from emnist_cli.core.preprocessing.prepare import PreparedImage

CHUNK = 32
"""Images that a process gets at once, which is also the network's batch there."""


def predict_files(
    found: Iterable[ImageRef | str | os.PathLike[str]],
    options: Mapping[str, Any] | None = None,
    *,
    workers: int | None = None,
    timeout: float = PredictConfig.timeout,
    keep_pictures: bool = False,
) -> Iterator[Prediction]:
    """Classify picture files in parallel; every one gives a prediction, in order.

    One file alone is read in this process, which is the quickest.

    Args:
        found: paths, or files as `discovery.find_pictures` yields them.
        options: keyword arguments of `Recognizer`, the model included.
        workers: processes; None for one a core.
        timeout: seconds after which a file is given up.
        keep_pictures: with each prediction comes its `picture`.

    Raises:
        ModelError: there is no such model, or it is damaged.
        UsageError: an argument that makes no sense.
    """
    count = check_parallel_options(workers, timeout)
    options = dict(options or {})
    job: ParallelJob[ImageRef, Prediction] = ParallelJob(
        make=functools.partial(make_recognition, {**options, "threads": 1, "batch_size": CHUNK}, keep_pictures),
        make_alone=functools.partial(make_recognition, options, keep_pictures),
        give_up=give_up,
        chunk_size=CHUNK,
    )
    yield from run_parallel(open_refs(found), job, count, timeout)


def prepare_files(
    found: Iterable[ImageRef], *, workers: int | None = None, timeout: float = PredictConfig.timeout
) -> Iterator["PreparedImage"]:
    """Bring image files into EMNIST's form in parallel, as `predict_files` does, without running a network.

    Args:
        found: files as `discovery.find_pictures` yields them.
        workers: processes; None for one per core.
        timeout: seconds after which a file is given up.

    Yields:
        One record per file, in order.

    Raises:
        UsageError: an argument that makes no sense.
    """
    count = check_parallel_options(workers, timeout)
    job: ParallelJob[ImageRef, PreparedImage] = ParallelJob(_make_preparation, _make_preparation, _give_up, CHUNK)
    yield from run_parallel(open_refs(found), job, count, timeout)


def make_recognition(options: Mapping[str, Any], keep_pictures: bool) -> "Work[ImageRef, Prediction]":
    """Load a model; return what classifies a chunk."""
    from emnist_cli.core.classify.recognizer import Recognizer
    from emnist_cli.core.imaging.decode import ignore_pillow_warnings

    recognizer = Recognizer(**options)
    ignore_pillow_warnings()

    def work(chunk: Sequence[ImageRef]) -> list[Prediction]:
        return list(recognizer.predict_many(chunk, keep_pictures))

    return work


def give_up(found: ImageRef, reason: str) -> Prediction:
    """Return the row of a file that cannot be read without harm."""
    return Prediction(found.path, "error", error=reason)


def _make_preparation() -> "Work[ImageRef, PreparedImage]":
    from emnist_cli.core.imaging.decode import ignore_pillow_warnings
    from emnist_cli.core.preprocessing.prepare import ImagePreparer

    ignore_pillow_warnings()
    return ImagePreparer().prepare


def _give_up(found: ImageRef, reason: str) -> "PreparedImage":
    from emnist_cli.core.preprocessing.prepare import PreparedImage

    return PreparedImage(found.path, None, reason)
