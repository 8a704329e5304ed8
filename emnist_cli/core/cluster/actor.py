"""The Ray actor that turns blocks of paths into rows; `cluster.engine` runs it on the workers."""

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from emnist_cli.core import bundle, exported_models
from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.errors import UsageError
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.files.uris import fetch_all
from emnist_cli.core.parallel.pool import Pool
from emnist_cli.core.parallel.run_files import CHUNK, give_up
from emnist_cli.core.parallel.worker_main import Work
from emnist_cli.core.records import Prediction


class Reader:
    """An actor: it has a model in a child process, where a picture that kills or stalls it costs one row."""

    def __init__(self, make: Callable[[], "Work[ImageRef, Prediction]"], timeout: float) -> None:
        """Prepare.

        Args:
            make: called in the child process, gives what classifies a chunk.
            timeout: seconds for a file.
        """
        self._pool: Pool[ImageRef, Prediction] = Pool(make, 1, timeout, give_up)

    def __call__(self, block: Any) -> Any:
        """Classify a block: a table as of `arrow.make_block` becomes one as of `arrow.make_rows`."""
        from emnist_cli.core.cluster.arrow import make_rows, read_block

        found = read_block(block)
        chunks = (found[start : start + CHUNK] for start in range(0, len(found), CHUNK))
        return make_rows(chain.from_iterable(self._pool.map(chunks)))

    def close(self) -> None:
        """End the child process, which else ends with this one."""
        self._pool.close()


def describe_actor(
    options: Mapping[str, Any], timeout: float
) -> tuple[Callable[[], "Work[ImageRef, Prediction]"], float]:
    """Return the arguments of `Reader`, the model's files among them, after a check that they make sense.

    Raises:
        ModelError: there is no such model, or it is damaged.
        UsageError: an option that makes no sense.
    """
    from emnist_cli.core.classify.recognizer import Recognizer

    if not timeout > 0:
        raise UsageError(f"--timeout: expected seconds, more than 0. Received: {timeout!r}")
    model = Recognizer(**options).model
    folder = model.graph.parent
    if model.manifest and model.graph.name == bundle.GRAPH and (folder / bundle.MANIFEST).is_file():
        paths = [folder / name for name in (bundle.MANIFEST, *model.manifest.files)]
    else:
        paths = exported_models.list_files(model.graph)
    read = {} if model.content is None else {model.graph: model.content}
    files = {path.relative_to(folder).as_posix(): read.get(path) or path.read_bytes() for path in paths}
    others = {**options, "model": None, "trust": True}  # which has been asked for
    return functools.partial(_make, files, model.graph.name, others, str(Path.cwd())), timeout


def _make(files: Mapping[str, bytes], graph: str, options: Mapping[str, Any], cwd: str) -> "Work[ImageRef, Prediction]":
    """Unpack and load a model; return what classifies a chunk."""
    import numpy as np

    from emnist_cli.core.classify.recognizer import Recognizer
    from emnist_cli.core.imaging.decode import ignore_pillow_warnings

    with suppress(OSError):  # relative paths mean the same wherever that folder is shared
        os.chdir(cwd)
    with TemporaryDirectory(prefix="emnist-model-") as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        recognizer = Recognizer(**{**options, "model": Path(folder) / graph, "threads": 1, "batch_size": CHUNK})
        recognizer.probabilities(np.zeros((2, IMAGE_SIZE, IMAGE_SIZE), np.float32))  # the files are not read again
    ignore_pillow_warnings()

    def work(chunk: Sequence[ImageRef]) -> list[Prediction]:
        return list(recognizer.predict_many(fetch_all(chunk), keep_pictures=False))

    return work
