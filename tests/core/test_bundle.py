import json
import shutil
from pathlib import Path

import pytest

from emnist_cli.core import bundle
from emnist_cli.core.errors import ModelError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle.PACKAGED / "starter", tmp_path / "mine"))


def change(folder: Path, **fields: object) -> None:
    path = folder / bundle.MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_the_packaged_model_is_whole_and_honest() -> None:
    found = bundle.find_bundle()
    assert found.name == "starter"
    assert found.manifest is not None
    assert found.manifest.split == "byclass"
    assert len(found.manifest.classes) == 62
    assert "stand-in" in found.manifest.metrics[0].on
    assert all(0 < m.value <= 1 and m.count > 0 for m in found.manifest.metrics)
    assert all(d["count"] > 0 and d["source"] for d in found.manifest.data)


def test_a_model_is_found_by_name_folder_and_file(copy: Path, tmp_path: Path) -> None:
    assert bundle.find_bundle("starter").graph == bundle.PACKAGED / "starter" / "model.tflite"
    assert bundle.find_bundle(copy).graph == copy / "model.tflite"
    assert bundle.find_bundle(copy / "model.tflite").manifest is not None, "a bundle's own graph keeps its labels"
    bare = tmp_path / "bare.tflite"
    bare.write_bytes((copy / "model.tflite").read_bytes())
    assert bundle.find_bundle(bare) == bundle.Bundle(bare, None)


def test_the_users_own_folder_is_searched(copy: Path) -> None:
    folder = bundle.user_folder()
    assert folder is not None
    folder.mkdir(parents=True)
    copy.rename(folder / "mine")
    assert bundle.find_bundle("mine").graph == folder / "mine" / "model.tflite"
    assert [f.name for f in bundle.list_bundles()] == ["starter", "mine"]


@pytest.mark.parametrize("name", ["startr", "", "no/such/folder", "../starter", "x" * 300])
def test_an_unknown_name_gets_advice(name: str) -> None:
    with pytest.raises(ModelError, match="no model, folder or file is called"):
        bundle.find_bundle(name)


def test_a_near_miss_is_told() -> None:
    with pytest.raises(ModelError, match=r"did you mean starter\?"):
        bundle.find_bundle("startr")


def test_one_flipped_bit_is_noticed(copy: Path) -> None:
    path = copy / "model.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.tflite is damaged"):
        bundle.find_bundle(copy)


def test_a_cut_off_graph_is_noticed(copy: Path) -> None:
    path = copy / "model.tflite"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="1,000 bytes of"):
        bundle.find_bundle(copy)


def test_a_missing_graph_is_named(copy: Path) -> None:
    (copy / "model.tflite").unlink()
    with pytest.raises(ModelError, match=r"cannot read model\.tflite"):
        bundle.find_bundle(copy)


@pytest.mark.parametrize(
    "fields",
    [
        {"format": 99},
        {"preprocessing": 99},
        {"classes": []},
        {"classes": None},
        {"temperature": 0},
        {"temperature": "warm"},
        {"files": {}},
        {"files": None},
        {"metrics": [{"name": "accuracy"}]},
        {"surprise": 1},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"temperature": None},
        {"input_shape": [32, 32, 1]},
        {"files": {"model.tflite": {}}},
        {"files": {"model.tflite": {"bytes": "1", "sha256": "x"}}},
        {"files": {"model.tflite": None}},
        {"files": ["model.tflite"]},
        {"metrics": [{"name": "accuracy", "value": "high", "on": "x", "count": 1}]},
        {"metrics": [{"name": "accuracy", "value": None, "on": "x", "count": 1}]},
        {"metrics": 5},
        {"classes": [""]},
    ],
)
def test_a_manifest_that_cannot_be_is_refused(copy: Path, fields: dict[str, object]) -> None:
    change(copy, **fields)
    with pytest.raises(ModelError, match=r"manifest\.json: damaged or from another version"):
        bundle.find_bundle(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"'])
def test_a_manifest_that_is_no_json_object_is_refused(copy: Path, text: str) -> None:
    (copy / bundle.MANIFEST).write_text(text)
    with pytest.raises(ModelError, match="damaged"):
        bundle.find_bundle(copy)


def test_a_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a model bundle"):
        bundle.find_bundle(tmp_path)


def test_what_is_written_is_read_back_and_replaces_the_old(tmp_path: Path) -> None:
    manifest = bundle.Manifest(
        name="small", description="a test", split="digits", classes=tuple("0123456789"), temperature=1.5,
        metrics=(bundle.Metric("accuracy", 0.5, "nothing", 2),), data=({"source": "nowhere", "count": 1},),
    )  # fmt: skip
    for content in (b"first", b"second"):
        bundle.save_bundle(tmp_path / "models" / "small", manifest, {bundle.GRAPH: content})
    found = bundle.read_bundle(tmp_path / "models" / "small")
    assert found.graph.read_bytes() == b"second"
    assert found.manifest is not None
    assert found.manifest.metrics == manifest.metrics
    assert (found.manifest.classes, found.manifest.temperature) == (manifest.classes, 1.5)
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["small"], "nothing else is left behind"
