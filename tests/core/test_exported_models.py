"""The manifest in an exported file is found without the library of its form, and damage is one clear error."""

import json
import tracemalloc
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, StringStringEntryProto

from emnist_cli.core import bundle, exported_models
from emnist_cli.core.errors import ModelError

TEXT = json.dumps(
    bundle.Manifest(
        "mine", "a test", "digits", tuple("0123456789"), 1.5, files={"model.tflite": {"sha256": "", "bytes": 1}}
    ).as_dict()
)


def with_props(**props: str) -> bytes:
    entries = [StringStringEntryProto(key=key.replace("_", "."), value=value) for key, value in props.items()]
    content: bytes = ModelProto(
        ir_version=8, producer_name="a test", model_version=2**62, metadata_props=entries
    ).SerializeToString()
    return content


def write_archive(path: Path, before: bytes = b"", text: str = TEXT) -> None:
    path.write_bytes(before)
    with ZipFile(path, "a", ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", text)


def test_of_an_onnx_model(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(with_props(author="me", manifest_json=TEXT))
    found = bundle.find_bundle(path)
    assert found.manifest is not None
    assert (found.name, found.graph, found.manifest.temperature) == ("mine", path, 1.5)
    assert found.manifest.files == {"model.tflite": exported_models.describe_model_file(path)}
    path.write_bytes(with_props(author="me"))
    assert bundle.find_bundle(path) == bundle.Bundle(path, None)


@pytest.mark.parametrize("name", ["mine.tflite", "mine.keras", "MINE.TFLITE"])
def test_of_an_archive(name: str, tmp_path: Path) -> None:
    write_archive(tmp_path / name, before=bytes(1000))
    found = bundle.find_bundle(tmp_path / name)
    assert found.manifest is not None
    assert found.manifest.classes == tuple("0123456789")
    (tmp_path / name).write_bytes(bytes(1000))
    assert bundle.find_bundle(tmp_path / name).manifest is None


def test_of_a_saved_model(tmp_path: Path) -> None:
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"a graph")
    assert bundle.find_bundle(tmp_path, trust=True) == bundle.Bundle(tmp_path / "saved_model.pb", None)
    (tmp_path / "assets.extra" / "manifest.json").write_text(TEXT)
    for path in (tmp_path, tmp_path / "saved_model.pb"):
        found = bundle.find_bundle(path, trust=True)
        assert found.manifest is not None
        assert found.graph == tmp_path / "saved_model.pb"
        assert found.manifest.files["model.tflite"]["bytes"] == len("a graph") + len(TEXT)


def test_weights_of_a_saved_model_count(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"a graph")
    before = exported_models.describe_model_file(tmp_path / "saved_model.pb")
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "variables.index").write_bytes(b"weights")
    assert exported_models.describe_model_file(tmp_path / "saved_model.pb")["sha256"] != before["sha256"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", TEXT.replace('"format": 1', '"format": 9'), "\x00"])
def test_a_damaged_manifest(text: str, tmp_path: Path) -> None:
    write_archive(tmp_path / "a.tflite", text=text)
    (tmp_path / "a.onnx").write_bytes(with_props(manifest_json=text))
    for name in ("a.tflite", "a.onnx"):
        with pytest.raises(ModelError, match=f"{name}: the manifest in it is damaged or from another version"):
            bundle.find_bundle(tmp_path / name)


def test_a_damaged_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    write_archive(path)
    content = bytearray(path.read_bytes())
    content[60] ^= 255
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.keras: the manifest in it is damaged"):
        bundle.find_bundle(path)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_no_onnx_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.onnx"
    for content in (noise, with_props(manifest_json=TEXT)[:cut] + noise):
        path.write_bytes(content)
        try:
            assert exported_models.read_embedded_manifest(path) is None
        except ModelError as error:
            assert "damaged" in str(error)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"")
    with pytest.raises(
        ModelError, match=r"expected a bundle folder, a SavedModel or a \.tflite.* Received: a \.h5 file"
    ):
        bundle.find_bundle(tmp_path / "model.h5")


def test_other_files_beside_a_saved_model_are_no_part_of_it(tmp_path: Path) -> None:
    for name in ("saved_model.pb", "variables/variables.index", "assets/words.txt", "assets.extra/manifest.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    for name in ("fingerprint.pb", "keras_metadata.pb"):
        (tmp_path / name).write_text(name)
    before = exported_models.describe_model_file(tmp_path / "saved_model.pb")
    (tmp_path / "results.csv").write_text("path,label")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "more.txt").write_text("more")
    assert exported_models.describe_model_file(tmp_path / "saved_model.pb") == before
    assert before["bytes"] == sum(path.stat().st_size for path in tmp_path.rglob("*.*") if path.is_file()) - 14


def test_a_manifest_that_would_fill_the_memory(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "bomb.keras", "w", ZIP_DEFLATED) as archive, archive.open("manifest.json", "w") as file:
        for _ in range(200):
            file.write(b" " * 2**20)
    assert (tmp_path / "bomb.keras").stat().st_size < 300_000
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match=r"bomb\.keras: the manifest in it is damaged .*more than 16,777,216"):
            bundle.find_bundle(tmp_path / "bomb.keras")
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()
