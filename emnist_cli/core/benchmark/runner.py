"""Run a whole benchmark for `emnist benchmark`, taking turns over all models, formats and thread counts."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emnist_cli.core.benchmark import flops
from emnist_cli.core.benchmark.benchmark_config import GIVEN, BenchmarkConfig
from emnist_cli.core.benchmark.candidates import Candidate, export_forms, find_models
from emnist_cli.core.benchmark.cold_start import bare_start, cold_start
from emnist_cli.core.benchmark.file_throughput import read_speed
from emnist_cli.core.benchmark.machine import describe_machine
from emnist_cli.core.benchmark.measured_process import MeasuredProcess, MeasureRequest, MeasureTask
from emnist_cli.core.benchmark.peak_speed import measure_peak
from emnist_cli.core.benchmark.results import Benchmark, BenchmarkRow, size_of
from emnist_cli.core.benchmark.sample_images import SampleImages, gather
from emnist_cli.core.benchmark.timing import Statistic, in_turns, latency, statistic
from emnist_cli.core.files.labelled import find_class

_FILES, _PEAK = 5, 2
"""How many times as long as others these measurements last: a few hundred files, and two sizes of matrices."""

OnStep = Callable[[int, int, str], None]
"""Called with how many steps are done, how many there are, and what is measured now."""


class _Steps:
    """Counts what is done."""

    def __init__(self, plan: BenchmarkConfig, on_step: OnStep) -> None:
        candidates = len(plan.models) + len(plan.against)
        rows = candidates * len(plan.threads)
        calls = (plan.runs + 1) * rows * (2 + len(plan.batches)) + plan.runs * rows
        starts = (plan.runs + 1) * (candidates + 1) + plan.runs * len(plan.threads)
        self._total = 1 + len(plan.against) + rows + calls + starts
        self._done, self._on_step = -1, on_step
        self.next("pictures")

    def next(self, what: str) -> None:
        """Tell that a step is done, and what follows."""
        self._done += 1
        self._on_step(self._done, self._total, what)


class _MeasuredRow(NamedTuple):
    """A row that is measured."""

    candidate: Candidate
    threads: int
    subject: MeasuredProcess


def run(plan: BenchmarkConfig, on_step: OnStep = lambda done, total, what: None) -> Benchmark:
    """Measure.

    Args:
        plan: what.
        on_step: called as it goes on.

    Raises:
        UsageError: the plan makes no sense.
        ModelError: a model is not there or cannot be run.
        MissingError: the runtime of one is not installed.
        ImageError: there is no picture to measure with.
        EmnistError: a process fails that measures.
    """
    notes: list[str] = []
    named = find_models(plan.models, plan.trust)
    machine = describe_machine([])  # its load before we add to it
    steps = _Steps(plan, on_step)
    with tempfile.TemporaryDirectory(prefix="emnist-benchmark-") as text, ExitStack() as stack:
        scratch = Path(text)
        stack.enter_context(_temporary_files_in(scratch))
        (scratch / "drawings").mkdir()
        pictures = _gather(plan, named[0], scratch / "drawings", notes.append)
        np.save(scratch / "ready.npy", pictures.ready)
        steps.next("exports" if plan.against else "models")
        exports = export_forms(named[0], plan.against, scratch, lambda form: steps.next("exports"))
        candidates = [*named, *exports]
        rows = _open(candidates, plan, pictures, scratch / "ready.npy", stack, steps)
        starts, bare = _cold_starts(candidates, pictures.files[0], plan, steps)
        measured = _measure(rows, pictures, plan, steps)
        accuracies = _accuracies(rows, pictures)
        graphs = _inspect(candidates)
        sizes = [size_of(candidate.found.graph) for candidate in candidates]
    found = []
    for (candidate, threads, _), figures in zip(rows, measured, strict=True):
        i = candidates.index(candidate)
        facts = {"bytes": sizes[i], "cold_start": starts[i], "accuracy": accuracies[i], **graphs[i]._asdict()}
        found.append(
            BenchmarkRow(candidate.name, candidate.form, candidate.runtime, threads=threads, **facts, **figures)
        )
    machine["versions"] = describe_machine(dict.fromkeys(c.runtime for c in candidates))["versions"]
    settings = {**asdict(plan), "data": pictures.about}
    del settings["trust"]  # nothing that is measured depends on it
    return Benchmark(machine, _plain(settings), bare, tuple(found), tuple(notes))


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Let the processes that are started leave their temporary files here: some are ended before they tidy up."""
    names = ("TMPDIR", "TEMP", "TMP")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(folder)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}


