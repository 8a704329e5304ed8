"""The whole benchmark with everything that takes time made up: what is measured when, and what comes of it."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emnist_cli.core import bundle
from emnist_cli.core.benchmark import runner as running
from emnist_cli.core.benchmark.benchmark_config import GIVEN, BenchmarkConfig
from emnist_cli.core.benchmark.measured_process import MeasureRequest, MeasureTask
from emnist_cli.core.benchmark.results import Benchmark
from emnist_cli.core.benchmark.timing import Statistic
from emnist_cli.core.errors import UsageError
from emnist_cli.core.labels import CHARSETS
from tests.handwriting import picture

Log = list[tuple[str, ...]]


class Stand:
    """Stands in for a subject: says that every call takes a millisecond a thread and picture."""

    log: Log
    closed: int

    def __init__(self, task: MeasureTask) -> None:
        self.name, self.threads = Path(task.model).stem, task.threads
        self.pictures = np.load(task.ready)

    def ask(self, request: MeasureRequest) -> Any:
        what = f"{request.what} {request.size}" if request.what == "batch" else request.what
        self.log.append((what, self.name, str(self.threads)))
        if request.what == "memory":
            return 1000 * self.threads
        if request.what == "answers":  # always the first class
            return CHARSETS["alnum"], [0] * len(self.pictures)
        return [0.001 * self.threads * request.size] * 4

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """What is measured, in order: what, with which model, with how many threads."""
    Stand.log, Stand.closed = [], 0
    starts = itertools.count(1)

    def note(*words: object) -> None:
        Stand.log.append(tuple(map(str, words)))

    def replace(name: str, value: Callable[..., float]) -> None:
        monkeypatch.setattr(running, name, value)

    replace("cold_start", lambda picture, model: [note("start", Path(model).stem), float(next(starts))][1])
    replace("bare_start", lambda: [note("start", "nothing"), 0.5][1])
    replace("read_speed", lambda files, model, processes, s: [note("files", Path(model).stem, processes), 7.0][1])
    replace("measure_peak", lambda threads, s: [note("peak", threads), 2e9 * threads][1])
    monkeypatch.setattr(running, "MeasuredProcess", Stand)
    yield Stand.log


@pytest.fixture
def other(tmp_path: Path) -> str:
    """Another model: the starter's graph alone."""
    path = tmp_path / "other.tflite"
    path.write_bytes(bundle.find_bundle().graph.read_bytes())
    return str(path)


def measure(*models: str, **how: Any) -> tuple[Benchmark, list[tuple[int, int, str]]]:
    steps: list[tuple[int, int, str]] = []
    plan = BenchmarkConfig(
        **{"models": models, "threads": (1, 2), "batches": (1, 8), "runs": 2, "seconds": 0.01, **how}
    )
    return running.run(plan, lambda *step: steps.append(step)), steps


def test_everything_is_measured_in_turns(log: Log, other: str) -> None:
    measure("starter", other)
    rows = [("starter", "1"), ("starter", "2"), ("other", "1"), ("other", "2")]
    loads = [("memory", *row) for row in rows]
    expected = [*loads, *[("start", name) for name in ("starter", "other", "nothing")] * 3]
    for what in ("network", "picture", "batch 1", "batch 8"):
        expected += [(what, *row) for row in rows] * 3  # to warm up, and two runs
    expected += [("files", *row) for row in rows] * 2
    expected += [("peak", "1"), ("peak", "2")] * 2
    assert log == [*expected, *loads]
    assert Stand.closed == 4


def test_figures(log: Log) -> None:
    found, steps = measure("starter")
    first, second = found.rows
    assert (first.model, first.form, first.runtime, first.weights) == ("starter", GIVEN, "LiteRT", "int8")
    assert (first.threads, second.threads) == (1, 2)
    assert first.bytes == bundle.find_bundle().graph.stat().st_size
    assert first.cold_start == second.cold_start == Statistic(2.5, 2.0, 3.0), "the first one only warms up"
    assert found.bare_start == Statistic(0.5, 0.5, 0.5)
    assert (first.network.median, first.network.calls) == (0.001, 8)
    assert {size: round(speed.median) for size, speed in second.batches.items()} == {1: 500, 8: 500}
    assert (first.files.median, first.memory, second.memory, first.accuracy) == (7.0, 1000, 2000, None)
    assert (first.peak, second.peak) == (2e9, 4e9)
    assert first.achieved == pytest.approx(first.flops * 1000)
    assert found.settings["data"] == "64 drawings of 200x200 pixels, PNG"
    assert found.settings["threads"] == [1, 2] and found.settings["runs"] == 2
    assert [done for done, *_ in steps] == list(range(len(steps)))
    assert {total for _, total, _ in steps} == {len(steps) - 1}, "the bar ends full"


def test_accuracy_counts_what_cannot_be_read_as_wrong(log: Log, tmp_path: Path) -> None:
    for name, character in (("0", "0"), ("upper-A", "A"), ("7", "7")):
        (tmp_path / name).mkdir()
        picture(character, 1).save(tmp_path / name / "1.png")
    (tmp_path / "0" / "broken.png").write_bytes(b"nothing")
    found, _ = measure("starter", data=tmp_path)
    assert [row.accuracy for row in found.rows] == [0.25, 0.25]
    assert found.settings["data"] == f"4 labelled pictures of {tmp_path}"
    assert [entry for entry in log if entry[0] == "answers"] == [("answers", "starter", "1")], "once for each model"


def test_a_model_that_is_named_twice(log: Log) -> None:
    with pytest.raises(UsageError, match="each model once"):
        measure("starter", "starter")


@pytest.mark.slow
def test_models_of_the_same_name_are_told_apart(log: Log, other: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    again = Path(other).rename(tmp_path / "folder" / "other.tflite")
    Path(other).write_bytes(again.read_bytes())
    found, _ = measure(other, str(again), "starter", threads=(1,))
    assert [row.model for row in found.rows] == [other, str(again), "starter"]


@pytest.mark.slow
def test_exports_stand_beside_the_first_model(log: Log, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "export_forms", lambda first, forms, folder, on_export: [
        first._replace(form=form, model=other, found=bundle.find_bundle(other)) for form in forms if not on_export(form)
    ])  # fmt: skip
    found, steps = measure("starter", against=("litert",), threads=(1,))
    assert [(row.model, row.form) for row in found.rows] == [("starter", GIVEN), ("starter", "litert")]
    assert steps[-1][0] == steps[-1][1]
