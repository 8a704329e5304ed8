"""The result table and the progress bar of `emnist benchmark`."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.measure import Measurement
from rich.progress import TaskProgressColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from emnist_cli.console.progress import make_progress
from emnist_cli.console.style import BAD, GOOD, fit, make_console, make_table
from emnist_cli.console.tables import print_whole
from emnist_cli.core.benchmark.benchmark_config import GIVEN
from emnist_cli.core.benchmark.comparison import Comparison
from emnist_cli.core.benchmark.conditions import describe_how, describe_load
from emnist_cli.core.benchmark.results import Benchmark, BenchmarkRow
from emnist_cli.core.benchmark.timing import Latency, Statistic

_HEADINGS = ("model", "file\nmemory", "start\ns", "network\nms", "picture\nms", "batches\n/s", "files\n/s")


@contextmanager
def measuring(quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar on stderr, if anybody looks; yields what takes the steps done, those there are, and what is next."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total, what: None
        return
    with make_progress(TaskProgressColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("")

        def update(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=f"measuring: {what:14}")

        yield update


def print_benchmark(benchmark: Benchmark, comparison: Comparison | None, stream: TextIO) -> None:
    """Draw the machine, a row for each model, form and thread count, and what the machine could do."""
    console = make_console(stream)
    for number, line in enumerate(describe_how(benchmark)):
        console.print(Text(fit(line, console), style="" if number else "bold"), soft_wrap=not console.is_terminal)
    console.print()
    table = _table(benchmark, comparison, console, every_size=True)
    needed = Measurement.get(console, console.options.update(width=10_000, max_width=10_000), table).maximum
    short = console.is_terminal and needed > console.width
    print_whole(_table(benchmark, comparison, console, every_size=False) if short else table, stream)
    lines = ["", *describe_load(benchmark)]
    if short and len(benchmark.rows[0].batches) > 1:
        lines.append("Other sizes of batches: in a wider window, or with --format csv.")
    for line in lines:
        console.print(Text(fit(line, console)), soft_wrap=not console.is_terminal)


def _table(benchmark: Benchmark, comparison: Comparison | None, console: Console, every_size: bool) -> Table:
    sizes = [size for size in benchmark.rows[0].batches if every_size and len(benchmark.rows[0].batches) > 1]
    table = make_table(console, padding=(0, 0), leading=1)
    table.add_column("model\nform\nthreads", overflow="fold", max_width=30)
    for heading in _HEADINGS[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for size in sizes:
        table.add_column(f"of {size}\n/s", justify="right", no_wrap=True)
    for number, row in enumerate(benchmark.rows):
        ratios = dict(comparison.ratios[number]) if comparison else {}
        cells = [
            (_name(row), None),
            (_sizes(row), None),
            (_range(row.cold_start, "{:.2f}"), None),
            (_latency(row.network, 3), ratios.get("network")),
            (_latency(row.picture, 2), ratios.get("picture")),
            (_best(row), ratios.get("batch")),
            (_range(row.files, "{:,.0f}"), ratios.get("files")),
            *((_range(row.batches[size], "{:,.0f}"), None) for size in sizes),
        ]
        table.add_row(*(_cell(lines, ratio, console) for lines, ratio in cells))
    return table


def _cell(lines: Sequence[str], ratio: float | None, console: Console) -> Text:
    """The figure in bold, what belongs to it below, and how it compares with the earlier one."""
    text = Text(fit(lines[0], console), style="bold")
    for line in lines[1:]:
        text.append("\n" + fit(line, console), style="not bold dim")
    if ratio is not None:
        colour = GOOD if ratio > 1.05 else BAD if ratio < 0.95 else ""
        text.append(f"\nx {ratio:.2f}", style=f"not bold {colour}")
    return text


def _name(row: BenchmarkRow) -> list[str]:
    given = f"{row.runtime} {row.weights or ''}".strip() if row.form == GIVEN else row.form
    return [row.model, given, "1 thread" if row.threads == 1 else f"{row.threads} threads"]


def _sizes(row: BenchmarkRow) -> list[str]:
    lines = [f"{row.bytes / 1e6:.2f} MB"]
    if row.memory is not None:
        lines.append(f"{row.memory / 1e6:,.0f} MB")
    if row.accuracy is not None:
        lines.append(f"{row.accuracy:.1%} right")
    return lines


def _latency(latency: Latency, decimals: int) -> list[str]:
    median, p95, p99 = (f"{1e3 * seconds:,.{decimals}f}" for seconds in latency[:3])
    return [median, f"p95 {p95}", f"p99 {p99}"]


def _best(row: BenchmarkRow) -> list[str]:
    value, *spread = _range(row.batches[row.best], "{:,.0f}")
    return [value, f"of {row.best}", *spread]


def _range(spread: Statistic, form: str) -> list[str]:
    median, low, high = (form.format(value) for value in spread)
    return [median, f"{low}-{high}"] if spread.low < spread.high else [median]  # the same after a single run
