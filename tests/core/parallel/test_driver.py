"""Items of any kind through one driver: order, chunk sizes, and what happens where there are few."""

import functools
import os

import pytest

from emnist_cli.core.errors import EmnistError, UsageError
from emnist_cli.core.parallel.driver import ParallelJob, check_parallel_options, run_parallel
from emnist_cli.core.parallel.worker_main import Work

Seen = tuple[int, int, int]  # the item, how many were in its chunk, the process


def make() -> Work[int, Seen]:
    return lambda chunk: [(item, len(chunk), os.getpid()) for item in list(chunk)]


def refuse() -> Work[int, Seen]:
    raise EmnistError("no such model")


def give_up(item: int, reason: str) -> Seen:
    return item, 0, 0


JOB: ParallelJob[int, Seen] = ParallelJob(make, make, give_up, 32)


def test_results_come_in_order_from_other_processes() -> None:
    seen = list(run_parallel(range(100), JOB, 2, 30.0))
    assert [item for item, _, _ in seen] == list(range(100))
    assert {pid for _, _, pid in seen}.isdisjoint({os.getpid()}) and len({pid for _, _, pid in seen}) == 2
    assert {count for _, count, _ in seen} == {32, 4}


def test_a_few_items_are_shared_out() -> None:
    assert {count for _, count, _ in run_parallel(range(10), JOB, 2, 30.0)} == {5}


def test_one_item_needs_no_other_process() -> None:
    assert list(run_parallel([7], JOB, 2, 30.0)) == [(7, 1, os.getpid())]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_cannot_begin_is_said_even_without_items(count: int) -> None:
    job: ParallelJob[int, Seen] = ParallelJob(refuse, functools.partial(refuse), give_up, 32)
    with pytest.raises(EmnistError, match="no such model"):
        list(run_parallel(range(count), job, 2, 30.0))


def test_a_single_worker_gets_every_item() -> None:
    job: ParallelJob[int, Seen] = ParallelJob(make, make, give_up, 1)
    seen = list(run_parallel(range(3), job, 1, 30.0))
    assert [(item, count) for item, count, _ in seen] == [(0, 1), (1, 1), (2, 1)]


@pytest.mark.parametrize(("workers", "timeout"), [(0, 1.0), (1025, 1.0), (2, 0.0)])
def test_options_that_make_no_sense(workers: int, timeout: float) -> None:
    with pytest.raises(UsageError, match=r"--(workers|timeout): expected"):
        check_parallel_options(workers, timeout)
