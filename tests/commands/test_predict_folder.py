"""`emnist predict FOLDER`: long runs, interrupted, resumed, and what goes along with them."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Emnist
from tests.handwriting import picture
from tests.terminal import run_on_terminal


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 pictures under many names, and a broken one."""
    folder = tmp_path_factory.mktemp("many") / "scans"
    folder.mkdir()
    for character in "47Kg":
        picture(character).save(folder / f"{character}000.png")
        for i in range(1, 150):
            shutil.copy(folder / f"{character}000.png", folder / f"{character}{i:03}.png")
    (folder / "5.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing else")
    return folder


def paths_in(file: Path) -> list[str]:
    with file.open(encoding="utf-8", newline="") as rows:
        if "csv" in file.suffixes[0]:
            return [row["path"] for row in csv.DictReader(rows)]
        return [json.loads(line)["path"] for line in rows]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_killed_and_resumed(folder: Path, tmp_path: Path, shell: Emnist, suffix: str) -> None:
    """Kill -9 as soon as there are rows, again and again; at the end there is one for each file."""
    whole, output = tmp_path / f"whole.{suffix}", tmp_path / f"rows.{suffix}"
    assert shell("predict", folder, "-o", whole).code == 3
    command = [sys.executable, "-m", "emnist_cli", "predict", str(folder), "-o", str(output), "--resume"]
    partial = output.with_name(f"{output.name}.partial")
    size = 0
    for _ in range(3):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if partial.exists() and partial.stat().st_size > size:
                break
            time.sleep(0.002)
        process.kill()
        process.wait()
        size = partial.stat().st_size if partial.exists() else size
    assert size, "it was not interrupted in its work"
    result = shell("predict", folder, "-o", output, "--resume")
    assert result.code == 3, "a broken picture counts, whichever run has read it"
    assert re.search(r"601 pictures \(\d+ of them before\)", result.err)
    assert output.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([whole.name, output.name])


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "csv", None])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_with_what_was_done(folder: Path, tmp_path: Path, number: int, code: int, form: str | None) -> None:
    """To stdout: whole rows only. A pipe that nobody writes to keeps it from ending before it is interrupted."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe.png")
    command = [sys.executable, "-m", "emnist_cli", "predict", str(folder), str(tmp_path / "pipe.png")]
    command += ["-f", form] if form else []
    with (
        (tmp_path / "stderr").open("w") as err,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err) as process,
    ):
        assert process.stdout
        first = [process.stdout.readline() for _ in range(100)]
        process.send_signal(number)
        lines = [line.decode() for line in first + process.stdout.readlines()]
    assert process.returncode == code
    assert "Traceback" not in (tmp_path / "stderr").read_text()
    assert all(line.endswith("\n") for line in lines)
    names = [re.split(r'[\t",]+', line.removeprefix('{"path": "'))[0] for line in lines if not line.startswith("path,")]
    assert names == [str(path) for path in sorted(folder.iterdir())][: len(names)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_interrupted_rows_are_kept(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "rows.csv"
    os.mkfifo(tmp_path / "pipe.png")
    command = [
        sys.executable,
        "-m",
        "emnist_cli",
        "predict",
        str(folder),
        str(tmp_path / "pipe.png"),
        "-o",
        str(output),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    partial = tmp_path / "rows.csv.partial"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (partial.exists() and partial.stat().st_size):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-2:] == [
        f"emnist: the rows so far are in {partial}; the same command with --resume goes on from there",
        "emnist: interrupted",
    ]
    assert paths_in(partial) == [str(path) for path in sorted(folder.iterdir())][: len(paths_in(partial))]
    assert not output.exists()


def test_resume_needs_rows_that_can_be_told_apart(folder: Path, tmp_path: Path, emnist: Emnist) -> None:
    for args, received in (([], "no --output"), (["-o", tmp_path / "x.json"], "--format json")):
        result = emnist("predict", folder, "--resume", *args)
        assert result.code == 2
        assert f"--resume: expected an --output in csv or jsonl, to go on with. Received: {received}" in result.err
    assert list(tmp_path.iterdir()) == []


def test_resume_with_other_options_is_refused(folder: Path, tmp_path: Path, shell: Emnist) -> None:
    output = tmp_path / "rows.csv"
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe.png")
    args = ["predict", folder / "4000.png", folder / "7000.png", tmp_path / "pipe.png", folder / "4001.png"]
    command = [sys.executable, "-m", "emnist_cli", *map(str, args), "-o", str(output), "--workers", "1"]
    process = subprocess.Popen([*command, "--timeout", "600"], stderr=subprocess.DEVNULL)
    partial = tmp_path / "rows.csv.partial.json"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (partial.exists() and partial.stat().st_size):
        time.sleep(0.01)
    process.kill()
    process.wait()
    (tmp_path / "rows.csv.partial").write_text("path,status,label,confidence,alternatives,error\n")
    (tmp_path / "pipe.png").unlink()
    result = shell(*args, "-o", output, "--resume", "--top-k", "5")
    assert result.code == 2
    assert "was begun with --top-k 3. Received: 5; give the same options" in result.err
    assert shell(*args, "-o", output, "--resume").code == 3
    assert len(paths_in(output)) == 4


def test_what_is_written_to_is_not_read(folder: Path, tmp_path: Path, emnist: Emnist) -> None:
    for name in ("a.png", "b.png"):
        shutil.copy(folder / "4000.png", tmp_path / name)
    for path in (tmp_path / "*", tmp_path):
        result = emnist("predict", path, "-o", tmp_path / "out.csv")
        assert paths_in(tmp_path / "out.csv") == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
        assert "partial" not in result.err
        (tmp_path / "out.csv").unlink()


def test_a_model_that_is_not_there_leaves_nothing(folder: Path, tmp_path: Path, emnist: Emnist) -> None:
    for suffix in ("csv", "json", "jsonl", "txt"):
        assert emnist("predict", folder, "-o", tmp_path / f"rows.{suffix}", "--model", "nowhere").code == 4
        assert emnist("predict", folder, "-o", tmp_path / f"rows.{suffix}", "--charset", "é").code == 2
    assert list(tmp_path.iterdir()) == []
    result = emnist("predict", folder, "--model", "nowhere", "-f", "json")
    assert (result.code, result.out) == (4, "")


@pytest.mark.slow
def test_the_bar(folder: Path, tmp_path: Path) -> None:
    """On a real terminal: how many of how many, how many failed, how fast, how long; then one line."""
    code, shown = run_on_terminal(120, "predict", folder, "-o", tmp_path / "rows.jsonl")
    assert code == 3
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "/601" in text
    assert "reading, 1 failed" in text
    assert re.search(r"\d pictures/s \d+:\d\d:\d\d", text)
    assert re.search(
        r"emnist: 601 pictures in [\d.]+ s \([\d,]+/s\): 600 ok, 1 error; written to .*rows.jsonl",
        text.splitlines()[-1],
    )


@pytest.mark.slow
def test_a_hanging_file_costs_itself_only(folder: Path, tmp_path: Path, emnist: Emnist) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe.png")
    result = emnist("predict", folder / "7000.png", tmp_path / "pipe.png", folder / "4000.png", "--timeout", "1")
    assert result.code == 3
    assert [line.split("\t")[1] for line in result.out.splitlines()] == ["7", "", "4"]
    assert f"{tmp_path / 'pipe.png'}: took longer than 1 s and was given up" in result.err


def test_stdin_among_many(folder: Path, shell: Emnist) -> None:
    files = sorted(folder.iterdir())[:40]
    result = shell("predict", *files, "-", *files, stdin=(folder / "7000.png").read_bytes())
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert [row[0] for row in rows] == [*map(str, files), "-", *map(str, files)]
    assert rows[40][1] == "7"


def test_a_contact_sheet(folder: Path, tmp_path: Path, emnist: Emnist) -> None:
    sheets = {}
    for sort in ("input", "confidence"):
        sheet = tmp_path / f"{sort}.png"
        result = emnist("predict", folder, "-q", "--contact-sheet", sheet, "--sheet-size", 12, "--sort", sort)
        assert result.code == 3
        with Image.open(sheet) as image:
            sheets[sort] = image.convert("RGB").tobytes()
    assert sheets["input"] != sheets["confidence"]
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["confidence.png", "input.png"]


@pytest.mark.slow
def test_a_contact_sheet_of_a_resumed_run_is_of_all_rows(folder: Path, tmp_path: Path, emnist: Emnist) -> None:
    args = ["predict", folder, "-q", "-o", tmp_path / "rows.jsonl", "--sheet-size", 12]
    emnist(*args, "--contact-sheet", tmp_path / "whole.png")
    rows = (tmp_path / "rows.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "rows.jsonl").write_text("".join(rows[:300]))
    emnist(*args, "--contact-sheet", tmp_path / "resumed.png", "--resume")
    assert (tmp_path / "whole.png").read_bytes() == (tmp_path / "resumed.png").read_bytes()


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--contact-sheet", "{scans}/sheet.png"], "--contact-sheet"),
        (["--contact-sheet", "{tmp}/missing/sheet.png"], "--contact-sheet"),
        (["--contact-sheet", "{tmp}/sheet.xyz"], "--contact-sheet"),
        (["--sort", "confidence"], "--sort"),
        (["--copy-to", "{scans}"], "--copy-to"),
        (["--copy-to", "{scans}/in", "--recursive"], "--copy-to"),
        (["--ray-address", "auto"], "--ray-address"),
    ],
)
def test_what_cannot_work_is_refused_first(
    folder: Path, tmp_path: Path, emnist: Emnist, args: list[str], error: str
) -> None:
    before = sorted(folder.iterdir())
    result = emnist("predict", folder, *(arg.format(scans=folder, tmp=tmp_path) for arg in args))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"emnist: {error}: ")
    assert sorted(folder.iterdir()) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_copies_go_into_folders_and_back(folder: Path, tmp_path: Path, emnist: Emnist) -> None:
    for _ in range(2):  # again: everything is there already
        result = emnist("predict", folder, "-q", "--copy-to", tmp_path / "sorted")
        assert result.code == 3
    found = {p.name: len(list(p.iterdir())) for p in (tmp_path / "sorted").iterdir()}
    assert found == {"4": 150, "7": 150, "upper-K": 150, "lower-g": 150, "_error": 1}
    evaluated = emnist("evaluate", "--folder", tmp_path / "sorted", "-f", "json")
    assert json.loads(evaluated.out)["accuracy"] == 1.0
    assert len(list(folder.iterdir())) == 601


@pytest.mark.slow
def test_copies_of_a_resumed_run_are_of_all_rows(folder: Path, tmp_path: Path, emnist: Emnist) -> None:
    for resume in ([], ["--resume", "--copy-to", tmp_path / "sorted"]):
        emnist("predict", folder / "4000.png", folder / "7000.png", "-o", tmp_path / "rows.csv", *resume)
    assert sorted(p.name for p in (tmp_path / "sorted").rglob("*.png")) == ["4000.png", "7000.png"]
