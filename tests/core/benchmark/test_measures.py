"""The measurements themselves, on the real model and in real processes."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.benchmark import cold_start, file_throughput
from emnist_cli.core.benchmark.machine import describe_machine
from emnist_cli.core.benchmark.measured_process import MeasuredProcess, MeasureRequest, MeasureTask
from emnist_cli.core.benchmark.memory import peak_memory
from emnist_cli.core.benchmark.peak_speed import measure_peak, multiply
from emnist_cli.core.benchmark.results import size_of
from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.errors import EmnistError, ModelError
from emnist_cli.core.parallel.run_files import CHUNK
from tests.handwriting import picture

pytestmark = pytest.mark.slow


@pytest.fixture
def seven(tmp_path: Path) -> str:
    path = tmp_path / "7.png"
    picture("7", 1).save(path)
    return str(path)


def task(seven: str, recognizer: Recognizer, model: str = "starter") -> MeasureTask:
    shown = recognizer.predict(seven).picture
    assert shown is not None
    np.save(Path(seven).with_suffix(".npy"), np.stack([shown, 0 * shown, shown]))
    return MeasureTask(model, 2, Path(seven).with_suffix(".npy"), (seven,))


def test_a_subject_measures_in_a_process_of_its_own(seven: str, recognizer: Recognizer) -> None:
    subject = MeasuredProcess(task(seven, recognizer))
    try:
        assert subject.ask(MeasureRequest("memory")) > 20e6
        for request in (
            MeasureRequest("network", 0.001),
            MeasureRequest("picture", 0.001),
            MeasureRequest("batch", 0.001, 5),
        ):
            taken = subject.ask(request)
            assert len(taken) >= 3 and min(taken) > 0
        classes, answers = subject.ask(MeasureRequest("answers"))
        assert classes == recognizer.labels and answers[0] == answers[2] == recognizer.labels.index("7")
    finally:
        subject.close()


def test_a_subject_that_cannot_be_run(seven: str, recognizer: Recognizer, tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"no graph")
    subject = MeasuredProcess(task(seven, recognizer, str(tmp_path / "bad.tflite")))
    try:
        with pytest.raises(ModelError, match="not a LiteRT graph"):
            subject.ask(MeasureRequest("memory"))
    finally:
        subject.close()


def test_cold_starts_are_fresh_processes(seven: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[list[str], str]] = []
    real = subprocess.run

    def spy(command: list[str], **how: object) -> object:
        done = real(command, **how)  # type: ignore[call-overload]
        ran.append((command, done.stdout))
        return done

    monkeypatch.setattr(cold_start.subprocess, "run", spy)
    bare, cold = cold_start.bare_start(), cold_start.cold_start(seven, "starter")
    assert [command[0] for command, _ in ran] == [sys.executable] * 2
    assert ran[0][1] == "" and '"label": "7"' in ran[1][1], "it must have answered"
    assert 0 < bare < cold


def test_a_cold_start_that_fails_says_why(seven: str, tmp_path: Path) -> None:
    with pytest.raises(EmnistError, match=r"a fresh process cannot answer: no model, folder or file is called 'gone'"):
        cold_start.cold_start(seven, "gone")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux")
def test_memory_is_the_processs_own_and_its_highest() -> None:
    held = bytearray(os.urandom(1)) * 200_000_000  # of this process, not of the one that is started
    script = 'from emnist_cli.core.benchmark.memory import peak_memory as p; a = p(); b = b"x" * 10**8; print(a, p())'
    before, after = map(int, subprocess.check_output([sys.executable, "-c", script], text=True).split())
    assert 4e6 < before < 1e8 < after < 2e8
    assert (peak_memory() or 0) > len(held)


def test_the_peak_is_that_of_a_matrix_product() -> None:
    assert measure_peak(1, 0.02) > 1e8
    assert multiply(0.001) > 1e8


def test_threads_of_the_peak_are_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []
    real = subprocess.run

    def spy(command: list[str], env: dict[str, str], **how: object) -> object:
        asked.append(env)
        return real(command, env=env, **how)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", spy)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    measure_peak(3, 0.001)
    assert {asked[0][name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")} == {"3"}


def test_files_are_counted_between_a_head_and_a_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    ended: list[bool] = []

    def read(found: Iterator[str], options: dict[str, object], workers: int) -> Iterator[str]:
        assert (options["model"], workers) == ("starter", 2)
        try:
            for path in found:
                taken.append(path)
                yield path
        finally:
            ended.append(True)

    monkeypatch.setattr(file_throughput, "predict_files", read)
    clock = itertools.count(0, 2)
    speed = file_throughput.read_speed(["a", "b"], "starter", 2, 5.0, lambda: float(next(clock)))
    assert speed == 3 * CHUNK / 6.0
    assert taken == ["a", "b"] * ((2 * 2 + 3) * CHUNK // 2)
    assert ended == [True], "processes must not be left behind"


def test_files_are_read_by_processes(seven: str) -> None:
    assert file_throughput.read_speed([seven], "starter", 1, 0.001) > 0
    with pytest.raises(ModelError):
        file_throughput.read_speed([seven], "gone", 1, 0.001)


def test_the_machine_is_told() -> None:
    found = describe_machine(["Keras", "LiteRT"])
    assert list(found) == ["date", "cpu", "cores", "system", "load", "versions"]
    assert found["cpu"] and found["cores"] >= 1 and found["date"].endswith("Z")
    assert list(found["versions"]) == [
        "emnist-cli", "python", "numpy", "pillow", "keras", "tensorflow", "ai-edge-litert"
    ]  # fmt: skip
    assert all(found["versions"].values())


def test_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"12345")
    (tmp_path / "variables" / "data").write_bytes(b"678")
    assert size_of(tmp_path) == size_of(tmp_path / "saved_model.pb") == 8
    (tmp_path / "one.onnx").write_bytes(b"12")
    assert size_of(tmp_path / "one.onnx") == 2
