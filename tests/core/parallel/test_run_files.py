import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.errors import ModelError, UsageError
from emnist_cli.core.files.discovery import ImageRef, find_pictures
from emnist_cli.core.parallel.run_files import predict_files
from tests.handwriting import picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 pictures, a broken and an empty one among them, and one whose name is no UTF-8."""
    folder = tmp_path_factory.mktemp("scans")
    for i, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"):
        for donor in range(3):
            picture(character, donor).save(folder / f"{i:02}-{donor}.png")
    (folder / "20-broken.png").write_bytes((folder / "20-0.png").read_bytes()[:200])
    picture("A", pen=0, margin=0.49).point(lambda _: 255).save(folder / "30-white.png")
    shutil.copy(folder / "00-0.png", os.fsencode(folder) + b"/40-\xe9.png")
    return folder


@pytest.mark.parametrize(
    "workers", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(None, marks=pytest.mark.slow)]
)
def test_same_as_one_process(folder: Path, recognizer: Recognizer, workers: int | None) -> None:
    found = list(find_pictures([str(folder), str(folder / "missing.png"), str(folder / "00-0.png")]))
    expected = list(recognizer.predict_many(found))
    predictions = list(predict_files(iter(found), workers=workers))
    assert len(predictions) == 158
    assert {p.status for p in predictions} == {"ok", "empty", "error"}
    assert [p.as_dict() for p in predictions] == [p.as_dict() for p in expected]
    assert all(p.picture is None for p in predictions)


def test_options_and_pictures_go_along(folder: Path) -> None:
    options = {"charset": "digits", "top_k": 2, "min_confidence": 0.9}
    paths = [str(path) for path in sorted(folder.glob("0*.png"))]
    expected = list(Recognizer(**options).predict_many(paths))  # type: ignore[arg-type]
    predictions = list(predict_files(paths, options, keep_pictures=True))
    assert predictions == expected
    for ours, theirs in zip(predictions, expected, strict=True):
        np.testing.assert_array_equal(ours.picture, theirs.picture)  # type: ignore[arg-type]


def test_one_file_needs_no_other_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    assert [p.label for p in predict_files([str(folder / "07-0.png")])] == ["7"]
    assert list(predict_files([])) == []


@pytest.mark.parametrize("count", [1, 3])
def test_wrong_arguments(folder: Path, count: int) -> None:
    paths = [str(folder / "07-0.png")] * count
    with pytest.raises(ModelError, match="is called 'x'"):
        list(predict_files(paths, {"model": "x"}))
    with pytest.raises(UsageError, match="--charset"):
        list(predict_files(paths, {"charset": "é"}))
    with pytest.raises(UsageError, match=r"--workers: expected a whole number in 1\.\.1024\. Received: 0"):
        list(predict_files(paths, workers=0))
    with pytest.raises(UsageError, match="--timeout"):
        list(predict_files(paths, timeout=0))


@pytest.mark.slow
def test_time_runs_for_each_file_not_for_all(folder: Path, tmp_path: Path) -> None:
    """Pipes that are written to late: together they take longer than one of them may."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    pipes = [tmp_path / f"{i}.png" for i in range(8)]
    for pipe in pipes:
        os.mkfifo(pipe)
    content = (folder / "07-0.png").read_bytes()

    def feed() -> None:
        for pipe in pipes:
            time.sleep(0.5)
            pipe.write_bytes(content)

    threading.Thread(target=feed, daemon=True).start()
    assert [p.label for p in predict_files(map(str, pipes), workers=1, timeout=2)] == ["7"] * 8


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_file_that_hangs_costs_itself_only(folder: Path, tmp_path: Path) -> None:
    """A pipe that nobody writes to: whoever opens it waits for ever."""
    os.mkfifo(tmp_path / "pipe.png")
    seven = str(folder / "07-0.png")
    predictions = list(predict_files([seven, str(tmp_path / "pipe.png"), *[seven] * 70], timeout=2))
    assert [p.label for p in predictions] == ["7", "", *["7"] * 70]
    assert predictions[1].error == "took longer than 2 s and was given up"


@pytest.mark.slow
def test_a_file_that_vanishes(folder: Path, tmp_path: Path) -> None:
    paths = [shutil.copy(folder / "07-0.png", tmp_path / f"{i}.png") for i in range(4)]

    def found() -> Iterator[ImageRef]:
        for path in paths:
            yield ImageRef(str(path))
        paths[2].unlink()

    assert [p.error for p in predict_files(found())] == ["", "", "no such file or folder", ""]


@pytest.mark.slow
def test_a_process_that_is_killed_costs_nothing(folder: Path) -> None:
    """As the system does it to the largest process when memory runs out."""
    paths = [str(folder / "07-0.png")] * 400
    predictions = predict_files(paths, workers=2)
    found = [next(predictions)]
    children = _children()
    assert children
    os.kill(children[0], 9)
    found += predictions
    assert [p.label for p in found] == ["7"] * 400


def _children() -> list[int]:
    if not Path("/proc/self/task").is_dir():
        pytest.skip("needs /proc")
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


@pytest.mark.slow
def test_a_run_that_is_left_early_ends_its_processes_and_threads(folder: Path) -> None:
    before = threading.active_count()
    predictions = predict_files(find_pictures([str(folder)] * 5))
    next(predictions)
    predictions.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
