"""`emnist predict` as a user runs it: every format, every option, every kind of trouble."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emnist_cli import Recognizer
from emnist_cli.core import bundle
from tests.conftest import Emnist
from tests.handwriting import picture
from tests.terminal import run_on_terminal

HEADER = "path,status,label,confidence,alternatives,error"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A readable 7 and A, an empty page, a broken file, and a text."""
    scans = tmp_path / "scans"
    scans.mkdir()
    picture("7", 1).save(scans / "7.png")
    picture("A", 0).save(scans / "A.jpg")
    picture("A", 0, margin=0.49).point(lambda v: 255).save(scans / "blank.png")
    (scans / "broken.png").write_bytes((scans / "7.png").read_bytes()[:200])
    (scans / "notes.txt").write_text("notes")
    monkeypatch.chdir(tmp_path)
    return scans


def test_csv_contract(emnist: Emnist, folder: Path) -> None:
    result = emnist("predict", "scans", "-f", "csv")
    assert result.code == 3
    assert result.out.splitlines()[0] == HEADER
    rows = {row["path"]: row for row in csv.DictReader(io.StringIO(result.out))}
    assert [(Path(p).name, r["status"], r["label"]) for p, r in rows.items()] == [
        ("7.png", "ok", "7"), ("A.jpg", "ok", "A"), ("blank.png", "empty", ""), ("broken.png", "error", ""),
    ]  # fmt: skip
    seven = rows["scans/7.png"]
    assert re.fullmatch(r"7:0\.\d{4} \w:0\.\d{4} \w:0\.\d{4}", seven["alternatives"])
    assert seven["alternatives"].split()[0] == f"7:{seven['confidence']}"
    broken = rows["scans/broken.png"]
    assert broken["error"].startswith("damaged PNG file")
    assert (broken["confidence"], broken["alternatives"]) == ("", "")


def test_all_formats_say_the_same(emnist: Emnist, folder: Path) -> None:
    expected = [
        p.as_dict() for p in Recognizer().predict_many(sorted(f"scans/{p.name}" for p in folder.glob("*.[pj]*")))
    ]
    assert json.loads(emnist("predict", "scans", "-f", "json").out) == expected
    assert [json.loads(line) for line in emnist("predict", "scans", "-f", "jsonl").out.splitlines()] == expected
    rows = list(csv.DictReader(io.StringIO(emnist("predict", "scans", "-f", "csv").out)))
    assert [(r["path"], r["status"], r["label"], r["error"]) for r in rows] == [
        (e["path"], e["status"], e["label"], e["error"]) for e in expected
    ]
    plain = emnist("predict", "scans").out.splitlines()
    assert [line.split("\t")[:2] for line in plain] == [[e["path"], e["label"]] for e in expected]
    table = emnist("predict", "scans", "-f", "table").out
    for record in expected:
        assert record["path"] in table


def test_stdout_is_results_stderr_is_the_rest(emnist: Emnist, folder: Path) -> None:
    result = emnist("predict", "scans")
    assert result.out.count("\n") == 4
    assert "emnist" not in result.out
    lines = result.err.splitlines()
    assert lines[0].startswith("emnist: scans/broken.png: damaged PNG file")
    assert lines[1] == "emnist: skipped, not a picture by its name: scans/notes.txt"
    assert lines[2] == "emnist: 4 pictures: 2 ok, 1 empty, 1 error"
    quiet = emnist("predict", "scans", "--quiet")
    assert quiet.out == result.out
    assert quiet.err.splitlines() == lines[:1]


def test_one_good_picture_is_silent_on_stderr(emnist: Emnist, folder: Path) -> None:
    result = emnist("predict", folder / "7.png")
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(rf"{re.escape(str(folder))}/7\.png\t7\t0\.\d{{4}}\n", result.out)


def test_table_shows_bar_percent_and_kind(emnist: Emnist, folder: Path) -> None:
    out = emnist("predict", "scans", "-f", "table").out
    seven = next(line for line in out.splitlines() if "7.png" in line)
    assert re.search(r"scans/7\.png\s+'7' digit\s+━+─*\s+\d+\.\d%\s+'\w'\s+\d+\.\d%", seven)
    assert re.search(r"scans/broken\.png\s+error\s+damaged PNG file", out)
    assert re.search(r"scans/blank\.png\s+empty", out)


def test_a_table_in_a_pipe_cuts_nothing(emnist: Emnist, tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120) / ("y" * 120 + ".png")
    path.parent.mkdir()
    picture("7", 1).save(path)
    assert str(path) in emnist("predict", path, "-f", "table").out