def _gather(plan: BenchmarkConfig, first: Candidate, scratch: Path, on_note: Callable[[str], None]) -> SampleImages:
    manifest = first.found.manifest
    classes = manifest.classes if manifest else ()
    return gather(plan.data, scratch, classes, on_note)


def _open(
    candidates: Sequence[Candidate],
    plan: BenchmarkConfig,
    pictures: SampleImages,
    ready: Path,
    stack: ExitStack,
    steps: _Steps,
) -> list[_MeasuredRow]:
    """Load every model as often as there are thread counts, each in a process that waits for its turn."""
    rows = []
    for candidate in candidates:
        for threads in plan.threads:
            task = MeasureTask(candidate.model, threads, ready, tuple(pictures.files))
            subject = MeasuredProcess(task)
            stack.callback(subject.close)
            subject.ask(MeasureRequest("memory"))  # makes it load; its figure is asked for again
            rows.append(_MeasuredRow(candidate, threads, subject))
            steps.next("models")
    return rows


def _cold_starts(
    candidates: Sequence[Candidate], picture: str, plan: BenchmarkConfig, steps: _Steps
) -> tuple[list[Statistic], Statistic]:
    """Start fresh processes: for each candidate in turn, and one that does nothing."""

    def start(model: str | None) -> float:
        seconds = bare_start() if model is None else cold_start(picture, model)
        steps.next("cold start")
        return seconds

    models = [*(candidate.model for candidate in candidates), None]
    *found, bare = [statistic(runs) for runs in in_turns(models, plan.runs, start, start)]
    return found, bare


def _measure(
    rows: Sequence[_MeasuredRow], pictures: SampleImages, plan: BenchmarkConfig, steps: _Steps
) -> list[dict[str, Any]]:
    """Measure all that depends on the row."""

    def calls(request: MeasureRequest, what: str) -> list[list[list[float]]]:
        def ask(row: _MeasuredRow) -> list[float]:
            taken: list[float] = row.subject.ask(request)
            steps.next(what)
            return taken

        return in_turns(rows, plan.runs, ask, ask)

    def read(row: _MeasuredRow) -> float:
        speed = read_speed(pictures.files, row.candidate.model, row.threads, plan.seconds * _FILES)
        steps.next("files")
        return speed

    def multiply(threads: int) -> float:
        speed = measure_peak(threads, plan.seconds * _PEAK)
        steps.next("matrix product")
        return speed

    network = calls(MeasureRequest("network", plan.seconds), "one picture")
    picture = calls(MeasureRequest("picture", plan.seconds), "one picture")
    batches = {size: calls(MeasureRequest("batch", plan.seconds, size), f"batches of {size}") for size in plan.batches}
    files = in_turns(rows, plan.runs, read)
    peaks = dict(zip(plan.threads, in_turns(plan.threads, plan.runs, multiply), strict=True))
    return [
        {
            "network": latency(network[i]),
            "picture": latency(picture[i]),
            "batches": {
                size: statistic([size * len(run) / sum(run) for run in found[i]]) for size, found in batches.items()
            },
            "files": statistic(files[i]),
            "memory": row.subject.ask(MeasureRequest("memory")),
            "peak": max(peaks[row.threads]),
        }
        for i, row in enumerate(rows)
    ]


def _accuracies(rows: Sequence[_MeasuredRow], pictures: SampleImages) -> list[float | None]:
    """Score each candidate on the labelled pictures, as `emnist evaluate --folder` does."""
    found: dict[str, float | None] = {}
    for candidate, _, subject in rows:
        if candidate.model not in found:
            found[candidate.model] = None if pictures.labels is None else _accuracy(subject, pictures)
    return list(found.values())


def _accuracy(subject: MeasuredProcess, pictures: SampleImages) -> float:
    classes, answers = subject.ask(MeasureRequest("answers"))
    assert pictures.labels is not None
    right: int = sum(find_class(label, classes) == best for label, best in zip(pictures.labels, answers, strict=True))
    return right / (len(answers) + pictures.failed)


def _inspect(candidates: Sequence[Candidate]) -> list[flops.Graph]:
    """Count each candidate's operations; an export that is no LiteRT file has those of what it was made from."""
    first = flops.Graph(None, None)
    found = []
    for number, candidate in enumerate(candidates):
        graph = flops.Graph(first.flops if candidate.form != GIVEN else None, None)
        if candidate.runtime == "LiteRT":
            graph = flops.inspect(candidate.found.graph, candidate.found.content)
        first = graph if number == 0 else first
        found.append(graph)
    return found
