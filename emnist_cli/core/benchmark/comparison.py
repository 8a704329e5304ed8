"""Compare a benchmark with an earlier one, for `emnist benchmark` and for CI jobs.

The comparison shows how much faster or slower the models have become on the machine.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from emnist_cli.core.benchmark.benchmark_config import GIVEN, BenchmarkConfig
from emnist_cli.core.benchmark.candidates import find_models
from emnist_cli.core.benchmark.machine import SAME
from emnist_cli.core.benchmark.results import FORMAT
from emnist_cli.core.errors import UsageError

_KEY = ("model", "form", "threads")
_OF_DATA = ("picture", "files")  # depend on the pictures that were measured with


class Ratio(NamedTuple):
    """A speed, divided by the earlier one: above 1 it is faster now.

    Attributes:
        what: "network", "picture": one at a time; "batch": in the batches that are fastest; "files".
        ratio: None where the earlier figure is missing or of other pictures.
    """

    what: str
    ratio: float | None


class Comparison(NamedTuple):
    """A benchmark beside an earlier one.

    Attributes:
        ratios: of each row now; empty for one that was not measured then.
        notes: in which way the two were not measured alike.
    """

    ratios: tuple[tuple[Ratio, ...], ...]
    notes: tuple[str, ...]


def load_results(path: Path, plan: BenchmarkConfig) -> dict[str, Any]:
    """Read what `--save` has written, and make sure that there will be something to compare.

    Raises:
        UsageError: it cannot be read, is something else, or has none of the rows that will be measured.
        ModelError: there is no such model.
    """
    expected = f"--compare: expected a file that emnist benchmark --save has written. Received: {path}"
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{expected} ({error.strerror or error})") from None
    except ValueError as error:
        raise UsageError(f"{expected}, which is not JSON ({error})") from None
    if not isinstance(found, dict) or found.get("emnist_benchmark") != FORMAT:
        raise UsageError(f"{expected}, which is something else or of another version")
    try:
        had = {_key(row) for row in found["rows"]}
        _ = [found["machine"][name] for name in SAME], found["settings"]["data"], found["settings"]["batches"]
        damaged = not all(speed > 0 for row in found["rows"] for speed in _speeds(row).values())
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        damaged = True
    if damaged:
        raise UsageError(f"{expected}, which is damaged")
    names = [model.name for model in find_models(plan.models, plan.trust)]
    forms = [*((name, GIVEN) for name in names), *((names[0], form) for form in plan.against)]
    if not {(*form, threads) for form in forms for threads in plan.threads} & had:
        were = ", ".join(_words(_key(row)) for row in found["rows"]) or "none"
        raise UsageError(f"--compare: expected a row of those that are measured now. Received: {were} in {path}")
    return found


def compare_results(now: Mapping[str, Any], then: Mapping[str, Any]) -> Comparison:
    """Put two benchmarks side by side, both as `Benchmark.as_dict` gives them."""
    earlier = {_key(row): row for row in then["rows"]}
    rows = [_key(row) for row in now["rows"]]
    notes = [
        f"another machine then: {name} {then['machine'][name]}, now {now['machine'][name]}"
        for name in SAME
        if then["machine"][name] != now["machine"][name]
    ]
    alike = then["settings"]["data"] == now["settings"]["data"]
    if not alike:
        notes.append(f"other pictures then: {then['settings']['data']}; one picture and files are not compared")
    if then["settings"]["batches"] != now["settings"]["batches"]:
        notes.append(f"other batches then: of {', '.join(map(str, then['settings']['batches']))}")
    notes += [f"not measured now: {_words(key)}" for key in earlier if key not in rows]
    ratios = tuple(_ratios(row, earlier.get(_key(row)), alike) for row in now["rows"])
    return Comparison(ratios, tuple(notes))


def find_slower(now: Mapping[str, Any], comparison: Comparison, least: float) -> list[str]:
    """Return in words what is slower than `least` times the earlier speed, the worst first."""
    found = [
        (each.ratio, f"{_words(_key(row))}, {each.what}")
        for row, ratios in zip(now["rows"], comparison.ratios, strict=True)
        for each in ratios
        if each.ratio is not None and each.ratio < least
    ]
    return [f"{what} {ratio:.2f}" for ratio, what in sorted(found)]


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _words(key: tuple[Any, ...]) -> str:
    model, form, threads = key
    return f"{model} {form} with {threads} {'thread' if threads == 1 else 'threads'}"


def _ratios(row: Mapping[str, Any], earlier: Mapping[str, Any] | None, alike: bool) -> tuple[Ratio, ...]:
    if earlier is None:
        return ()
    now, then = _speeds(row), _speeds(earlier)
    return tuple(
        Ratio(what, round(now[what] / then[what], 4) if alike or what not in _OF_DATA else None) for what in now
    )


def _speeds(row: Mapping[str, Any]) -> dict[str, float]:
    """Pictures a second, by what was done with them."""
    return {
        "network": 1e3 / row["network_ms"],
        "picture": 1e3 / row["picture_ms"],
        "batch": float(row["batch_per_s"]),
        "files": float(row["files_per_s"]),
    }


def with_ratios(record: Mapping[str, Any], comparison: Comparison | None) -> dict[str, Any]:
    """Return a benchmark, as `Benchmark.as_dict` gives it, with the ratios in its rows; None where there is none."""
    rows = []
    for number, row in enumerate(record["rows"]):
        found = dict(comparison.ratios[number]) if comparison else {}
        rows.append({**row, **{f"ratio_{what}": found.get(what) for what in _speeds(row)}})
    return {**record, "rows": rows}
