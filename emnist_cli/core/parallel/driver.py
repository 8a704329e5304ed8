"""Work through any number of items with one process per core; characters, pages and training images go through here.

The items are files or pages of files. Results come in the order of the items and memory stays flat.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Generic

from emnist_cli.core.errors import ImageError, UsageError
from emnist_cli.core.files.discovery import ImageRef
from emnist_cli.core.parallel.worker_main import Item, Result, Work
from emnist_cli.core.platform.cpu import available_cores

if TYPE_CHECKING:
    from emnist_cli.core.parallel.pool import Pool

_LEAST = 4  # items in a chunk: with fewer, starting another process costs more than it saves
_SECONDS = 1.0  # that a chunk should take at most, because its results arrive together
_OWN = ("/dev/fd/", "/dev/stdin", "/proc/")


@dataclass(frozen=True)
class ParallelJob(Generic[Item, Result]):
    """What to do with each item.

    Attributes:
        make: called in each worker process; returns what turns a chunk of items into results.
        make_alone: the same for this process, which handles a single item without starting any other.
        give_up: returns the result of an item that ends or stalls every process that reads it, and why.
        chunk_size: the most items that a process gets at once.
    """

    make: Callable[[], Work[Item, Result]]
    make_alone: Callable[[], Work[Item, Result]]
    give_up: Callable[[Item, str], Result]
    chunk_size: int


def check_parallel_options(workers: int | None, timeout: float) -> int:
    """Return how many processes to use.

    Raises:
        UsageError: a value out of range.
    """
    count = available_cores() if workers is None else workers
    if not isinstance(count, int) or not 1 <= count <= 1024:
        raise UsageError(f"--workers: expected a whole number in 1..1024. Received: {workers!r}")
    if not timeout > 0:
        raise UsageError(f"--timeout: expected seconds, more than 0. Received: {timeout!r}")
    return count


def run_parallel(
    items: Iterable[Item], job: ParallelJob[Item, Result], workers: int, timeout: float
) -> Iterator[Result]:
    """Yield the result of every item, in order.

    Args:
        items: read lazily, a few chunks ahead.
        job: what to do with them.
        workers: processes.
        timeout: seconds after which an item is given up.

    Raises:
        EmnistError: what `job.make` raises.
    """
    items = iter(items)
    ahead = max(2, workers * job.chunk_size)
    head = list(islice(items, ahead))
    if len(head) < 2:
        yield from job.make_alone()(head)
        return
    from emnist_cli.core.parallel.pool import Pool  # which one item does not pay for

    most = job.chunk_size
    if len(head) < ahead:
        most = min(most, max(_LEAST, -(-len(head) // workers)))
    pool: Pool[Item, Result] = Pool(job.make, workers, timeout, job.give_up)
    try:
        for results in pool.map(_chunks(chain(head, items), most, pool)):
            yield from results
    finally:
        pool.close()


def _chunks(items: Iterator[Item], most: int, pool: "Pool[Item, Result]") -> Iterator[list[Item]]:
    """Cut items into chunks, smaller ones where each item takes long."""
    size = most
    while chunk := list(islice(items, size)):
        yield chunk
        size = min(most, max(1, int(_SECONDS / pool.pace))) if pool.pace else most


def open_refs(found: Iterable[ImageRef | str | os.PathLike[str]]) -> Iterator[ImageRef]:
    """Yield each file as a worker process can read it: what only this process can read comes with its content."""
    for item in found:
        yield fetch_content(item if isinstance(item, ImageRef) else ImageRef(os.fsdecode(item)))


def fetch_content(found: ImageRef) -> ImageRef:
    """Read what only this process can: its own stdin and descriptors."""
    if found.problem or not (found.path == "-" or found.path.startswith(_OWN)):
        return found
    from emnist_cli.core.imaging.decode import read_bytes

    try:
        return found._replace(data=read_bytes(found.path))
    except ImageError as error:
        return found._replace(problem=error)
