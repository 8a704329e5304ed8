"""Classify images on many machines with Ray Data, for `emnist predict --engine ray`; see docs/ray.md.

Files are listed on this machine. Ray Data passes blocks of paths to actors, which return rows. The workers read the
files, preprocess them and run the network.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from types import ModuleType
from typing import Any, Literal

from emnist_cli.core.cluster.actor import Reader, describe_actor
from emnist_cli.core.cluster.session import import_ray, is_client, open_session
from emnist_cli.core.config import PredictConfig
from emnist_cli.core.files import uri_search, uris
from emnist_cli.core.files.discovery import ImageRef, find_pictures
from emnist_cli.core.files.uri_search import OnSkip
from emnist_cli.core.parallel.driver import fetch_content
from emnist_cli.core.parallel.run_files import CHUNK
from emnist_cli.core.records import Prediction

ROWS_PER_PART = 10_000
"""At least so many rows a part file, where there are as many."""

_MOST = 8  # chunks a block: each costs Ray some ten milliseconds
_LEAST = 8  # blocks that a worker gets where there are enough, so that all end at about the same time


def predict_on_ray(
    paths: Sequence[str],
    recursive: bool,
    options: Mapping[str, Any],
    *,
    address: str | None = None,
    workers: int | None = None,
    timeout: float = PredictConfig.timeout,
    is_done: Callable[[str], bool] = lambda path: False,
    on_skip: OnSkip = lambda path: None,
) -> Iterator[Prediction]:
    """Classify pictures on a Ray cluster; every one gives a prediction, in order, as they come.

    Args:
        paths: as for `discovery.find_pictures`, or URIs.
        recursive: enter folders within folders.
        options: keyword arguments of `Recognizer`, the model included, which travels to the workers.
        address: of a running cluster, as `ray.init` takes it; None for RAY_ADDRESS, else a Ray of our own, on this
            machine, that ends with the run.
        workers: actors; None for one a CPU of the cluster.
        timeout: seconds after which a file is given up.
        is_done: asked for each file; those of which it says so are left out.
        on_skip: called with each file in a folder that is not a picture by its name.

    Raises:
        MissingError: Ray, or what reads such URIs, is not installed, here or on the workers.
        ModelError: there is no such model, or it is damaged.
        UsageError: an option that makes no sense, or no cluster at that address.
        EmnistError: Ray gave up.
    """
    import_ray(address)
    from emnist_cli.core.cluster.arrow import read_rows

    reader = describe_actor(options, timeout)
    with open_session(address, workers) as ray:
        found = (file for file in _find(paths, recursive, on_skip) if not is_done(file.path))
        job = _Job(ray, found, reader, workers)
        with closing(_ask(ray, job) if is_client(ray) else job.run()) as tables:
            for table in tables:
                yield from read_rows(table)


def write_parts(
    paths: Sequence[str],
    recursive: bool,
    options: Mapping[str, Any],
    destination: str,
    form: Literal["parquet", "jsonl"],
    *,
    address: str | None = None,
    workers: int | None = None,
    timeout: float = PredictConfig.timeout,
    on_skip: OnSkip = lambda path: None,
    rows_per_part: int = ROWS_PER_PART,
) -> "Counter[str]":
    """Classify pictures on a Ray cluster, whose tasks write the rows into part files; return how many of each status.

    A file _SUCCESS is written last, when every part is in its place.

    Args:
        paths: as for `predict_on_ray`, and so are the arguments that are not explained here.
        recursive: enter folders within folders.
        options: keyword arguments of `Recognizer`.
        destination: folder, or URI of one, that every worker can write to; empty or not there yet.
        form: of the part files.
        address: of a running cluster.
        workers: actors.
        timeout: seconds for a file.
        on_skip: called with each file that is left out.
        rows_per_part: at least so many, but in the last.

    Raises:
        MissingError, ModelError, UsageError, EmnistError: as `predict_on_ray` does; a destination that is not empty.
        OutputError: a part cannot be written, or is not where it should be.
    """
    import_ray(address)
    from emnist_cli.core.cluster.arrow import OutputParts

    reader = describe_actor(options, timeout)
    parts = OutputParts(destination, form, rows_per_part)
    with open_session(address, workers, parts.prepare) as ray:
        job = _Job(ray, _find(paths, recursive, on_skip), reader, workers)
        if not is_client(ray):
            return job.write(parts)
        counts: Counter[str] = ray.get(ray.remote(num_cpus=0)(_Job.write).remote(job, parts))
        return counts


class _Job:
    """Pictures to read, and by whom.

    Of each block of paths it keeps a reference; the paths themselves are in Ray's object store, or on its disk.
    """

    def __init__(
        self, ray: ModuleType, found: Iterator[ImageRef], reader: tuple[object, ...], workers: int | None
    ) -> None:
        from emnist_cli.core.cluster.arrow import make_block

        self._reader = reader
        self._workers = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._blocks = [ray.put(make_block(block)) for block in _cut(found, self._workers)]

    def run(self) -> "Generator[Any, None, None]":
        """Yield the rows as tables of `arrow.make_rows`, in order."""
        if self._blocks:
            with closing(iter(self._dataset().iter_batches(batch_size=None, batch_format="pyarrow"))) as tables:
                yield from tables

    def write(self, parts: Any) -> "Counter[str]":
        """Let the workers write `arrow.OutputParts`; return how many rows there are of each status."""
        parts.prepare()
        if self._blocks:
            # The actors have all the CPUs; writing must not wait for one.
            self._dataset().write_datasink(parts, ray_remote_args={"num_cpus": 0})
        counts: Counter[str] = parts.finish()
        return counts

    def _dataset(self) -> Any:
        from ray.data import ActorPoolStrategy, from_arrow_refs

        count = min(self._workers, len(self._blocks))
        dataset = from_arrow_refs(self._blocks)
        dataset.context.enable_progress_bars = False
        dataset.context.execution_options.preserve_order = True
        return dataset.map_batches(
            Reader,
            fn_constructor_args=self._reader,
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=1,
            # Others may be at work on the cluster, too: one actor is enough to begin.
            compute=ActorPoolStrategy(min_size=1, initial_size=count, max_size=count),
        )


class _Conductor:
    """A job that is run on the cluster, since Ray Data cannot be through Ray Client."""

    def __init__(self, job: _Job) -> None:
        self._tables = job.run()

    def next(self) -> Any:
        return next(self._tables, None)


def _ask(ray: ModuleType, job: _Job) -> "Generator[Any, None, None]":
    conductor = ray.remote(num_cpus=0)(_Conductor).remote(job)
    while (table := ray.get(conductor.next.remote())) is not None:
        yield table


def _find(paths: Sequence[str], recursive: bool, on_skip: OnSkip) -> Iterator[ImageRef]:
    for path in paths:
        if uris.is_uri(path):
            yield from uri_search.find_uris(path, recursive, on_skip)
        else:
            yield from map(fetch_content, find_pictures([path], recursive, on_skip))


def _cut(found: Iterator[ImageRef], workers: int) -> Iterator[list[ImageRef]]:
    """Cut what was found into blocks of whole chunks: few for each worker where there is little, else large ones."""
    parts = workers * _LEAST
    head = list(islice(found, parts * _MOST * CHUNK))
    size = -(-len(head) // (parts * CHUNK)) * CHUNK
    found = chain(head, found)
    del head
    while block := list(islice(found, size)):
        yield block