def test_show_draws_what_the_model_sees(emnist: Emnist, folder: Path) -> None:
    result = emnist("predict", folder / "7.png", "--show")
    assert result.code == 0
    assert sum(result.out.count(shade) for shade in "░▒▓█") > 40
    assert "as the model sees it" in result.out
    clash = emnist("predict", folder / "7.png", "--show", "-f", "csv")
    assert (clash.code, clash.out) == (2, "")
    assert clash.err == "emnist: --show draws a table and cannot go with --format csv\n"


def test_stdin(emnist: Emnist, folder: Path) -> None:
    content = (folder / "7.png").read_bytes()
    result = emnist("predict", "-", stdin=content)
    assert (result.code, result.out.split("\t")[:2]) == (0, ["-", "7"])
    nothing = emnist("predict", "-", "-f", "csv", stdin=b"")
    assert (nothing.code, nothing.out.splitlines()[1]) == (3, "-,error,,,,empty file (0 bytes)")


def test_output_file(emnist: Emnist, folder: Path, tmp_path: Path) -> None:
    for name in ("rows.csv", "rows.json", "rows.jsonl", "rows.tsv"):
        result = emnist("predict", "scans", "--output", tmp_path / name)
        assert (result.code, result.out) == (3, "")
        assert f"4 pictures: 2 ok, 1 empty, 1 error; written to {tmp_path / name}" in result.err
    assert (tmp_path / "rows.csv").read_text() == emnist("predict", "scans", "-f", "csv").out
    assert (tmp_path / "rows.jsonl").read_text() == emnist("predict", "scans", "-f", "jsonl").out
    assert (tmp_path / "rows.json").read_text() == emnist("predict", "scans", "-f", "json").out
    assert (tmp_path / "rows.tsv").read_text() == emnist("predict", "scans").out


def test_options_reach_the_recognizer(emnist: Emnist, folder: Path) -> None:
    row = emnist("predict", folder / "7.png", "--charset", "0-9", "--top-k", 2, "-f", "jsonl").out
    assert [a["label"].isdigit() for a in json.loads(row)["alternatives"]] == [True, True]
    row = emnist("predict", folder / "7.png", "--min-confidence", 1, "-f", "jsonl").out
    assert (json.loads(row)["status"], json.loads(row)["label"]) == ("uncertain", "")
    row = emnist("predict", folder / "A.jpg", "--fold-case", "--ink", "dark", "-f", "jsonl").out
    assert json.loads(row)["label"] == "A"
    assert "--raw expects 28x28" in emnist("predict", folder / "7.png", "--raw").err


def test_raw_and_transposed_emnist_files(emnist: Emnist, tmp_path: Path) -> None:
    from PIL import Image

    seen = Recognizer().predict(picture("7", 1)).picture
    assert seen is not None
    Image.fromarray((seen * 255).astype("uint8")).save(tmp_path / "upright.png")
    Image.fromarray((seen.T * 255).astype("uint8")).save(tmp_path / "stored.png")
    assert emnist("predict", tmp_path / "upright.png", "--raw").out.split("\t")[1] == "7"
    assert emnist("predict", tmp_path / "stored.png", "--raw", "--transposed").out.split("\t")[1] == "7"


def test_notes_about_pages_go_to_stderr(emnist: Emnist, tmp_path: Path) -> None:
    pages = [picture(c, 1) for c in "738"]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    result = emnist("predict", tmp_path / "pages.tif")
    assert (result.code, result.out.split("\t")[1]) == (0, "7")
    assert result.err == f"emnist: {tmp_path}/pages.tif: has 3 pages, only the first was read\n"
    assert emnist("predict", tmp_path / "pages.tif", "-q").err == ""


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["predict"], 2, "Missing argument 'PATH...'"),
        (["predict", "x", "--no-such"], 2, "--no-such"),
        (["predict", "x", "--format", "xml"], 2, "xml"),
        (["predict", "x", "--top-k", "0"], 2, "top-k"),
        (["predict", "x", "--min-confidence", "2"], 2, "min-confidence"),
        (["predict", "x", "--charset", "é"], 2, "--charset: expected digits"),
        (["predict", "x", "--model", "startr"], 4, "did you mean starter?"),
        (["predict", "x", "--output", "no/such/folder.csv"], 2, "existing folder"),
        (["prdict", "x"], 2, "predict"),
        (["labels", "--split", "leters"], 2, "did you mean letters?"),
    ],
)
def test_mistakes_are_one_line_with_their_code(emnist: Emnist, args: list[str], code: int, message: str) -> None:
    result = emnist(*args)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert result.err.startswith("emnist: ")
    assert result.err.count("\n") == 1


