"""`emnist models import` of what is no such network, or cannot be meant: one line, and nothing is left behind."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

import keras  # noqa: E402
from keras import layers  # noqa: E402

from emnist_cli.core.platform import tensorflow  # noqa: E402
from tests.conftest import Emnist  # noqa: E402
from tests.keras_files import DIGITS, flat, with_config  # noqa: E402
from tests.test_startup import HEAVY, run  # noqa: E402


class Own(layers.Layer):  # type: ignore[misc]
    """A layer as projects write them."""

    def call(self, x: Any) -> Any:
        return x * 2


def write_lambda(path: Path) -> None:
    danger = layers.Lambda(lambda x: x / 255, name="lambda")
    keras.Sequential([keras.Input((28, 28, 1)), danger, layers.Flatten(), layers.Dense(10)]).save(path)


def write_own(path: Path) -> None:
    keras.Sequential([keras.Input((28, 28, 1)), Own(), layers.Flatten(), layers.Dense(10)]).save(path)


def write_operation(path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][3]["class_name"] = "TFOpLambda"

    with_config(DIGITS, path, change)


def write_saved_model_within(path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][3] |= {"class_name": "TFSMLayer", "config": {"name": "far", "filepath": "elsewhere"}}

    with_config(DIGITS, path, change)


def write_keras_1(path: Path) -> None:
    path.write_bytes(DIGITS.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["keras_version"] = "1.2.2"


def write_two_inputs(path: Path) -> None:
    a, b = keras.Input((28, 28, 1)), keras.Input((3,))
    joined = layers.Concatenate()([layers.Flatten()(a), b])
    keras.Model([a, b], layers.Dense(10)(joined)).save(path)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "lambda.h5": (write_lambda, "its layer 'lambda' is Python code (Lambda), which is never run from a file; in the"),
    "lambda.keras": (write_lambda, "its layer 'lambda"),
    "own.keras": (write_own, "is of a class of its own, Own, whose code the file does not have; in the project"),
    "operation.h5": (write_operation, "is an operation of TensorFlow's (TFOpLambda), which Keras no longer reads"),
    "within.h5": (write_saved_model_within, "its layer 'far' is a SavedModel in another folder, whose graph can run"),
    "one.h5": (write_keras_1, "Keras 1.2.2 wrote it; load it in Keras 2 and write it again"),
    "two.keras": (write_two_inputs, "expected one input and one output. Received: 2 and 1"),
    "weights.h5": (lambda path: flat(10, (784,), None).save_weights(path.with_name("x.weights.h5"))
                   or path.with_name("x.weights.h5").rename(path), "has weights alone, as save_weights() writes them"),
    "count.keras": (lambda path: flat(48, (784,), None).save(path), "the network has 48 outputs; expected 62, 47, 26"),
    "tabular.keras": (lambda path: flat(10, (13,), None).save(path), "its input has the shape (13,), which is none of"),
    "nan.keras": (lambda path: keras.Sequential([keras.Input((784,)), layers.Rescaling(float("inf")),
                                                 layers.Dense(10)]).save(path), "its outputs are no numbers"),
    "short.h5": (lambda path: path.write_bytes(DIGITS.read_bytes()[:9000]), "cannot read it ("),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_network(name: str, emnist: Emnist, tmp_path: Path) -> None:
    write, said = REFUSED[name]
    write(tmp_path / name)
    result = emnist("models", "import", tmp_path / name, "--out", tmp_path / "out")
    assert (result.code, result.out) == (4, ""), result
    assert result.err.startswith(f"emnist: {tmp_path / name}: ")
    assert said in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "options", "code", "said"),
    [
        ("page.h5", b"\n<!DOCTYPE html><html>", [], 4, "Received: a web page, not the file that it is about"),
        ("lfs.h5", b"version https://git-lfs.github.com/spec/v1\noid", [], 4, "Received: a Git LFS pointer"),
        ("model.json", b'{"class_name": "Sequential"}', [], 4, "a description of layers without weights"),
        ("a.tflite", b"\x1c\0\0\0TFL3", [], 4, "is no Keras model but one for a runtime; --model takes it as it is"),
        ("a.pkl", b"\x80\x04\x95", [], 4, "Received: a Python pickle, which is never loaded"),
        ("a.h5", b"", [], 4, "Received: empty"),
        ("a.keras", b"PK\x03\x04 and so on", [], 4, "damaged or cut short"),
        ("none.h5", None, [], 4, "none.h5: cannot be read (No such file or directory)"),
        ("empty", None, [], 4, "empty: has no saved_model.pb"),
        ("digits.h5", ..., ["--split", "digitz"], 2, "no EMNIST split is called 'digitz'; did you mean digits?"),
        ("digits.h5", ..., ["--labels", "none.csv"], 2, "--labels: none.csv cannot be read"),
        ("digits.h5", ..., ["--labels", "none.csv", "--split", "digits"], 2, "say one of the two"),
        ("digits.h5", ..., ["--pixels", "0..1000"], 2, "--pixels: "),
        ("digits.h5", ..., ["--name", "a/b"], 2, "--name: expected a plain name"),
        ("starter.h5", ..., [], 2, "--name: 'starter' is a model of the package"),
        ("digits.h5", ..., ["--out", "there"], 2, "expected a new folder, an empty one or an earlier model"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    name: str,
    content: Any,
    options: list[str],
    code: int,
    said: str,
    emnist: Emnist,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tensorflow, "load_tensorflow", lambda: pytest.fail("TensorFlow is started"))
    for folder in ("empty", "there"):
        (tmp_path / folder).mkdir()
    (tmp_path / "there" / "thesis.txt").write_text("")
    if content is ...:
        shutil.copyfile(DIGITS, tmp_path / name)
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    result = emnist("models", "import", name, *options)
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert said in result.err


def test_nothing_heavy_is_loaded_before(tmp_path: Path) -> None:
    (tmp_path / "page.h5").write_text("<html>")
    code, _, err = run(["models", "import", str(tmp_path / "page.h5")])
    assert code == 4
    assert not [module for module in HEAVY if f"'{module}'" in err.split("LOADED")[1]]


def test_tensorflow_is_not_installed(tmp_path: Path) -> None:
    code, out, err = run(["models", "import", str(DIGITS), "--out", str(tmp_path / "a")], ("tensorflow",))
    assert (code, out) == (6, "")
    assert err.startswith("emnist: tensorflow is not installed; run: pip install tensorflow\n")
    assert not (tmp_path / "a").exists()


def test_a_split_of_another_size(emnist: Emnist, tmp_path: Path) -> None:
    result = emnist("models", "import", DIGITS, "--split", "balanced", "--out", tmp_path / "a")
    assert result.code == 4
    assert "balanced has 47 classes, the network has 10 outputs" in result.err
