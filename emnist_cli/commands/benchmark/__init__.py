"""`emnist benchmark`: measure how fast models are on this machine, in which format, and whether that has changed."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer

from emnist_cli.cli.image_arguments import protect_pictures
from emnist_cli.cli.options import FormatOption, Output, Quiet, Trust
from emnist_cli.commands.benchmark.options import (
    Against,
    Batches,
    Compare,
    Data,
    FailUnder,
    Models,
    Plot,
    Runs,
    Save,
    Seconds,
    Threads,
    parse_forms,
    parse_numbers,
)
from emnist_cli.core.benchmark.benchmark_config import RANDOM, BenchmarkConfig
from emnist_cli.core.bundle import DEFAULT_MODEL
from emnist_cli.core.errors import ExitCode, UsageError
from emnist_cli.output.formats import Format, choose_format, notify, open_output, write_records

if TYPE_CHECKING:
    from emnist_cli.core.benchmark.comparison import Comparison
    from emnist_cli.core.benchmark.results import Benchmark

BATCHES = ",".join(map(str, BenchmarkConfig.batches))

PLAIN = ("model", "form", "threads", "network_ms", "picture_ms", "batch_per_s", "files_per_s")


def benchmark(
    models: Models = None,
    trust: Trust = False,
    against: Against = "",
    threads: Threads = None,
    batches: Batches = BATCHES,
    data: Data = RANDOM,
    runs: Runs = BenchmarkConfig.runs,
    seconds: Seconds = BenchmarkConfig.seconds,
    save: Save = None,
    compare: Compare = None,
    fail_under: FailUnder = None,
    plot: Plot = None,
    form: FormatOption = None,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Measure how fast models are on this machine.

    The start to the first answer, one picture, batches, whole files,
    memory, size, and accuracy where the pictures have labels. Everything
    is measured in turns, so that no model gets the machine's better
    minutes. The exit code is 1 if --fail-under finds something slower.
    """
    plan = BenchmarkConfig(
        models=tuple(models or [os.environ.get("EMNIST_MODEL") or DEFAULT_MODEL]),
        threads=parse_numbers("--threads", threads, 256) if threads else _every_core(),
        against=parse_forms(against),
        batches=parse_numbers("--batch", batches, 4096),
        data=None if data == RANDOM else Path(data),
        runs=runs,
        seconds=seconds,
        trust=trust,
    )
    if fail_under and not compare:
        raise UsageError("--fail-under: belongs to --compare FILE, which is not given")
    _check_places(output, save, compare, plot)
    from emnist_cli.console.benchmark import measuring
    from emnist_cli.core.benchmark import comparison as comparing
    from emnist_cli.core.benchmark.runner import run

    earlier = comparing.load_results(compare, plan) if compare else None
    with open_output(output) as stream:
        with measuring(quiet) as on_step:
            found = run(plan, on_step)
        comparison = comparing.compare_results(found.as_dict(), earlier) if earlier else None
        _print(found, comparison, choose_format(form, output), stream)
    _keep(found, save, plot)
    _tell(found, comparison, quiet)
    if comparison and fail_under:
        slower = comparing.find_slower(found.as_dict(), comparison, fail_under)
        _judge(slower, f"slower than {fail_under:g} of the speed in {compare}")


def _judge(slower: list[str], what: str) -> None:
    """End with an exit code that a CI job fails by, where anything is slower."""
    if slower:
        notify(f"{what}: {'; '.join(slower)}")
        raise typer.Exit(ExitCode.UNEXPECTED)


def _keep(found: "Benchmark", save: Path | None, plot: Path | None) -> None:
    if save:
        with open_output(save) as stream:
            stream.write(_as_json(found.as_dict()))
    if plot:
        from emnist_cli.core.benchmark import speed_plot as plotting

        plotting.write_plot(found, plot)


def _every_core() -> tuple[int, ...]:
    from emnist_cli.core.platform.cpu import available_cores

    return tuple(dict.fromkeys((1, available_cores())))


def _check_places(output: Path | None, save: Path | None, compare: Path | None, plot: Path | None) -> None:
    """Refuse files, before a long run, that cannot be written or that would be lost."""
    protect_pictures([], output)
    if plot:
        from emnist_cli.core.benchmark import speed_plot as plotting

        plotting.check_plot_path(plot)
    if save is None:
        return
    if save.is_dir() or not save.parent.is_dir():
        raise UsageError(f"--save: expected a file in an existing folder. Received: {save}")
    for option, other in (("--output", output), ("--compare", compare), ("--plot", plot)):
        if other and save.resolve() == other.resolve():
            raise UsageError(f"--save: expected another file than {option}, which would be lost. Received: {save}")
    if save.exists() and not _is_saved(save):
        raise UsageError(f"--save: expected a new file, or one that was saved before. Received: {save}")


def _is_saved(path: Path) -> bool:
    try:
        return "emnist_benchmark" in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def _print(found: "Benchmark", comparison: "Comparison | None", form: Format | None, stream: TextIO) -> None:
    if form is Format.TABLE:
        from emnist_cli.console.benchmark import print_benchmark

        print_benchmark(found, comparison, stream)
        return
    from emnist_cli.core.benchmark.comparison import with_ratios

    record = with_ratios(found.as_dict(), comparison)
    if form is Format.JSON:
        stream.write(_as_json(record))
        return
    rows = record["rows"]
    if form is Format.JSONL:
        rows = [{**row, "machine": record["machine"], "settings": record["settings"]} for row in rows]
    if form is Format.CSV:
        rows = [_flat(row, record["machine"]) for row in rows]
    write_records(rows, form, stream, list(rows[0]), PLAIN)


def _flat(row: dict[str, Any], machine: dict[str, Any]) -> dict[str, Any]:
    """One level of fields, as csv has it."""
    sizes = {f"batch_of_{batch['size']}_per_s": batch["per_s"] for batch in row["batches"]}
    rest = {name: value for name, value in row.items() if name != "batches"}
    return {**rest, **sizes, **{name: machine[name] for name in ("date", "cpu", "cores", "system", "load")}}


def _as_json(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _tell(found: "Benchmark", comparison: "Comparison | None", quiet: bool) -> None:
    for note in () if quiet else (*found.notes, *(comparison.notes if comparison else ())):
        notify(note)
