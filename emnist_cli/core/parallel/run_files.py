"""Classify many files in parallel, in order and in constant memory, for the commands and the Python API.

One worker process per core reads, preprocesses and classifies files. `emnist predict`, `evaluate --folder` and `train
--folder` read through this module.
"""

import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import ImageError, UsageError
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.platform.cpu import available_cores
from emnist_cli.core.records import Prediction

if TYPE_CHECKING:
    from emnist_cli.core.parallel.pool import Pool
    from emnist_cli.core.parallel.worker_main import Work

CHUNK = 32
"""Pictures that a process gets at once, which is the network's batch too."""

_LEAST = 4  # so few pictures are not worth another process
_SECONDS = 1.0  # that a chunk should take at most
_OWN = ("/dev/fd/", "/dev/stdin", "/proc/")


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
        found: paths, or files as `files.find_pictures` yields them.
        options: keyword arguments of `Recognizer`, the model included.
        workers: processes; None for one a core.
        timeout: seconds after which a file is given up.
        keep_pictures: with each prediction comes its `picture`.

    Raises:
        ModelError: there is no such model, or it is damaged.
        UsageError: an argument that makes no sense.
    """
    options = dict(options or {})
    count = available_cores() if workers is None else workers
    if not isinstance(count, int) or not 1 <= count <= 1024:
        raise UsageError(f"--workers: expected a whole number in 1..1024. Received: {workers!r}")
    if not timeout > 0:
        raise UsageError(f"--timeout: expected seconds, more than 0. Received: {timeout!r}")
    files = (fetch_content(item if isinstance(item, ImageRef) else ImageRef(os.fsdecode(item))) for item in found)
    head = list(islice(files, count * CHUNK))
    if len(head) == 1:
        yield from _make(options, keep_pictures)(head)
        return
    from emnist_cli.core.parallel.pool import Pool  # which one file does not pay for

    size = CHUNK if len(head) == count * CHUNK else min(CHUNK, max(_LEAST, -(-len(head) // count)))
    make = functools.partial(_make, {**options, "threads": 1, "batch_size": CHUNK}, keep_pictures)
    pool: Pool[ImageRef, Prediction] = Pool(make, count, timeout, give_up)
    try:
        for predictions in pool.map(_chunks(chain(head, files), size, pool)):
            yield from predictions
    finally:
        pool.close()


def _make(options: Mapping[str, Any], keep_pictures: bool) -> "Work[ImageRef, Prediction]":
    """Load a model; return what classifies a chunk."""
    import warnings

    from emnist_cli.core.classify.recognizer import Recognizer

    recognizer = Recognizer(**options)
    warnings.filterwarnings("ignore", module="PIL")  # what Pillow thinks of a damaged file is not for the user

    def work(chunk: Sequence[ImageRef]) -> list[Prediction]:
        return list(recognizer.predict_many(chunk, keep_pictures))

    return work


def _chunks(files: Iterator[ImageRef], most: int, pool: "Pool[ImageRef, Prediction]") -> Iterator[list[ImageRef]]:
    """Cut files into chunks, smaller ones where each file takes long: their rows come together."""
    size = most
    while chunk := list(islice(files, size)):
        yield chunk
        size = min(most, max(1, int(_SECONDS / pool.pace))) if pool.pace else most


def fetch_content(found: ImageRef) -> ImageRef:
    """Read what only this process can: its own stdin and descriptors."""
    if found.problem or not (found.path == "-" or found.path.startswith(_OWN)):
        return found
    from emnist_cli.core.imaging.decode import read_bytes

    try:
        return found._replace(data=read_bytes(found.path))
    except ImageError as error:
        return found._replace(problem=error)


def give_up(found: ImageRef, reason: str) -> Prediction:
    """Return the row of a file that cannot be read without harm."""
    return Prediction(found.path, "error", error=reason)
