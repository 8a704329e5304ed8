"""What old files are changed in, which labels files are understood, and how a picture's place in an input is found."""

import io
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

import keras  # noqa: E402
from keras import layers  # noqa: E402

from emnist_cli.core.errors import ModelError, UsageError  # noqa: E402
from emnist_cli.core.labels import SPLITS  # noqa: E402
from emnist_cli.core.model_import import adapter, foreign_model, importer, legacy_keras  # noqa: E402
from emnist_cli.core.model_import.import_spec import Interpretation, make_import_spec, name_of_model  # noqa: E402
from emnist_cli.core.model_import.label_files import Labels, name_outputs, read_labels  # noqa: E402
from emnist_cli.core.runtimes import output_kinds  # noqa: E402
from tests.conftest import Emnist  # noqa: E402
from tests.keras_files import DIGITS, LETTERS, answers, softmax, with_config  # noqa: E402

BALANCED = "".join(c.label for c in SPLITS["balanced"].classes)


def read_network(path: Path) -> foreign_model.ForeignModel:
    return foreign_model.read_foreign_model(make_import_spec(path))


def first_layer_says_all(config: dict[str, Any]) -> None:
    """As Keras wrote it before 2.2.3: no name, no layer for the input."""
    config["config"] = [layer for layer in config["config"]["layers"] if layer["class_name"] != "InputLayer"]


def nothing(config: dict[str, Any]) -> None:
    """As it is."""


