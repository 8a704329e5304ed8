"""`emnist export` as users run it: what it leaves, what it prints, and that the other commands take what it left."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emnist_cli.core import bundle
from tests.conftest import Emnist
from tests.handwriting import picture
from tests.terminal import run_on_terminal
from tests.test_startup import HEAVY, run

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

FIELDS = ["path", "form", "bytes", "largest_difference", "agreement", "pictures"]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    for character in "47KgRs2":
        picture(character, 1).save(folder / f"{character}.png")
    return folder


@pytest.fixture
def exported(starter_onnx: Path) -> Path:
    """The starter as ONNX, exported in a process of its own."""
    return starter_onnx


@pytest.mark.slow
def test_predict_takes_it_and_answers_alike(emnist: Emnist, exported: Path, scans: Path) -> None:
    mine, theirs = (
        list(csv.DictReader(io.StringIO(emnist("predict", scans, "--model", model, "-f", "csv").out)))
        for model in (exported, "starter")
    )
    assert [row["label"] for row in mine] == [row["label"] for row in theirs]
    assert len({row["label"] for row in mine}) > 4
    for ours, other in zip(mine, theirs, strict=True):
        assert float(ours["confidence"]) == pytest.approx(float(other["confidence"]), abs=0.1)


@pytest.mark.slow
def test_predict_by_onnx_loads_no_tensorflow(exported: Path, scans: Path) -> None:
    code, out, err = run(["predict", str(scans / "7.png"), "--model", str(exported)])
    assert (code, out.split("\t")[1]) == (0, "7")
    loaded = err.split("LOADED")[1]
    assert "'onnxruntime'" in loaded
    assert not [name for name in (*HEAVY, "rich", "onnx") if f"'{name}'" in loaded]


@pytest.mark.slow
@pytest.mark.parametrize(("module", "form"), [("onnxruntime", "onnx"), ("tensorflow", "keras")])
def test_a_runtime_that_is_not_installed(module: str, form: str, exported: Path, scans: Path, tmp_path: Path) -> None:
    model = tmp_path / f"model.{form}"
    model.write_bytes(exported.read_bytes() if form == "onnx" else b"")
    code, out, err = run(["predict", str(scans / "7.png"), "--model", str(model)], (module,))
    assert (code, out) == (6, "")
    assert err.splitlines()[0] == f"emnist: {model}: {module} is not installed; run: pip install {module}"


@pytest.mark.slow
def test_evaluate_takes_it(emnist: Emnist, exported: Path, scans: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,label\n" + "".join(f"{p.name},{p.stem}\n" for p in scans.iterdir()))
    scored = emnist(
        "evaluate", "--folder", scans, "--labels", tmp_path / "labels.csv", "--model", exported, "-q", "-f", "json"
    )
    assert scored.code == 0, scored
    assert json.loads(scored.out)["model"] == "starter.onnx"
    assert json.loads(scored.out)["accuracy"] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "csv", "table"])  # lines of jsonl: tests/test_every_command.py
def test_every_format(form: str, emnist: Emnist, tmp_path: Path, scans: Path, digits_model: Path) -> None:
    out = tmp_path / "digits.tflite"
    command = ("export", "--model", digits_model, "-t", "litert-f16", "--out", out, "--folder", scans)
    result = emnist(*command, "--quiet", "--format", form)
    assert (result.code, result.err) == (0, ""), result
    if form == "table":
        assert [word in result.out for word in (str(out), "litert-f16", " 7\n")] == [True] * 3
        assert re.search(r" (100\.0|85\.7)%", result.out), "of 7 images at most one is on the edge"
        return
    read = {"json": lambda text: json.loads(text)[0], "csv": lambda text: next(
        csv.DictReader(io.StringIO(text)))}[form]  # fmt: skip
    row = read(result.out)
    assert list(row) == FIELDS
    assert (row["path"], row["form"], int(row["bytes"])) == (str(out), "litert-f16", out.stat().st_size)
    assert int(row["pictures"]) == 7


@pytest.mark.slow
def test_a_bundle_for_ones_models(emnist: Emnist, scans: Path) -> None:
    folder = bundle.user_folder()
    assert folder is not None
    made = emnist("export", "--to", "litert-int8", "--out", folder / "small")
    assert made.code == 0, made
    listed = {row["name"]: row for row in csv.DictReader(io.StringIO(emnist("models", "-f", "csv").out))}
    assert "before it was exported as litert-int8" in listed["small"]["measured_on"]
    assert emnist("predict", scans / "R.png", "--model", "small").out.split("\t")[1] == "R"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--to", "onyx", "--out", "a.onnx"], 2, "--to: no form is called 'onyx'; did you mean onnx?"),
        (["--to", "onnx", "--out", "a.tflite"], 2, "--out: onnx is written to an .onnx file. Received: a.tflite"),
        (["--to", "onnx"], 2, "Missing option '--out' / '-o'; see: emnist export --help"),
        (["--to", "keras", "--out", "a.keras", "--model", "bare.tflite"], 4, "bare.tflite: has no model.keras beside"),
        (["--to", "keras", "--out", "a.keras", "--model", "strter"], 4, "no model, folder or file is called 'strter'"),
        (["--to", "keras", "--out", "a.keras", "--folder", "none"], 2, "--folder: expected a folder of pictures"),
        (["--to", "litert", "--out", "there.tflite"], 2, "--out: there.tflite is there already"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    args: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("bare.tflite", "there.tflite"):
        (tmp_path / name).write_bytes(bundle.find_bundle().graph.read_bytes())
    got, out, err = run(["export", *args])
    assert (got, out) == (code, "")
    assert err.splitlines()[0].startswith(f"emnist: {said}")
    assert not [name for name in HEAVY if f"'{name}'" in err.split("LOADED")[1]]
    assert {path.name for path in tmp_path.iterdir()} == {"bare.tflite", "there.tflite"}


@pytest.mark.slow
def test_what_disagrees_ends_with_4(emnist: Emnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from emnist_cli.core.model_export import exporter

    monkeypatch.setattr(exporter, "_ALLOWED", {"litert-f16": -0.2})
    result = emnist("export", "--to", "litert-f16", "--out", tmp_path / "a.tflite")
    assert (result.code, result.out) == (4, "")
    assert result.err.startswith("emnist: litert-f16 disagrees with the model: probabilities differ by 0.0")
    assert list(tmp_path.iterdir()) == []


def test_nothing_can_be_written_there(emnist: Emnist, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = emnist("export", "--to", "keras", "--out", tmp_path / "file" / "a.keras")
    assert (result.code, result.out) == (1, "")
    assert "a.keras: cannot be written (" in result.err


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emnist_cli", "export", "--to", "litert-int8", "--out", tmp_path / "a.tflite"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.iterdir()) and process.poll() is None:
            time.sleep(0.05)
        assert list(tmp_path.iterdir()), "it has begun"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (130, "", "emnist: interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_on_a_terminal(tmp_path: Path) -> None:
    code, shown = run_on_terminal(100, "export", "--to", "litert", "--out", tmp_path / "a.tflite")
    assert code == 0
    for stage in ("starting TensorFlow", "loading the network", "converting to litert", "comparing on 256 pictures"):
        assert stage in shown
    assert "same answer" in shown
