"""The results of a benchmark as the output formats carry them, for `emnist benchmark` and its table and chart."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emnist_cli.core.benchmark.timing import Latency, Statistic
from emnist_cli.core.exported_models import list_files

FORMAT = 1
"""Version of the layout of what is saved."""


@dataclass(frozen=True)
class BenchmarkRow:
    """One model in one form with so many threads.

    Attributes:
        model: its name.
        form: `benchmark_config.GIVEN`, or what it was exported to.
        runtime: that runs it, a key of `machine.LIBRARIES`.
        weights: the type of its smallest weights, where it is a LiteRT file; else None.
        threads: that a batch is run with, and processes that read files.
        bytes: of its file, or of all files of its folder.
        cold_start: seconds of `emnist predict` on one picture in a fresh process.
        network: seconds that the network alone takes for one picture.
        picture: seconds from an open picture to its answer.
        batches: size -> pictures a second that go through the network in batches of it.
        files: pictures a second, read from files.
        memory: most bytes that a process needs for one picture and a batch of 64; None where that is not known.
        accuracy: share of the labelled pictures that are read rightly; None where there are none.
        flops: floating-point operations a picture; None where they cannot be counted.
        peak: operations a second of this machine's matrix product with as many threads.
    """

    model: str
    form: str
    runtime: str
    weights: str | None
    threads: int
    bytes: int
    cold_start: Statistic
    network: Latency
    picture: Latency
    batches: Mapping[int, Statistic]
    files: Statistic
    memory: int | None
    accuracy: float | None
    flops: int | None
    peak: float

    @property
    def best(self) -> int:
        """The size of the batches that are fastest."""
        return max(self.batches, key=lambda size: self.batches[size].median)

    @property
    def achieved(self) -> float | None:
        """Operations a second in these batches."""
        return None if self.flops is None else self.flops * self.batches[self.best].median

    def as_dict(self) -> dict[str, Any]:
        """Return the row as the JSON outputs carry it."""
        best = self.batches[self.best]
        achieved = self.achieved
        return {
            "model": self.model,
            "form": self.form,
            "runtime": self.runtime,
            "weights": self.weights,
            "threads": self.threads,
            "bytes": self.bytes,
            **_spread("cold_start_s", self.cold_start, 4),
            **_latency("network_ms", self.network),
            **_latency("picture_ms", self.picture),
            "batch_size": self.best,
            **_spread("batch_per_s", best, 1),
            **_spread("files_per_s", self.files, 1),
            "memory_bytes": self.memory,
            "accuracy": None if self.accuracy is None else round(self.accuracy, 4),
            "flops": self.flops,
            "gflops_per_s": None if achieved is None else round(achieved / 1e9, 2),
            "peak_gflops_per_s": round(self.peak / 1e9, 2),
            "share_of_peak": None if achieved is None else round(achieved / self.peak, 4),
            "batches": [{"size": size, **_spread("per_s", speed, 1)} for size, speed in self.batches.items()],
        }


@dataclass(frozen=True)
class Benchmark:
    """Everything that was measured at a time.

    Attributes:
        machine: as `machine.describe_machine` gives it.
        settings: how it was measured.
        bare_start: seconds that the interpreter takes to start and end.
        rows: what was measured.
        notes: what the user should know besides.
    """

    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    bare_start: Statistic
    rows: tuple[BenchmarkRow, ...]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the whole as it is written to JSON, and read again to compare with."""
        return {
            "emnist_benchmark": FORMAT,
            "machine": dict(self.machine),
            "settings": dict(self.settings),
            **_spread("bare_start_s", self.bare_start, 4),
            "rows": [row.as_dict() for row in self.rows],
        }


def size_of(graph: Path) -> int:
    """Return the bytes of a network's file, or of all the files of a SavedModel."""
    return sum(path.stat().st_size for path in list_files(graph))


def _spread(name: str, values: Statistic, places: int) -> dict[str, float]:
    return {f"{name}{end}": round(value, places) for end, value in zip(("", "_low", "_high"), values, strict=True)}


def _latency(name: str, values: Latency) -> dict[str, float]:
    *figures, calls = values
    ends = ("", "_p95", "_p99", "_low", "_high")
    return {**{f"{name}{end}": round(s * 1e3, 4) for end, s in zip(ends, figures, strict=True)}, f"{name}_calls": calls}
