"""`emnist models import` on real files: what Keras 2 wrote, what Keras writes today, and what is neither."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # TensorFlow's own

import keras  # noqa: E402
from keras import layers  # noqa: E402

from emnist_cli.core import bundle  # noqa: E402
from emnist_cli.core.classify.recognizer import Recognizer  # noqa: E402
from tests.conftest import Emnist  # noqa: E402
from tests.handwriting import picture  # noqa: E402
from tests.keras_files import DIGITS, LETTERS, answers, flat, softmax  # noqa: E402
from tests.small_data import pictures  # noqa: E402

FIELDS = ["name", "split", "classes", "bytes", "largest_difference", "drawn_accuracy", "folder"]
AS_TRAINED = ("--transposed", "--pixels", "0..255")


@pytest.fixture
def imported(emnist: Emnist, tmp_path: Path) -> Callable[..., Recognizer]:
    """Imports a file; gives what answers with it."""

    def run_import(path: Path, *options: object) -> Recognizer:
        out = tmp_path / "imported"
        result = emnist("models", "import", path, "--out", out, *options)
        assert result.code == 0, result
        return Recognizer(out)

    return run_import


def test_an_h5_of_keras_2(emnist: Emnist, tmp_path: Path) -> None:
    result = emnist("models", "import", DIGITS)
    folder = bundle.user_folder()
    assert folder is not None
    assert (result.code, result.out) == (0, f"digits\tdigits\t10\t{folder / 'digits'}\n"), result
    assert result.err.splitlines()[-2:] == [
        "emnist: use it: emnist predict --model digits PATH",
        "emnist: score it: emnist evaluate --model digits --split digits",
    ]
    assert "Keras 2.15.0 wrote it; changed to be read by 3." in result.err
    assert "as imported" not in result.err, "pictures go in as it was trained on them"
    shown, expected = answers("digits")
    assert Recognizer("digits").probabilities(shown) == pytest.approx(expected, abs=1e-4)
    picture("4", 1).save(tmp_path / "4.png")
    assert emnist("predict", tmp_path / "4.png", "--model", "digits").out.split("\t")[1] == "4"
    listed = {row["name"]: row for row in csv.DictReader(io.StringIO(emnist("models", "-f", "csv").out))}
    assert (listed["digits"]["split"], listed["digits"]["accuracy"], listed["digits"]["error"]) == ("digits", "", "")
    again = emnist("models", "import", DIGITS)
    assert (again.code, again.out) == (2, "")
    assert "is there already; choose another --name or --out, or replace it: --overwrite" in again.err


def test_a_keras_file_of_keras_2_as_it_was_trained(imported: Callable[..., Recognizer]) -> None:
    recognizer = imported(LETTERS, *AS_TRAINED)
    shown, logits = answers("letters")
    assert recognizer.probabilities(shown) == pytest.approx(softmax(logits[:, 1:]), abs=1e-4)
    drawn = pictures("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "test")
    read = recognizer.probabilities(np.float32(1 / 255) * drawn.images).argmax(axis=1)
    assert (read == drawn.labels).mean() > 0.9
    assert recognizer.labels == tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_how_it_was_trained_is_told(emnist: Emnist, tmp_path: Path) -> None:
    result = emnist("models", "import", LETTERS, "--out", tmp_path / "a", "-f", "json")
    assert result.code == 0, result
    hint = next(line for line in result.err.splitlines() if "as imported" in line)
    here, there = (int(word.rstrip("%")) for word in hint.split() if word.endswith("%"))
    assert here < 15
    assert there > 40
    assert hint.endswith("if it was trained so, import it again with --transposed --pixels 0..255 --overwrite")
    assert json.loads(result.out)[0]["drawn_accuracy"] == pytest.approx(here / 100, abs=0.006), "and not acted on"


def channels_first(units: int) -> keras.Model:
    network = keras.Sequential(
        [
            keras.Input((1, 28, 28)),
            layers.Conv2D(3, 3, data_format="channels_first", activation="relu"),
            layers.MaxPooling2D(4, data_format="channels_first"),
            layers.BatchNormalization(axis=1),
            layers.Flatten(data_format="channels_first"),
            layers.Dense(units, activation="softmax"),
        ]
    )
    network.jit_compile = True  # XLA runs it on any processor
    return network


FORMS: dict[str, tuple[Callable[[], keras.Model], Callable[[NDArray[np.float32]], NDArray[np.float32]]]] = {
    "json": (lambda: flat(47, (784,), None), lambda x: x.reshape(-1, 784)),
    "jsonl": (lambda: channels_first(62), lambda x: x[:, None]),
    "csv": (lambda: flat(36, (28, 28, 3), "softmax"), lambda x: np.stack([x] * 3, axis=-1)),
    "table": (lambda: flat(10, (28, 28), "sigmoid"), lambda x: x),
}
"""Output format -> a network as projects have them, and the pictures as it takes them."""


@pytest.mark.parametrize("form", FORMS)
def test_inputs_outputs_and_formats(form: str, emnist: Emnist, tmp_path: Path) -> None:
    make, fit = FORMS[form]
    keras.utils.set_random_seed(1)
    network = make()
    path = tmp_path / f"my net{'.h5' if form == 'csv' else '.keras'}"
    network.save(path)
    result = emnist("models", "import", path, "--out", tmp_path / "b", "--quiet", "--format", form)
    assert (result.code, result.err) == (0, ""), result
    shown, _ = answers("digits")
    expected = network.predict(fit(shown), verbose=0)
    expected = softmax(expected) if form == "json" else expected / expected.sum(axis=1, keepdims=True)
    recognizer = Recognizer(tmp_path / "b")
    assert recognizer.probabilities(shown) == pytest.approx(expected, abs=1e-4)
    if form == "table":
        assert all(word in result.out for word in ("reads of a font", "digits", str(tmp_path / "b")))
        return
    read: dict[str, Callable[[str], Any]] = {
        "json": lambda text: json.loads(text)[0],
        "jsonl": json.loads,
        "csv": lambda text: next(csv.DictReader(io.StringIO(text))),
    }
    row = read[form](result.out)
    assert list(row) == FIELDS
    split = {"json": "balanced", "jsonl": "byclass", "csv": "custom"}[form]
    assert (row["name"], row["split"], int(row["classes"])) == ("b", split, expected.shape[1])
    files = [file for file in (tmp_path / "b").iterdir() if file.name != "manifest.json"]
    assert int(row["bytes"]) == sum(file.stat().st_size for file in files)


def test_other_labels_and_a_saved_model_of_another_size(emnist: Emnist, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    network = flat(5, (56, 56, 1), "softmax")
    network.export(tmp_path / "saved", verbose=False)
    (tmp_path / "labels.txt").write_text("é\nA\n7\nx\n?\n", encoding="utf-8")
    result = emnist("models", "import", tmp_path / "saved", "--trust", "--labels", tmp_path / "labels.txt")
    assert result.code == 0, result
    assert "score it" not in result.err, "no split of EMNIST has its classes"
    recognizer = Recognizer("saved")
    assert recognizer.labels == ("é", "A", "7", "x", "?")
    shown, _ = answers("digits")
    larger = keras.ops.image.resize(shown[..., None], (56, 56))
    assert recognizer.probabilities(shown) == pytest.approx(network.predict(larger, verbose=0), abs=1e-3)
    refused = emnist("export", "--model", "saved", "--to", "keras", "--out", tmp_path / "a.keras")
    assert (refused.code, "has no model.keras beside it" in refused.err) == (4, True)


def test_export_takes_what_was_imported(imported: Callable[..., Recognizer], emnist: Emnist, tmp_path: Path) -> None:
    recognizer = imported(DIGITS, "--inverted", "--transposed")
    result = emnist("export", "--model", tmp_path / "imported", "--to", "keras", "--out", tmp_path / "a.keras")
    assert result.code == 0, result
    shown, expected = answers("digits")
    theirs = 1 - shown.transpose(0, 2, 1)  # turned and inverted again, it is what the network was trained on
    assert recognizer.probabilities(theirs) == pytest.approx(expected, abs=1e-4)
    assert keras.models.load_model(tmp_path / "a.keras").predict(theirs[..., None], verbose=0) == pytest.approx(
        expected, abs=1e-4
    )