@pytest.mark.parametrize("change", [nothing, first_layer_says_all])
def test_h5_files_of_keras_2(change: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    path = with_config(DIGITS, tmp_path / "a.h5", change)
    with pytest.raises(Exception, match=r"Unrecognized|pop"):
        keras.models.load_model(path, compile=False)  # or there would be nothing to change
    network = read_network(path)
    assert (network.version, network.input_shape) == ("2.15.0", (28, 28, 1))
    assert {"groups", "batch_input_shape"} <= set(network.changed)
    shown, expected = answers("digits")
    assert np.asarray(network.call(shown[..., None])) == pytest.approx(expected, abs=1e-4)


def test_keras_files_of_keras_2_take_any_number_of_pictures() -> None:
    with pytest.raises(Exception, match=r"keras\.src\.engine"):
        keras.models.load_model(LETTERS, compile=False)
    network = read_network(LETTERS)
    shown, expected = answers("letters")
    stored = shown.transpose(0, 2, 1)[..., None] * 255
    assert np.asarray(network.call(stored[:13])) == pytest.approx(expected[:13], abs=1e-3)


def name_weights(group: h5py.Group, between: str) -> list[tuple[str, h5py.Group]]:
    """Return the path and content of every layer's group, as Keras 2.13 called them."""
    found, counts = [], Counter[str]()
    for name in sorted(group.get("layers", ()), key=lambda name: int(re.sub(r"^.*?(_(\d+))?$", r"0\2", name))):
        inner = group["layers"][name]
        kind = re.sub(r"_\d+$", "", name)
        path = f"_layer_checkpoint_dependencies{between}{kind}" + (f"_{counts[kind]}" if counts[kind] else "")
        below = name_weights(inner, between)
        counts[kind] += 2 if len(inner["vars"]) or below else 1
        found += [(path, inner), *((f"{path}{between}{rest}", deep) for rest, deep in below)]
    return found


def as_keras_2_13(path: Path, copy: Path, between: str) -> None:
    """Copy a .keras file with its weights as Keras 2.13 arranged them."""
    with ZipFile(path) as archive, ZipFile(copy, "w") as new:
        old = io.BytesIO()
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as now, h5py.File(old, "w") as then:
            then.create_group("vars")
            for name, group in name_weights(now, between):
                now.copy(group["vars"], then.require_group(name), "vars")
        new.writestr("config.json", archive.read("config.json"))
        new.writestr("metadata.json", json.dumps({"keras_version": "2.13.1"}))
        new.writestr("model.weights.h5", old.getvalue())


@pytest.mark.parametrize("between", ["/", "\\"])
def test_weights_of_keras_2_13(between: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    pictures = keras.Input((28, 28))
    inner = keras.Sequential([keras.Input((784,)), layers.Dense(9), layers.Dropout(0.5), layers.Dense(8)])
    x = layers.Dense(7)(layers.Dropout(0.5)(inner(layers.Flatten()(pictures))))
    network = keras.Model(pictures, layers.Dense(10)(layers.Dropout(0.5)(layers.Dense(6)(x))))
    network.save(tmp_path / "now.keras")
    as_keras_2_13(tmp_path / "now.keras", tmp_path / "then.keras", between)
    with pytest.raises(ValueError, match=r"was never built|expected \d+ variables"):
        keras.models.load_model(tmp_path / "then.keras", compile=False)  # or there would be nothing to change
    found = read_network(tmp_path / "then.keras")
    assert "names of weights" in found.changed
    shown, _ = answers("digits")
    assert np.asarray(found.call(shown)) == pytest.approx(network.predict(shown, verbose=0), abs=1e-5)


@pytest.mark.shared
def test_a_file_of_keras_2_13(data: Path) -> None:
    path = data / "cases" / "keras-2.13" / "tiny_unix.keras"
    found = read_network(path)
    assert (found.version, "names of weights" in found.changed) == ("2.13.1", True)
    shown, _ = answers("digits")
    expected = shown.reshape(len(shown), -1)
    with ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
        for name in ("dense", "dense_2", "dense_4"):
            kernel, bias = (weights[f"_layer_checkpoint_dependencies/{name}/vars/{i}"][()] for i in (0, 1))
            expected = expected @ kernel + bias
            expected = softmax(expected) if name == "dense_4" else np.maximum(expected, 0)
    assert np.asarray(found.call(shown)) == pytest.approx(expected, abs=1e-5)


def change_recurrent(**settings: object) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        for layer in legacy_keras.layers_of(config):
            if layer["class_name"] == "LSTM":
                layer["config"] |= settings

    return change


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_settings_that_are_gone(suffix: str, tmp_path: Path) -> None:
    network = keras.Sequential([keras.Input((28, 28)), layers.Bidirectional(layers.LSTM(4)), layers.Dense(10)])
    network.save(tmp_path / f"a{suffix}")
    old = with_config(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}", change_recurrent(time_major=False))
    found = read_network(old)
    assert "time_major" in found.changed
    shown, _ = answers("digits")
    assert np.asarray(found.call(shown)) == pytest.approx(network.predict(shown, verbose=0), abs=1e-5)
    other = with_config(tmp_path / f"a{suffix}", tmp_path / f"c{suffix}", change_recurrent(time_major=True))
    with pytest.raises(ModelError, match="time_major"):  # which would compute something else without it
        read_network(other)


def test_networks_within_networks(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(2, 3), layers.BatchNormalization()], name="base")
    pictures = keras.Input((28, 28, 1), name="pictures")
    flat = layers.Flatten(name="flat")(inner(pictures))
    network = keras.Model(pictures, layers.Dense(10, name="dense")(flat))
    network.save(tmp_path / "a.h5")

    def as_keras_2(config: dict[str, Any]) -> None:
        by_name = {layer["name"]: layer for layer in config["config"]["layers"]}
        for name, source, call in (("base", "pictures", 0), ("flat", "base", 1), ("dense", "flat", 0)):
            by_name[name]["inbound_nodes"] = [[[source, call, 0, {}]]]
        config["config"]["output_layers"] = [["dense", 0, 0]]
        first = by_name["base"]["config"]["layers"].pop(0)
        by_name["base"]["config"]["layers"][0]["config"]["batch_input_shape"] = first["config"]["batch_shape"]

    old = with_config(tmp_path / "a.h5", tmp_path / "b.h5", as_keras_2)
    with pytest.raises(ValueError, match="Kernel shape"):
        keras.models.load_model(old, compile=False)
    shown, _ = answers("digits")
    expected = network.predict(shown[..., None], verbose=0)
    assert np.asarray(read_network(old).call(shown[..., None])) == pytest.approx(expected, abs=1e-5)


def test_layers_that_are_gone() -> None:
    layer = {
        "class_name": "ThresholdedReLU",
        "config": {"name": "t", "trainable": True, "dtype": "float32", "theta": 0.4},
    }
    mixed = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    dense = {"class_name": "Dense", "config": {"name": "d", "units": 2, "dtype": mixed}}
    network = {"class_name": "Sequential", "config": {"name": "s", "layers": [layer, dense]}}
    assert legacy_keras.find_code(network) is None
    assert legacy_keras.repair(network) == ["ThresholdedReLU", "dtype"]
    made = getattr(layers, str(layer["class_name"])).from_config(layer["config"])
    assert made(np.array([[0.3, 0.5, -1, 2]], np.float32)).numpy().tolist() == [[0, 0.5, 0, 2]]
    assert dense["config"]["dtype"] == "float32"  # type: ignore[index]


ODDS: dict[str, str] = {
    "ours.csv": "",
    "label_mapping.csv": "id,label\n" + "".join(f"{i},{c}\n" for i, c in enumerate(BALANCED)),
    "other_way.csv": "character;class\n" + "".join(f"{c};{i}\n" for i, c in enumerate(BALANCED)),
    "label_is_the_id.csv": "label,character\n" + "".join(f"{i},{c}\n" for i, c in enumerate(BALANCED)),
    "pandas.csv": ",ascii\n" + "".join(f"{i},{ord(c)}\n" for i, c in enumerate(BALANCED)),
    "no_header.csv": "".join(f"{i},{c}\n" for i, c in enumerate(BALANCED)),
    "emnist-balanced-mapping.txt": "".join(f"{i} {ord(c)}\n" for i, c in enumerate(BALANCED)),
    "tab.tsv": "".join(f"{i}\t{c}\n" for i, c in enumerate(BALANCED)),
    "lines.txt": "\n".join(BALANCED),
    "column.csv": "label\n" + "\n".join(BALANCED),
    "list.json": json.dumps(list(BALANCED)),
    "by_id.json": json.dumps(dict(enumerate(BALANCED))),
    "class_indices.json": json.dumps({c: i for i, c in enumerate(BALANCED)}),
    "bom.csv": "\ufeffid,label\r\n" + "".join(f"{i},{c}\r\n" for i, c in enumerate(BALANCED)),
}


@pytest.mark.parametrize("name", ODDS)
def test_label_files(name: str, emnist: Emnist, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(ODDS[name].encode())
    if name == "ours.csv":
        emnist("labels", "--split", "balanced", "--output", path)
    labels = read_labels(path)
    assert "".join(text[0] for text in labels.characters) == BALANCED
    assert labels.first_id == 0
    naming = name_outputs(47, labels, None)
    assert (naming.split, naming.first) == ("balanced", 0)
    assert naming.classes == tuple(c.characters for c in SPLITS["balanced"].classes)


def test_label_files_of_letters(tmp_path: Path) -> None:
    path = tmp_path / "emnist-letters-mapping.txt"
    path.write_text("".join(f"{i + 1} {65 + i} {97 + i}\n" for i in range(26)))
    labels = read_labels(path)
    assert (labels.characters[2], labels.first_id) == ("Cc", 1)
    assert [name_outputs(count, labels, None).first for count in (26, 27)] == [0, 1]
    assert name_outputs(27, labels, None).split == "letters"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is empty"),
        ("id,label\n0,A\n2,B\n", "none of its columns counts from 0 or 1|without a gap"),
        ("id,label\n0,A\n1,B,C\n", "its rows are of different lengths"),
        ("0,zero\n1,one\n", "no column with a character in each row"),
        ("A\nBC\n", "'BC' is not one character"),
        ("{}", "Received: none"),
        ('{"a": "b"}', "its keys are no class ids"),
        ("[1, 2", "Expecting"),
        ("file,label\na.png,A\nb.png,B\n", "none of its columns counts"),
    ],
)
def test_label_files_that_are_none(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=said):
        read_labels(path)


