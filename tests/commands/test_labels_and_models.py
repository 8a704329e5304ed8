"""`emnist labels` and `emnist models` in every format."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from emnist_cli.core import bundle
from emnist_cli.core.labels import SPLITS
from tests.conftest import Emnist


@pytest.mark.parametrize("split", SPLITS)
def test_label_mapping_csv(emnist: Emnist, split: str) -> None:
    result = emnist("labels", "--split", split, "--format", "csv")
    assert (result.code, result.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert list(rows[0]) == ["id", "stored_id", "label", "ascii", "characters"]
    assert [int(r["id"]) for r in rows] == list(range(len(SPLITS[split].classes)))
    assert all(chr(int(r["ascii"])) == r["label"] == r["characters"][0] for r in rows)


def test_labels_in_every_format(emnist: Emnist) -> None:
    records = json.loads(emnist("labels", "-s", "letters", "-f", "json").out)
    assert records[2] == {"id": 2, "stored_id": 3, "label": "C", "ascii": 67, "characters": "Cc"}
    assert [json.loads(line) for line in emnist("labels", "-s", "letters", "-f", "jsonl").out.splitlines()] == records
    assert emnist("labels", "-s", "letters").out.splitlines()[2] == "2\tC"
    table = emnist("labels", "-s", "letters", "-f", "table").out
    assert "124,800 training and 20,800 test pictures in the archive (88,800 and 14,800 in the paper)" in table
    assert len(table.splitlines()) > 26


def test_labels_to_a_file(emnist: Emnist, tmp_path: Path) -> None:
    path = tmp_path / "label_mapping.csv"
    assert emnist("labels", "-s", "balanced", "-o", path).out == ""
    assert path.read_text() == emnist("labels", "-s", "balanced", "-f", "csv").out


def test_models_in_every_format(emnist: Emnist) -> None:
    (record,) = json.loads(emnist("models", "-f", "json").out)
    assert (record["name"], record["default"], record["split"], record["classes"]) == ("starter", True, "byclass", 62)
    assert 0.7 < record["accuracy"] < 1
    assert "stand-in" in record["measured_on"]
    assert record["bytes"] == (bundle.PACKAGED / "starter/model.tflite").stat().st_size
    assert json.loads(emnist("models", "-f", "jsonl").out) == record
    assert next(csv.DictReader(io.StringIO(emnist("models", "-f", "csv").out)))["name"] == "starter"
    assert emnist("models").out.split("\t")[:2] == ["starter", "byclass"]
    table = emnist("models", "-f", "table").out
    assert f"{record['accuracy']:.1%}" in table
    assert "starter (default)" in table
    assert str(bundle.user_folder()) in table


def test_a_damaged_model_is_listed_with_its_error(emnist: Emnist, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bundle.user_folder()
    assert folder is not None
    folder.mkdir(parents=True)
    shutil.copytree(bundle.PACKAGED / "starter", folder / "mine")
    (folder / "mine" / "model.tflite").write_bytes(b"")
    monkeypatch.setenv("EMNIST_MODEL", "mine")
    records = json.loads(emnist("models", "-f", "json").out)
    assert [(r["name"], r["default"], bool(r["error"])) for r in records] == [
        ("starter", False, False), ("mine", True, True),
    ]  # fmt: skip
    assert "model.tflite is damaged" in emnist("models", "-f", "table").out


def test_emnist_alone_shows_what_there_is(emnist: Emnist) -> None:
    result = emnist()
    assert (result.code, result.err) == (0, "")
    assert "predict" in result.out
