"""An export answers as the model it was made from, says what its classes are, and is written whole or not at all."""

import dataclasses
import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # TensorFlow's own

import keras  # noqa: E402

from emnist_cli.core import bundle  # noqa: E402
from emnist_cli.core.classify.recognizer import Recognizer  # noqa: E402
from emnist_cli.core.errors import DataError, MissingError, ModelError, OutputError, UsageError  # noqa: E402
from emnist_cli.core.exported_models import MODEL_FORMATS  # noqa: E402
from emnist_cli.core.model_export import exporter, formats, int8, parity_samples, targets, to_litert  # noqa: E402
from emnist_cli.core.model_export.exporter import Exported, export_model  # noqa: E402
from emnist_cli.core.networks import architectures  # noqa: E402
from emnist_cli.core.runtimes.open_runtime import open_runtime  # noqa: E402
from tests.handwriting import characters, picture  # noqa: E402
from tests.small_data import pictures  # noqa: E402

NAMES = {"onnx": "small.onnx", "keras": "small.keras", "saved-model": "small"}
APART = {"litert-f16": 0.005, "litert-int8": 0.05}
CLOSE = 1e-5

Make = Callable[[str], Exported]


@pytest.fixture(scope="module")
def small(three_classes: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> bundle.Bundle:
    """A bundle as training leaves it: a network that tells A, g and 7, for Keras too, and a temperature."""
    network = keras.models.load_model(three_classes("classic"))
    folder = tmp_path_factory.mktemp("models") / "small"
    manifest = bundle.Manifest(
        name="small", description="a test", split="custom", classes=("A", "g", "7"), temperature=1.7,
        training={"arch": "classic"}, metrics=(bundle.Metric("accuracy", 0.9, "strokes", 9),),
    )  # fmt: skip
    keras_file = three_classes("classic").read_bytes()
    bundle.save_bundle(folder, manifest, {bundle.GRAPH: to_litert.to_litert(network), "model.keras": keras_file})
    return bundle.find_bundle(folder)


@pytest.fixture(scope="module")
def make(small: bundle.Bundle, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Exports the small bundle, once in each form."""
    made: dict[str, Exported] = {}

    def get(form: str) -> Exported:
        if form not in made:
            out = tmp_path_factory.mktemp(form) / NAMES.get(form, "small.tflite")
            made[form] = export_model(small, form, out)
        return made[form]

    return get


@pytest.fixture(scope="module")
def others() -> NDArray[np.float32]:
    return pictures("Ag7", "test").images / np.float32(255)


@pytest.mark.parametrize("form", MODEL_FORMATS)
def test_a_form_answers_as_the_model_does(
    form: str, make: Make, small: bundle.Bundle, others: NDArray[np.float32]
) -> None:
    exported = make(form)
    found, expected = Recognizer(exported.path, trust=True), Recognizer(small.graph.parent)
    assert found.labels == expected.labels == ("A", "g", "7")
    # In batches of other sizes than those that it was compared in, and calibrated as the model is.
    answers = np.concatenate([found.probabilities(others[:5]), found.probabilities(others[5:])])
    assert np.abs(answers - expected.probabilities(others)).max() < APART.get(form, CLOSE)
    assert (answers.argmax(1) == expected.probabilities(others).argmax(1)).all()
    assert answers.argmax(1).tolist() != [0] * len(answers)


@pytest.mark.parametrize("form", MODEL_FORMATS)
def test_what_was_compared_is_told(form: str, make: Make) -> None:
    exported = make(form)
    assert (exported.form, exported.pictures) == (form, 256)
    assert 0 <= exported.largest_difference < APART.get(form, CLOSE)
    assert exported.agreement > 0.97
    files = [exported.path] if exported.path.is_file() else [p for p in exported.path.rglob("*") if p.is_file()]
    assert exported.bytes == sum(path.stat().st_size for path in files)
    assert [path.name for path in exported.path.parent.iterdir()] == [exported.path.name], "nothing is left beside it"


def test_smaller_forms_are_smaller(make: Make) -> None:
    whole = make("litert").bytes
    assert make("litert-f16").bytes < 0.51 * whole
    assert make("litert-int8").bytes < 0.29 * whole
    assert make("litert-int8").largest_difference > make("litert").largest_difference


@pytest.mark.parametrize("form", MODEL_FORMATS)
def test_the_manifest_goes_along(form: str, make: Make, small: bundle.Bundle) -> None:
    exported = make(form)
    found = bundle.find_bundle(exported.path, trust=True).manifest
    assert found is not None
    assert small.manifest is not None
    assert (found.name, found.temperature, found.split) == (exported.path.name, 1.7, "custom")
    assert (found.training["arch"], found.training["exported_from"]) == ("classic", "small")
    assert found.metrics == (bundle.Metric("accuracy", 0.9, f"strokes; before it was exported as {form}", 9),)
    assert found.files[bundle.GRAPH]["bytes"] == exported.bytes


def test_each_form_has_the_manifest_where_others_look_for_it(make: Make) -> None:
    import onnx

    texts = [(make("saved-model").path / "assets.extra" / "manifest.json").read_text()]
    texts += [ZipFile(make(form).path).read("manifest.json").decode() for form in ("litert", "keras")]
    texts += [p.value for p in onnx.load(make("onnx").path).metadata_props if p.key == "manifest.json"]
    assert [json.loads(text)["classes"] for text in texts] == [["A", "g", "7"]] * 4


def test_onnx_is_plain_and_its_batch_is_dynamic(make: Make) -> None:
    import onnx

    graph = onnx.load(make("onnx").path)
    shapes = [
        [d.dim_param or d.dim_value for d in t.type.tensor_type.shape.dim]
        for t in (*graph.graph.input, *graph.graph.output)
    ]
    assert shapes == [["n", 28, 28, 1], ["n", 3]]
    assert [t.name for t in (*graph.graph.input, *graph.graph.output)] == ["pictures", "probabilities"]
    assert {node.domain for node in graph.graph.node} == {""}


def test_eight_bits_throughout_but_the_last_layer(make: Make, others: NDArray[np.float32]) -> None:
    interpreter = Interpreter(model_content=make("litert-int8").path.read_bytes())
    types = {t["index"]: np.dtype(t["dtype"]) for t in interpreter.get_tensor_details()}
    ran = [(o["op_name"], types[o["inputs"][1]], types[o["outputs"][0]])
           for o in interpreter._get_ops_details() if o["op_name"] in ("CONV_2D", "FULLY_CONNECTED")]  # fmt: skip
    in_8_bits = (np.dtype(np.int8), np.dtype(np.int8))
    assert [types for name, *types in ran[:-1]] == [[*in_8_bits]] * 4
    assert ran[-1] == ("FULLY_CONNECTED", np.dtype(np.float32), np.dtype(np.float32))
    assert interpreter.get_input_details()[0]["dtype"] == np.float32
    assert interpreter.get_input_details()[0]["shape_signature"].tolist() == [-1, 28, 28, 1]
    answers = open_runtime(make("litert-int8").path).run(others) * 256
    assert np.abs(answers - answers.round()).max() > 0.1, "answers come in steps of 1/256"


def test_a_last_layer_that_is_most_of_the_network_is_in_8_bits_too() -> None:
    keras.utils.set_random_seed(1)
    network, drawn = architectures.build("twolayer", 47), parity_samples.draw_pictures(100)
    content = int8.to_integer(network, drawn)
    assert len(content) < 0.29 * len(to_litert.to_litert(network))


def test_the_starter_has_no_network_of_its_own_and_is_exported_too(tmp_path: Path) -> None:
    """In 8 bits; `starter_onnx` holds the same of ONNX."""
    out = tmp_path / "starter.tflite"
    exported = export_model(bundle.find_bundle(), "litert-int8", out)
    assert exported.largest_difference < 0.1
    assert exported.agreement > 0.98
    shown = [picture(c, donor) for c in characters() for donor in range(2)]
    theirs, ours = ([*Recognizer(m).predict_many(shown)] for m in (out, "starter"))
    assert np.mean([a.label == b.label for a, b in zip(theirs, ours, strict=True)]) > 0.97
    assert max(abs(a.confidence - b.confidence) for a, b in zip(theirs, ours, strict=True)) < 0.1  # type: ignore[operator]


def test_a_folder_becomes_a_bundle(small: bundle.Bundle, others: NDArray[np.float32], tmp_path: Path) -> None:
    exported = export_model(small, "litert-f16", tmp_path / "models" / "half")
    assert {path.name for path in exported.path.iterdir()} == {"model.tflite", "manifest.json"}
    found = bundle.read_bundle(exported.path)
    assert found.manifest is not None
    assert (found.name, found.manifest.temperature, found.manifest.training["weights"]) == ("half", 1.7, "float16")
    assert np.abs(Recognizer(exported.path).probabilities(others).sum(axis=1) - 1).max() < 1e-5


def test_an_export_is_exported_again(make: Make, tmp_path: Path) -> None:
    for form in ("keras", "litert", "litert-f16"):
        again = export_model(bundle.find_bundle(make(form).path), "onnx", tmp_path / f"{form}.onnx")
        assert again.largest_difference < 0.005
        assert Recognizer(again.path).labels == ("A", "g", "7")


def test_a_network_from_elsewhere(tmp_path: Path, make: Make) -> None:
    keras.utils.set_random_seed(1)
    architectures.build("lenet5", 10).save(tmp_path / "theirs.keras")
    exported = export_model(bundle.find_bundle(tmp_path / "theirs.keras"), "litert", tmp_path / "theirs.tflite")
    found = bundle.find_bundle(exported.path).manifest
    assert found is not None
    assert (found.split, found.classes, found.temperature) == ("digits", tuple("0123456789"), 1)
    architectures.build("lenet5", 3).save(tmp_path / "what.keras")
    with pytest.raises(ModelError, match="cannot name its 3 classes"):
        export_model(bundle.find_bundle(tmp_path / "what.keras"), "litert", tmp_path / "what.tflite")


@pytest.mark.parametrize(
    ("name", "why"), [("bare.tflite", "does not say of which architecture"), ("small.onnx", "a graph without its lay")]
)
def test_a_graph_without_a_network_is_refused(
    name: str, why: str, make: Make, small: bundle.Bundle, tmp_path: Path
) -> None:
    shutil.copy(small.graph if name == "bare.tflite" else make("onnx").path, tmp_path / name)
    with pytest.raises(ModelError, match=f"{why}.*; export from the bundle that emnist train has left"):
        export_model(bundle.find_bundle(tmp_path / name), "onnx", tmp_path / "out.onnx")


def test_nothing_can_be_got_out_of_integers(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="8-bit integers; export from the model that this one was made from"):
        export_model(bundle.find_bundle(make("litert-int8").path), "onnx", tmp_path / "out.onnx")


@pytest.mark.parametrize("form", ["litert-int8", "onnx", "saved-model"])
def test_what_disagrees_is_refused_and_leaves_nothing(
    form: str, small: bundle.Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = keras.models.load_model(small.graph.with_name("model.keras"), compile=False)
    weights = network.get_weights()
    network.set_weights([*weights[:-2], np.roll(weights[-2], 1, axis=1), weights[-1]])  # each class answers as another
    monkeypatch.setattr(exporter, "load_network", lambda model, pictures: network)
    with pytest.raises(ModelError, match=rf"{form} disagrees with the model: probabilities differ by \d.*nothing was"):
        export_model(small, form, tmp_path / NAMES.get(form, "small.tflite"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_number_disagrees(small: bundle.Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = keras.models.load_model(small.graph.with_name("model.keras"), compile=False)
    network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
    monkeypatch.setattr(exporter, "load_network", lambda model, pictures: network)
    with pytest.raises(ModelError, match="differ by nan"):
        export_model(small, "onnx", tmp_path / "small.onnx")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("name", ["small.tflite", "small"])
def test_a_full_disk_leaves_what_was_there(
    name: str, before: bool, small: bundle.Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    out = tmp_path / "out" / name
    if before:
        put(make("litert").path if out.suffix else small.graph.parent, out)
    old = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def write(network: object, form: str, path: Path, *_: object) -> None:
        (path / "half" if path.suffix == "" else path).parent.mkdir(exist_ok=True)
        (path / "half" if path.suffix == "" else path).write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(formats, "write_format", write)
    with pytest.raises(OutputError, match=r"cannot be written \(No space left on device\); nothing was left there"):
        export_model(small, "litert", out, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == old


def put(source: Path, place: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, place)


def test_only_an_earlier_export_is_replaced(small: bundle.Bundle, make: Make, tmp_path: Path) -> None:
    file, folder, saved = tmp_path / "a.tflite", tmp_path / "a", tmp_path / "b"
    before = ((make("litert").path, file), (small.graph.parent, folder), (make("saved-model").path, saved))
    for (source, out), form in zip(before, ("litert", "litert", "saved-model"), strict=True):
        put(source, out)
        with pytest.raises(UsageError, match="is there already; name another place, or replace it: --overwrite"):
            export_model(small, form, out)
    export_model(small, "litert-f16", file, overwrite=True)
    export_model(small, "litert-f16", folder, overwrite=True)
    export_model(small, "litert", saved, overwrite=True)
    assert bundle.read_bundle(saved).manifest is not None
    assert file.stat().st_size < 0.51 * (saved / "model.tflite").stat().st_size + 5000
    (folder / "notes.txt").write_text("mine")
    for out in (folder, tmp_path / "c.tflite"):
        out.mkdir(exist_ok=True)
        with pytest.raises(UsageError, match="something else than an exported model is there"):
            export_model(small, "litert", out, overwrite=True)
    assert (folder / "notes.txt").read_text() == "mine"


def test_the_model_itself_is_not_replaced(small: bundle.Bundle, make: Make) -> None:
    for source, out in (
        (small, small.graph),
        (small, small.graph.parent),
        (bundle.find_bundle(make("litert").path), None),
    ):
        with pytest.raises(UsageError, match="the model itself is there"):
            export_model(source, "litert", out or source.graph, overwrite=True)


@pytest.mark.parametrize(
    ("form", "name", "said"),
    [
        ("onnx", "a", "written to an .onnx file"),
        ("onnx", "a.tflite", "written to an .onnx file"),
        ("keras", "a.h5", "written to a .keras file"),
        ("litert", "a.onnx", "written to a .tflite file, or a folder"),
        ("saved-model", "a.pb", "written to a folder"),
        ("litert-int4", "a.tflite", "no form is called 'litert-int4'; did you mean litert-int8"),
    ],
)
def test_a_place_that_is_none(form: str, name: str, said: str, small: bundle.Bundle, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        targets.check_export_target(small, form, tmp_path / name, overwrite=False)


def test_onnx_needs_its_extra(small: bundle.Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "find_spec", lambda name: None if name == "tf2onnx" else object())
    with pytest.raises(MissingError, match=r"tf2onnx is not installed; run: pip install 'emnist-cli\[onnx\]'"):
        targets.check_export_target(small, "onnx", tmp_path / "a.onnx", overwrite=False)
    targets.check_export_target(small, "keras", tmp_path / "a.keras", overwrite=False)


def test_ones_own_pictures_are_compared(small: bundle.Bundle, tmp_path: Path, others: NDArray[np.float32]) -> None:
    exported = export_model(small, "litert-int8", tmp_path / "a.tflite", pictures=others)
    assert exported.pictures == len(others) < 256
    with pytest.raises(UsageError, match="no picture to compare"):
        export_model(small, "litert", tmp_path / "b.tflite", pictures=others[:0])


def test_drawn_pictures_are_characters_each_varied() -> None:
    drawn = parity_samples.draw_pictures(124, seed=1)
    assert (drawn.shape, drawn.dtype) == ((124, 28, 28), np.float32)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert np.array_equal(drawn, parity_samples.draw_pictures(124, seed=1))
    assert not np.array_equal(drawn[:62], drawn[62:])
    starter = Recognizer(fold_case=True)
    read = [starter.labels[i] for i in starter.probabilities(drawn).argmax(1)]
    expected = [c.upper() for c in bundle.find_bundle().manifest.classes * 2]  # type: ignore[union-attr]
    assert np.mean([a == b for a, b in zip(read, expected, strict=True)]) > 0.8


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for i, character in enumerate("Ag7"):
        picture(character).save(tmp_path / ("more" if i else ".") / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"nothing")
    found = parity_samples.read_pictures(tmp_path)
    assert (found.shape, found.dtype) == ((3, 28, 28), np.float32)
    assert len(parity_samples.read_pictures(tmp_path / "more", count=1)) == 1
    with pytest.raises(UsageError, match="--folder: expected a folder of pictures"):
        parity_samples.read_pictures(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="none of its pictures could be used"):
        parity_samples.read_pictures(tmp_path / "empty")


def test_a_model_in_8_bits_is_allowed_more(small: bundle.Bundle) -> None:
    expected = np.array([[0.5, 0.3, 0.2]], np.float32)
    nearly = expected + np.array([[0.05, -0.05, 0]], np.float32)
    assert exporter._compare(nearly, expected, "onnx", in_8_bits=True) == pytest.approx(0.05)
    with pytest.raises(ModelError, match=r"differ by 0\.0500, 0\.001 is allowed"):
        exporter._compare(nearly, expected, "onnx", in_8_bits=False)
    with pytest.raises(ModelError, match="the model has 3 classes, what was made of it 2"):
        exporter._compare(nearly[:, :2], expected, "onnx", in_8_bits=False)
    assert small.manifest is not None
    stored = dataclasses.replace(small.manifest, training={"weights": "int8"})
    assert exporter._computes_in_8_bits(dataclasses.replace(small, manifest=stored))
    assert not exporter._computes_in_8_bits(small)