@pytest.mark.parametrize(
    ("count", "split", "classes", "first"),
    [
        (62, "byclass", 62, 0), (47, "balanced", 47, 0), (26, "letters", 26, 0), (10, "digits", 10, 0),
        (27, "letters", 26, 1), (37, "letters", 26, 1), (36, "custom", 36, 0),
    ],
)  # fmt: skip
def test_outputs_by_their_number(count: int, split: str, classes: int, first: int) -> None:
    naming = name_outputs(count, None, None)
    assert (naming.split, len(naming.classes), naming.first) == (split, classes, first)
    assert bool(naming.note) == (count in (27, 36, 37))


def test_outputs_by_a_split_or_a_file() -> None:
    assert name_outputs(47, None, "bymerge").split == "bymerge"
    assert name_outputs(37, None, "letters").first == 1
    with pytest.raises(ModelError, match="mnist has 10 classes, the network has 26 outputs"):
        name_outputs(26, None, "mnist")
    with pytest.raises(ModelError, match=r"labels.csv names 48 classes, the network has 62 outputs"):
        name_outputs(62, Labels("labels.csv", ("A",) * 48, 0), None)


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((28, 28, 1), (28, 28, 1, False)), ((28, 28), (28, 28, 1, False)), ((784,), (28, 28, 1, False)),
        ((1, 28, 28), (28, 28, 1, True)), ((3, 64, 64), (64, 64, 3, True)), ((32, 32, 3), (32, 32, 3, False)),
        ((None, None, 1), (28, 28, 1, False)), ((784, 1), (28, 28, 1, False)), ((1, 784), (28, 28, 1, False)),
    ],
)  # fmt: skip
def test_where_a_picture_goes(shape: tuple[int | None, ...], found: tuple[int, int, int, bool]) -> None:
    assert adapter.find_picture(shape, 28)[1:] == found


@pytest.mark.parametrize("shape", [(13,), (785,), (28, 28, 4), (2, 2, 1), (4, 28, 28, 1), ()])
def test_where_none_goes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="which is none of a picture"):
        adapter.find_picture(shape, 28)


def test_ways() -> None:
    pictures = np.zeros((1, 28, 28), np.float32)
    pictures[0, 2, 20] = 1
    given = importer.as_meant(pictures, Interpretation(transposed=True, inverted=True, pixels="-1..1"))
    assert (given[0, 20, 2], given[0, 2, 20]) == (-1, 1)
    assert importer.as_meant(pictures, Interpretation(pixels="0..255")).max() == 255
    assert Interpretation(True, True, "0..255").options == "--transposed --inverted --pixels 0..255"
    assert Interpretation().options == ""


def test_what_outputs_are() -> None:
    logits = np.random.default_rng(1).normal(0, 3, (20, 10)).astype(np.float32)
    powers = np.exp(logits)
    assert output_kinds.tell_outputs(powers / powers.sum(axis=1, keepdims=True)) == output_kinds.PROBABILITIES
    assert output_kinds.tell_outputs(logits) == output_kinds.LOGITS
    assert output_kinds.tell_outputs(powers / (1 + powers)) == output_kinds.SCORES


def test_names_after_files() -> None:
    assert name_of_model(Path("My best model (3).h5")) == "My-best-model-3"
    assert name_of_model(Path("models/..h5")) == "imported"
