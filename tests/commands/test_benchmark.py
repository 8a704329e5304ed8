"""`emnist benchmark` as a user runs it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emnist_cli.core.benchmark import runner as running
from emnist_cli.core.benchmark.benchmark_config import BenchmarkConfig
from tests import test_startup
from tests.conftest import Emnist
from tests.core.benchmark.made_up import ROW, benchmark
from tests.handwriting import picture
from tests.terminal import run_on_terminal

TINY = ("--runs", 1, "--seconds", 0.01, "--threads", 1, "--batch", "1,4")


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> list[BenchmarkConfig]:
    """No measurement, but figures that are known; yields what was asked for."""
    plans: list[BenchmarkConfig] = []
    monkeypatch.setattr(running, "run", lambda plan, on_step: [plans.append(plan), benchmark()][1])
    return plans


@pytest.mark.slow
def test_the_real_thing(emnist: Emnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("7", "upper-K"):
        (tmp_path / "scans" / name).mkdir(parents=True)
        picture(name[-1], 1).save(tmp_path / "scans" / name / "1.png")
    picture("b", 1).save(tmp_path / "scans" / "7" / "2.png")
    result = emnist("benchmark", *TINY, "--data", "scans", "-f", "json", "--save", "save.json", "--plot", "bars.png")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert list(found) == [
        *("emnist_benchmark", "machine", "settings", "bare_start_s", "bare_start_s_low", "bare_start_s_high", "rows")
    ]
    assert found["settings"]["data"] == "3 labelled pictures of scans"
    (row,) = found["rows"]
    assert (row["model"], row["form"], row["runtime"], row["weights"]) == ("starter", "as given", "LiteRT", "int8")
    assert (row["threads"], row["bytes"], row["flops"]) == (1, 702776, 29449216)
    assert row["accuracy"] == 0.6667
    for name in ("cold_start_s", "batch_per_s", "files_per_s"):
        assert 0 < row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    for name in ("network_ms", "picture_ms"):
        assert 0 < row[name] <= row[f"{name}_p95"] <= row[f"{name}_p99"] and row[f"{name}_calls"] >= 3
    assert row["network_ms"] < row["picture_ms"], "preprocessing takes some time"
    assert row["cold_start_s"] > found["bare_start_s"]
    assert [batch["size"] for batch in row["batches"]] == [1, 4] and row["batch_size"] in (1, 4)
    assert row["share_of_peak"] == pytest.approx(row["gflops_per_s"] / row["peak_gflops_per_s"], rel=0.01)
    assert row["gflops_per_s"] == pytest.approx(row["batch_per_s"] * row["flops"] / 1e9, rel=0.01)
    assert row["ratio_batch"] is None
    saved = json.loads(Path("save.json").read_text())
    assert saved["rows"][0].items() <= row.items() and saved["machine"] == found["machine"]
    with Image.open("bars.png") as bars:
        assert bars.format == "PNG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bars.png", "save.json", "scans"]
    again = emnist("benchmark", *TINY, "--compare", "save.json", "-f", "json")
    ratios = json.loads(again.out)["rows"][0]
    assert ratios["ratio_network"] == pytest.approx(row["network_ms"] / ratios["network_ms"], rel=0.01)
    assert (ratios["ratio_picture"], ratios["ratio_files"]) == (None, None)
    assert again.err.startswith("emnist: other pictures then: 3 labelled pictures of scans;")


@pytest.mark.slow
def test_other_forms_of_the_model(shell: Emnist, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    result = shell(
        *("benchmark", *TINY, "--against", "litert-f16,onnx", "-f", "json", "-o", tmp_path / "out.json"),
        TMPDIR=str(temporary),
    )
    assert (result.code, result.out, result.err) == (0, "", "")
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert [(row["form"], row["runtime"], row["weights"]) for row in rows] == [
        ("as given", "LiteRT", "int8"), ("litert-f16", "LiteRT", "float16"), ("onnx", "ONNX Runtime", None)
    ]  # fmt: skip
    assert {row["model"] for row in rows} == {"starter"}
    assert len({row["flops"] for row in rows}) == 1
    assert rows[0]["bytes"] < rows[1]["bytes"] < rows[2]["bytes"]
    assert list(temporary.iterdir()) == []


def test_formats(emnist: Emnist, made_up: list[BenchmarkConfig]) -> None:
    whole = json.loads(emnist("benchmark", "--format", "json").out)
    assert len(whole["rows"]) == 3 and whole["machine"]["cpu"] == "Zuse Z3" and whole["rows"][2]["accuracy"] is None
    lines = [json.loads(line) for line in emnist("benchmark", "--format", "jsonl").out.splitlines()]
    assert [{k: v for k, v in line.items() if k not in ("machine", "settings")} for line in lines] == whole["rows"]
    assert all(line["machine"] == whole["machine"] for line in lines)
    rows = list(csv.DictReader(io.StringIO(emnist("benchmark", "--format", "csv").out)))
    assert [row["batch_of_64_per_s"] for row in rows] == ["20000"] * 3
    assert rows[1]["files_per_s"] == "600" and rows[2]["accuracy"] == "" and rows[0]["cpu"] == "Zuse Z3"
    plain = [line.split("\t") for line in emnist("benchmark").out.splitlines()]
    assert plain[1] == ["starter", "as given", "2", "0.1000", "2.0000", "20000", "600"]


def test_notes_are_told_unless_quiet(emnist: Emnist, made_up: list[BenchmarkConfig]) -> None:
    assert emnist("benchmark", "-f", "csv").err == "emnist: a note\n"
    assert emnist("benchmark", "-f", "csv", "-q").err == ""


def test_the_table(emnist: Emnist, made_up: list[BenchmarkConfig]) -> None:
    table = emnist("benchmark", "--format", "table").out
    for words in (
        *("Zuse Z3, 2 cores, Linux 1 x86_64, 2026-01-02T03:04:05Z", "python 3.11.7", "64 drawings"),
        *("medians of 5 runs", "a bare interpreter starts in 0.020 s", "LiteRT int8", "onnx", "2 threads"),
        *("0.70 MB", "68 MB", "97.1% right", "0.24-0.29", "p95 0.2", "p99 0.3", "of 64", "19,000-21,000", "580-610"),
        "starter as given, 1 thread: 30.0 MFLOP a picture, in batches of 64 600 GFLOP/s, 600% of the 100",
        "which 8-bit arithmetic may exceed",
    ):
        assert words in table, words
    assert "Other work ran beside" not in table and "onnx, 1 thread:" not in table


def test_a_busy_machine_is_said(emnist: Emnist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "run", lambda plan, on_step: benchmark(load=1.5))
    assert "Other work ran beside (a load of 1.5 on 2 cores at the start)" in emnist("benchmark", "-f", "table").out


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 140])
def test_the_table_is_never_cut(columns: int, tmp_path: Path) -> None:
    folder = tmp_path / "a-model-whose-name-is-quite-long"
    folder.mkdir()
    graph = folder / "another-name-that-is-longer-than-its-column.tflite"
    graph.write_bytes((Path(running.__file__).parents[2] / "bundles" / "starter" / "model.tflite").read_bytes())
    code, shown = run_on_terminal(columns, "benchmark", *TINY[:-1], "1,16,64,256", "--model", graph)
    assert code == 0 and "…" not in shown
    assert ("in a wider window" in shown) == (columns == 80)
    assert ("of 256" in shown) or columns == 80
    assert "measuring" in shown, "a bar is drawn"


def test_what_is_asked_for_is_what_is_measured(emnist: Emnist, made_up: list[BenchmarkConfig], tmp_path: Path) -> None:
    emnist("benchmark", "-m", "a", "-m", "b", "--against", "keras, onnx,keras", "--threads", "1,4,1", "--batch", "8")
    emnist("benchmark", "--data", tmp_path, "--runs", 3, "--seconds", 0.5)
    first, second = made_up
    assert (first.models, first.against) == (("a", "b"), ("keras", "onnx"))
    assert (first.threads, first.batches, first.data) == ((1, 4), (8,), None)
    assert (second.models, second.data, second.runs, second.seconds) == (("starter",), tmp_path, 3, 0.5)
    assert second.batches == (1, 16, 64, 256) and second.threads[0] == 1 and len(set(second.threads)) <= 2


def test_the_models_variable(emnist: Emnist, made_up: list[BenchmarkConfig], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMNIST_MODEL", "my model")
    emnist("benchmark")
    assert made_up[0].models == ("my model",)


def save(path: Path, **changes: Any) -> Path:
    record = benchmark().as_dict()
    record["rows"][0] |= changes
    path.write_text(json.dumps(record))
    return path


def test_compare_and_fail_under(emnist: Emnist, made_up: list[BenchmarkConfig], tmp_path: Path) -> None:
    earlier = save(tmp_path / "earlier.json", batch_per_s=40000.0, files_per_s=600.0)
    ask = ("benchmark", "--threads", "1,2", "--compare", earlier)
    shown = emnist(*ask, "-f", "table")
    assert shown.code == 0 and shown.out.count("x 0.50") == 2 and "x 1.00" in shown.out
    rows = json.loads(emnist(*ask, "-f", "json").out)["rows"]
    assert [rows[0][f"ratio_{what}"] for what in ("network", "picture", "batch", "files")] == [1, 1, 0.5, 0.5]
    assert emnist(*ask, "--fail-under", 0.5).code == 0
    failed = emnist(*ask, "--fail-under", 0.8, "-q", "--save", tmp_path / "now.json")
    assert failed.code == 1 and len(failed.out.splitlines()) == 3
    assert failed.err == (
        f"emnist: slower than 0.8 of the speed in {earlier}: starter as given with 1 thread, batch 0.50; "
        "starter as given with 1 thread, files 0.50\n"
    )
    assert (tmp_path / "now.json").is_file(), "what was measured is not lost"


def test_another_machine_is_said(emnist: Emnist, made_up: list[BenchmarkConfig], tmp_path: Path) -> None:
    path = tmp_path / "earlier.json"
    path.write_text(json.dumps(benchmark(ROW, cpu="Zuse Z4").as_dict()))
    result = emnist("benchmark", "--threads", "1,2", "--compare", path)
    assert "emnist: another machine then: cpu Zuse Z4, now Zuse Z3" in result.err.splitlines()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--against", "pytorch"], 2, "--against: no form is called 'pytorch'; expected one of: litert"),
        (["--against", "onx"], 2, "did you mean onnx?"),
        (["--threads", "two"], 2, "--threads: expected whole numbers in 1..256"),
        (["--threads", "1,0"], 2, "Received: '1,0'"),
        (["--batch", "1,,2"], 2, "--batch: expected whole numbers in 1..4096"),
        (["--batch", "5000"], 2, "Received: '5000'"),
        (["--data", "gone"], 2, "--data: expected a folder of pictures, or random. Received: gone"),
        (["--data", "empty"], 3, "no pictures in this folder"),
        (["--fail-under", "0.8"], 2, "--fail-under: belongs to --compare FILE"),
        (["--compare", "gone.json"], 2, "gone.json (No such file or directory)"),
        (["--compare", "other.json"], 2, "which is something else"),
        (["--compare", "earlier.json", "--threads", "3"], 2, "expected a row of those that are measured now"),
        (["--compare", "earlier.json", "--save", "earlier.json"], 2, "--save: expected another file than --compare"),
        (["--save", "a.json", "-o", "a.json"], 2, "--save: expected another file than --output"),
        (["--save", "a.png", "--plot", "a.png"], 2, "--save: expected another file than --plot"),
        (["-o", "a.png"], 2, "--output: expected a file for text, not a picture"),
        (["--save", "other.json"], 2, "--save: expected a new file, or one that was saved before"),
        (["--save", "gone/a.json"], 2, "--save: expected a file in an existing folder"),
        (["--plot", "a.jpg"], 2, "--plot: expected a name that ends in .png"),
        (["-o", "gone/a.json"], 2, "--output: expected a file in an existing folder"),
        (["--model", "starte"], 4, "did you mean starter?"),
        (["--model", "starter", "--model", "starter"], 2, "--model: expected each model once"),
        (["--model", "bad.tflite"], 4, "not a LiteRT graph"),
        (["--runs", "0"], 2, "--runs"),
    ],
)
def test_errors_are_one_line(
    options: list[str], code: int, words: str, emnist: Emnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("other.json").write_text("{}")
    Path("bad.tflite").write_bytes(b"no graph")
    save(Path("earlier.json"))
    before = sorted(tmp_path.iterdir())
    result = emnist("benchmark", *TINY, *options)
    assert (result.code, result.out) == (code, "")
    assert words in result.err and len(result.err.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_tensorflow_is_not_asked_for() -> None:
    code, out, err = test_startup.run(["benchmark", *map(str, TINY)])
    assert code == 0 and out.startswith("starter\t")
    loaded = err.split("LOADED")[1]
    assert not [name for name in (*test_startup.HEAVY, "matplotlib", "onnxruntime") if f"'{name}'" in loaded]
    assert "'ai_edge_litert'" in loaded, "the test must see what is loaded"


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emnist_cli", "benchmark", "--runs", "100", "-o", str(tmp_path / "out.json")]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("emnist-benchmark-*/ready.npy")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, "emnist: interrupted\n")
    assert list(tmp_path.iterdir()) == []