def test_a_missing_path_is_a_row(emnist: Emnist) -> None:
    result = emnist("predict", "nowhere.png", "-f", "csv")
    assert (result.code, result.out) == (3, f"{HEADER}\nnowhere.png,error,,,,no such file or folder\n")


def test_a_damaged_model_is_one_line(emnist: Emnist, folder: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(bundle.PACKAGED / "starter", tmp_path / "model"))
    content = (model / "model.tflite").read_bytes()
    (model / "model.tflite").write_bytes(content[:-1])
    result = emnist("predict", folder / "7.png", "--model", model)
    assert (result.code, result.out, result.err.count("\n")) == (4, "", 1)
    assert "model.tflite is damaged" in result.err


def test_the_model_may_come_from_the_environment(
    emnist: Emnist, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMNIST_MODEL", str(tmp_path / "none"))
    assert emnist("predict", folder / "7.png").code == 4
    assert emnist("predict", folder / "7.png", "--model", "starter").code == 0


def test_many_failures_are_told_only_a_few_times(emnist: Emnist, tmp_path: Path) -> None:
    result = emnist("predict", *[tmp_path / f"{i}.png" for i in range(100)])
    assert (result.code, result.out.count("\n")) == (3, 100)
    assert result.err.count("no such file") == 20
    assert re.fullmatch(r"emnist: 100 pictures in [\d.]+ s \([\d,]+/s\): 100 error", result.err.splitlines()[-1])


@pytest.mark.parametrize("named", ["scans/7.png", "scans"])
def test_the_output_must_not_be_a_picture_to_read(emnist: Emnist, folder: Path, named: str) -> None:
    before = (folder / "7.png").read_bytes()
    result = emnist("predict", named, "-o", folder / "7.png")
    assert (result.code, result.out) == (2, "")
    assert "would be lost" in result.err
    assert (folder / "7.png").read_bytes() == before
    (folder / "7").write_bytes(before)
    assert emnist("predict", folder / "7", "-o", folder / "7").code == 2


def test_a_name_too_long_is_a_row_with_an_output_too(emnist: Emnist, tmp_path: Path) -> None:
    result = emnist("predict", "x" * 300, "-o", tmp_path / "rows.csv")
    assert result.code == 3
    assert "File name too long" in (tmp_path / "rows.csv").read_text()
    assert emnist("predict", "x" * 300, "-o", tmp_path / "rows.csv").code == 3, "over an older one as well"


def test_a_table_in_a_file_leaves_errors_on_stderr(emnist: Emnist, tmp_path: Path) -> None:
    result = emnist("predict", "nosuch.png", "-f", "table", "-o", tmp_path / "t.txt")
    assert result.code == 3
    assert "nosuch.png: no such file or folder" in result.err
    assert emnist("predict", "nosuch.png", "--show", "-o", tmp_path / "t.csv").code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_nobody_listening_on_stderr_costs_nothing(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emnist_cli", "predict", "scans", "-o", str(tmp_path / "o.csv")]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stderr=full, check=False, timeout=60)
    assert done.returncode == 3
    assert (tmp_path / "o.csv").read_text().count("\n") == 5


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal(folder: Path, columns: int) -> None:
    """A real terminal: colours, the picture whole, nothing wider than the window."""
    code, shown = run_on_terminal(columns, "predict", "scans/7.png", "scans/broken.png", "--show")
    assert code == 3
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert "\x1b[" in shown
    assert max(map(len, lines)) <= columns
    assert [line.count("▀") for line in lines if "▀" in line] == [28] * 14
    assert any("'7' digit" in line for line in lines)


def test_a_name_that_is_not_utf8(shell: Emnist, folder: Path) -> None:
    try:
        (folder / "bad\udcff.png").write_bytes((folder / "7.png").read_bytes())
    except OSError:
        pytest.skip("this file system refuses such names")
    for form in ("csv", "jsonl", "json", "table"):
        result = shell("predict", folder, "-f", form, LC_ALL="C.UTF-8")
        assert result.code == 3
        assert "xff.png" in result.out


def test_results_are_utf8_wherever(shell: Emnist, folder: Path) -> None:
    (folder / "手.png").write_bytes((folder / "7.png").read_bytes())
    result = shell("predict", folder, "-f", "csv", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert "手.png" in result.out


def test_an_unreadable_file(recognizer: Recognizer, folder: Path) -> None:
    (folder / "7.png").chmod(0)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:  # who may read everything, and so steps down for the moment
        os.seteuid(65534)
    try:
        assert recognizer.predict(folder / "7.png").error == "cannot be read: Permission denied"
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_is_one_line(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "emnist_cli", "predict", str(folder / "7.png")],
            stdout=full, stderr=subprocess.PIPE, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.decode() == "emnist: stdout: cannot be written (No space left on device)\n"
