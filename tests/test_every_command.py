"""Every command end to end, once each, with results that are known: what the quick tests hold of all of them."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from emnist_cli.app import app
from emnist_cli.core import bundle
from emnist_cli.core.data import dataset
from tests import archives, test_every_command
from tests.conftest import REPOSITORY, Emnist
from tests.handwriting import picture
from tests.keras_files import DIGITS
from tests.loopback import serve
from tests.web.running import running

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three digits with their labels, and a file that is no image."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for character in "047":
        picture(character, 1).save(folder / f"{character}.png")
    (folder / "labels.csv").write_text("file,label\n0.png,0\n4.png,4\n7.png,7\n")
    (folder / "broken.png").write_bytes(b"nothing")
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return archives.nist_zip(tmp_path / "gzip.zip", archives.small("digits"))


def commands(group: object, before: str = "") -> Iterator[str]:
    """Every command that does something, as it is typed after emnist."""
    for name, command in getattr(group, "commands", {}).items():
        if getattr(command, "commands", None) is None or name == "models":
            yield f"{before}{name}"
        yield from commands(command, f"{before}{name} ")


def test_there_is_a_test_for_every_command() -> None:
    names = {f"test_{name.replace(' ', '_')}" for name in commands(typer.main.get_command(app))}
    assert {name for name in names if not hasattr(test_every_command, name)} == set()


def test_predict(emnist: Emnist, scans: Path) -> None:
    result = emnist("predict", scans, "-f", "csv")
    rows = {Path(row["path"]).name: row for row in csv.DictReader(io.StringIO(result.out))}
    assert result.code == 3
    assert {name: row["label"] for name, row in rows.items()} == {
        "0.png": "0",
        "4.png": "4",
        "7.png": "7",
        "broken.png": "",
    }
    assert rows["broken.png"]["status"] == "error" and float(rows["4.png"]["confidence"]) > 0.9


def test_read(emnist: Emnist) -> None:
    result = emnist("read", REPOSITORY / "examples" / "pages" / "note.jpg")
    assert (result.code, result.out) == (
        0,
        (REPOSITORY / "README.md").read_text().split("note.jpg\n")[1].split("```")[0],
    )


def test_train(emnist: Emnist, digits_data: Path, digits_model: Path, scans: Path) -> None:
    """What `digits_model` has done, with `emnist train`; then one epoch more from there."""
    assert {path.name for path in digits_model.iterdir()} == {
        "manifest.json", "model.tflite", "model.keras", "history.csv", "curves.png",
    }  # fmt: skip
    manifest = bundle.read_bundle(digits_model).manifest
    assert manifest is not None
    assert manifest.classes == tuple("0123456789")
    assert manifest.metrics[0].value > 0.9
    assert emnist("predict", scans / "7.png", "--model", digits_model).out.split("\t")[1] == "7"
    command = ["train", "--split", "digits", "--from", digits_model, "--epochs", 1, "--data-dir", digits_data]
    further = emnist(*command, "--learning-rate", 1e-5, "-f", "jsonl")
    assert further.code == 0, further
    assert json.loads(further.out)["val_accuracy"] > 0.8, "it goes on from what was learned"
    assert further.err.splitlines()[-1].startswith("emnist: accuracy ")


def test_evaluate(emnist: Emnist, digits_data: Path, digits_model: Path, scans: Path) -> None:
    options = ("--model", digits_model, "--data-dir", digits_data, "-f", "json")
    scored = json.loads(emnist("evaluate", "--split", "digits", *options).out)
    manifest = bundle.read_bundle(digits_model).manifest
    assert manifest is not None
    assert (scored["count"], scored["accuracy"]) == (90, pytest.approx(manifest.metrics[0].value, abs=1e-4))
    (scans / "broken.png").unlink()
    scored = json.loads(emnist("evaluate", "--folder", scans, "-f", "json").out)
    assert (scored["count"], scored["accuracy"]) == (3, 1)


def test_benchmark(emnist: Emnist) -> None:
    result = emnist("benchmark", "--runs", 1, "--seconds", 0.001, "--threads", 1, "--batch", 1, "-f", "json")
    assert result.code == 0, result
    (row,) = json.loads(result.out)["rows"]
    assert (row["model"], row["flops"]) == ("starter", 29449216)
    assert all(row[name] > 0 for name in ("cold_start_s", "network_ms", "picture_ms", "batch_per_s", "files_per_s"))


def test_export(emnist: Emnist, scans: Path, digits_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "half.tflite"
    result = emnist("export", "--model", digits_model, "--to", "litert-f16", "--out", out, "-q", "-f", "jsonl")
    assert result.code == 0, result
    row = json.loads(result.out)
    assert (row["path"], row["bytes"]) == (str(out), out.stat().st_size)
    assert row["agreement"] > 0.98
    assert out.stat().st_size < 0.6 * (digits_model / "model.tflite").stat().st_size
    assert emnist("predict", scans / "4.png", "--model", out).out.split("\t")[1] == "4"


def test_labels(emnist: Emnist) -> None:
    rows = list(csv.DictReader(io.StringIO(emnist("labels", "--split", "letters", "-f", "csv").out)))
    assert [row["label"] for row in rows] == list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_models(emnist: Emnist) -> None:
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(emnist("models", "-f", "csv").out))}
    assert (rows["starter"]["classes"], rows["starter"]["error"]) == ("62", "")


def test_models_import(emnist: Emnist, scans: Path, tmp_path: Path) -> None:
    result = emnist("models", "import", DIGITS, "--out", tmp_path / "theirs")
    assert result.code == 0, result
    assert emnist("predict", scans / "4.png", "--model", tmp_path / "theirs").out.split("\t")[1] == "4"


def test_doctor(emnist: Emnist, digits_data: Path) -> None:
    result = emnist("doctor", "--data-dir", digits_data, "-f", "json", "-q")
    found = {check["check"]: check for check in json.loads(result.out)}
    assert (result.code, found["model starter"]["state"]) == (0, "ok")
    assert found["EMNIST"]["found"] == f"digits, in {digits_data}"


def test_serve(scans: Path) -> None:
    with running("--workers", 1) as server:
        reply = server.upload(("7.png", (scans / "7.png").read_bytes()))
        assert (reply.status, reply.json[0]["label"]) == (200, "7")
        assert b"<canvas" in server.ask("/").body


def test_data_download(emnist: Emnist, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with serve(archive.read_bytes()) as server:
        options = ("--sha256", hashlib.sha256(server.body).hexdigest(), "--split", "digits")
        result = emnist("data", "download", "--url", server.url, *options, "--data-dir", tmp_path / "data")
    assert result.code == 0, result
    found = dataset.load_split("digits", "train", tmp_path / "data")
    assert np.array_equal(found.images, archives.small("digits")["digits"]["train"].images)


def test_data_import(emnist: Emnist, archive: Path, tmp_path: Path) -> None:
    result = emnist("data", "import", archive, "--data-dir", tmp_path / "data")
    assert result.code == 0, result
    assert dataset.load_split("digits", "test", tmp_path / "data").labels.tolist() == [5, 2]


def test_data_info(emnist: Emnist, digits_data: Path) -> None:
    rows = json.loads(emnist("data", "info", "--data-dir", digits_data, "-f", "json").out)
    assert [(row["split"], row["train"], row["test"]) for row in rows if row["train"]] == [("digits", 240, 90)]


def test_data_show(emnist: Emnist, digits_data: Path, tmp_path: Path) -> None:
    options = ("--split", "digits", "--count", 9, "--data-dir", digits_data)
    result = emnist("data", "show", *options, "-o", tmp_path / "grid.png")
    assert result.code == 0, result
    with Image.open(tmp_path / "grid.png") as grid:
        assert min(grid.size) > 3 * 28


def test_data_verify(emnist: Emnist, digits_data: Path) -> None:
    result = emnist("data", "verify", "--data-dir", digits_data, "-f", "csv")
    assert (result.code, "digits" in result.out) == (0, True), result


def test_data_export(emnist: Emnist, digits_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "written"
    result = emnist("data", "export", out, "--split", "digits", "--as", "png", "--data-dir", digits_data)
    assert result.code == 0, result
    assert len(list(out.rglob("*.png"))) == 240 + 90
