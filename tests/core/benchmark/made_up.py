"""Benchmarks that nobody has measured, for tests of what becomes of one."""

from dataclasses import replace
from typing import Any

from emnist_cli.core.benchmark.benchmark_config import GIVEN
from emnist_cli.core.benchmark.results import Benchmark, BenchmarkRow
from emnist_cli.core.benchmark.timing import Latency, Statistic

ROW = BenchmarkRow(
    model="starter",
    form=GIVEN,
    runtime="LiteRT",
    weights="int8",
    threads=1,
    bytes=702_776,
    cold_start=Statistic(0.25, 0.24, 0.29),
    network=Latency(0.0001, 0.0002, 0.0003, 0.00009, 0.00012, 5000),
    picture=Latency(0.002, 0.003, 0.004, 0.0019, 0.0022, 250),
    batches={1: Statistic(9000, 8000, 9500), 64: Statistic(20000, 19000, 21000), 256: Statistic(18000, 17000, 18500)},
    files=Statistic(300, 290, 310),
    memory=68_000_000,
    accuracy=0.971,
    flops=30_000_000,
    peak=100e9,
)

MACHINE: dict[str, Any] = {
    "date": "2026-01-02T03:04:05Z",
    "cpu": "Zuse Z3",
    "cores": 2,
    "system": "Linux 1 x86_64",
    "load": 0.1,
    "versions": {"emnist-cli": "0.1.0", "python": "3.11.7"},
}

SETTINGS: dict[str, Any] = {
    "models": ["starter"],
    "threads": [1, 2],
    "against": ["onnx"],
    "batches": [1, 64, 256],
    "data": "64 drawings of 200x200 pixels, PNG",
    "runs": 5,
    "seconds": 0.1,
}

ROWS = (
    ROW,
    replace(ROW, threads=2, files=Statistic(600, 580, 610)),
    replace(ROW, form="onnx", runtime="ONNX Runtime", weights=None, flops=None, memory=None, accuracy=None),
)


def benchmark(*rows: BenchmarkRow, **machine: Any) -> Benchmark:
    """A benchmark of these rows, by default of three."""
    return Benchmark({**MACHINE, **machine}, SETTINGS, Statistic(0.02, 0.019, 0.021), rows or ROWS, ("a note",))
