import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emnist_cli.core.benchmark.benchmark_config import BenchmarkConfig
from emnist_cli.core.benchmark.comparison import Ratio, compare_results, find_slower, load_results, with_ratios
from emnist_cli.core.benchmark.timing import Latency, Statistic
from emnist_cli.core.errors import UsageError
from tests.core.benchmark.made_up import ROW, ROWS, benchmark

PLAN = BenchmarkConfig(models=("starter",), threads=(1, 2), against=("onnx",))


def slower(factor: float) -> dict[str, Any]:
    """A row whose network takes `factor` times as long, whose batches take twice as long, whose files are the same."""
    network = Latency(*(factor * seconds for seconds in ROW.network[:5]), calls=10)
    return replace(ROW, network=network, batches={64: Statistic(10000, 9000, 11000)})


def test_ratios_are_of_speeds() -> None:
    now, then = benchmark(slower(4), ROWS[1]).as_dict(), benchmark().as_dict()
    found = compare_results(now, then)
    assert found.ratios[0] == (Ratio("network", 0.25), Ratio("picture", 1), Ratio("batch", 0.5), Ratio("files", 1))
    assert {each.ratio for each in found.ratios[1]} == {1}
    assert found.notes == ("not measured now: starter onnx with 1 thread",)
    rows = with_ratios(now, found)["rows"]
    assert (rows[0]["ratio_network"], rows[0]["ratio_batch"], rows[1]["ratio_files"]) == (0.25, 0.5, 1)
    assert with_ratios(now, None)["rows"][0]["ratio_batch"] is None


def test_what_is_slower_is_named_the_worst_first() -> None:
    now = benchmark(slower(4)).as_dict()
    found = compare_results(now, benchmark().as_dict())
    assert find_slower(now, found, 0.8) == [
        "starter as given with 1 thread, network 0.25",
        "starter as given with 1 thread, batch 0.50",
    ]
    assert find_slower(now, found, 0.5) == ["starter as given with 1 thread, network 0.25"]
    assert find_slower(now, found, 0.2) == []


def test_what_was_not_measured_alike_is_said() -> None:
    now, then = benchmark(slower(4)).as_dict(), benchmark(cpu="Zuse Z4", cores=64).as_dict()
    then["settings"] |= {"data": "100 pictures of scans", "batches": [1]}
    found = compare_results(now, then)
    assert found.notes[:4] == (
        "another machine then: cpu Zuse Z4, now Zuse Z3",
        "another machine then: cores 64, now 2",
        "other pictures then: 100 pictures of scans; one picture and files are not compared",
        "other batches then: of 1",
    )
    assert dict(found.ratios[0]) == {"network": 0.25, "picture": None, "batch": 0.5, "files": None}
    assert len(find_slower(now, found, 0.8)) == 2


def test_a_new_row_has_no_ratios() -> None:
    now = benchmark(ROW, replace(ROW, threads=8)).as_dict()
    found = compare_results(now, benchmark(ROW).as_dict())
    assert found.ratios[1] == () and with_ratios(now, found)["rows"][1]["ratio_batch"] is None


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(benchmark().as_dict()))
    assert load_results(path, PLAN) == benchmark().as_dict()
    assert load_results(path, replace(PLAN, threads=(2,), against=()))
    with pytest.raises(UsageError, match=r"a row of those that are measured now\. Received: starter as given"):
        load_results(path, replace(PLAN, threads=(3,)))


def damaged() -> dict[str, str]:
    good = benchmark().as_dict()
    rows = good["rows"]
    cases = {
        "list": [],
        "version": {**good, "emnist_benchmark": 99},
        "no rows": {**good, "rows": 3},
        "no figure": {**good, "rows": [{**rows[0], "network_ms": None}]},
        "nothing a second": {**good, "rows": [{**rows[0], "files_per_s": 0}]},
        "no time": {**good, "rows": [{**rows[0], "picture_ms": 0}]},
        "less than no time": {**good, "rows": [{**rows[0], "picture_ms": -1}]},
        "no number": {**good, "rows": [{**rows[0], "batch_per_s": float("nan")}]},
        "no text": {**good, "rows": [{**rows[0], "batch_per_s": "many"}]},
        "a strange name": {**good, "rows": [{**rows[0], "model": ["starter"]}]},
        "no machine": {**good, "machine": {}},
        "no settings": {**good, "settings": None},
    }
    return {"not JSON": "{", **{name: json.dumps(value) for name, value in cases.items()}}


@pytest.mark.parametrize("case", list(damaged()))
def test_another_file_is_refused(case: str, tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    path.write_text(damaged()[case])
    with pytest.raises(UsageError, match=r"--compare: expected a file that emnist benchmark --save has written"):
        load_results(path, PLAN)


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_results(tmp_path / "gone.json", PLAN)
