"""What a file without a manifest answers becomes probabilities, or the file is refused."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

import keras  # noqa: E402
from keras import layers  # noqa: E402

from emnist_cli.core import bundle  # noqa: E402
from emnist_cli.core.classify.classifier import Classifier  # noqa: E402
from emnist_cli.core.classify.recognizer import Recognizer  # noqa: E402
from emnist_cli.core.errors import ModelError  # noqa: E402
from emnist_cli.core.model_export import to_litert  # noqa: E402
from emnist_cli.core.model_export.exporter import export_model  # noqa: E402
from emnist_cli.core.runtimes.output_kinds import NormalizedRuntime, to_probabilities  # noqa: E402
from emnist_cli.web.site import export_site  # noqa: E402
from tests.keras_files import flat, softmax  # noqa: E402
from tests.small_data import pictures  # noqa: E402

ACTIVATIONS = (None, "softmax", "sigmoid", "log_softmax")


@pytest.fixture(scope="module")
def shown() -> NDArray[np.float32]:
    return pictures("Ag7", "test").images / np.float32(255)


@pytest.fixture(scope="module", params=ACTIVATIONS)
def network(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(1)
    return flat(10, (28, 28, 1), request.param)


def probabilities(network: keras.Model, shown: NDArray[np.float32]) -> NDArray[np.float32]:
    answers: NDArray[np.float32] = network.predict(shown[..., None], verbose=0)
    activation = network.layers[-1].activation.__name__
    return softmax(answers) if activation in {"linear", "log_softmax"} else answers / answers.sum(axis=1, keepdims=True)


def write(network: keras.Model, path: Path) -> Path:
    if path.suffix == ".tflite":
        path.write_bytes(to_litert.to_litert(network))
    elif path.suffix == ".onnx":
        shape = keras.InputSpec("float32", (None, 28, 28, 1))
        network.export(path, format="onnx", verbose=False, input_signature=[shape])
    else:
        network.save(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tflite", ".keras", ".onnx"])
def test_a_bare_file(suffix: str, network: keras.Model, shown: NDArray[np.float32], tmp_path: Path) -> None:
    path = write(network, tmp_path / f"mine{suffix}")
    expected = probabilities(network, shown)
    assert np.ptp(expected) > 0.1, "they are not uniform"
    recognizer = Recognizer(path)
    assert recognizer.probabilities(shown) == pytest.approx(expected, abs=1e-5)
    assert recognizer.probabilities(shown[:1]) == pytest.approx(expected[:1], abs=1e-5)
    assert Classifier(path).probabilities(shown) == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_what_is_exported_gives_probabilities(network: keras.Model, shown: NDArray[np.float32], tmp_path: Path) -> None:
    source = bundle.find_bundle(write(network, tmp_path / "mine.keras"))
    exported = export_model(source, "keras", tmp_path / "theirs.keras")
    expected = probabilities(network, shown)
    answers = keras.models.load_model(exported.path).predict(shown[..., None], verbose=0)
    assert answers == pytest.approx(expected, abs=1e-5)
    assert Recognizer(exported.path).probabilities(shown) == pytest.approx(expected, abs=1e-5)


def test_outputs_that_are_no_numbers(tmp_path: Path) -> None:
    lost = layers.Rescaling(float("inf"))
    broken = keras.Sequential([keras.Input((28, 28, 1)), lost, layers.Flatten(), layers.Dense(10)])
    path = write(broken, tmp_path / "broken.tflite")
    with pytest.raises(ModelError, match=r"broken\.tflite: its outputs are no numbers \(nan or infinite\)"):
        Recognizer(path)


def test_the_page_takes_probabilities_only(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "@litertjs" / "core"
    path = write(flat(10, (28, 28, 1), None), tmp_path / "logits.tflite")
    from emnist_cli.web import site

    (package / "wasm").mkdir(parents=True)
    (package / "package.json").write_text(f'{{"version": "{site.VERSION}"}}')
    for name in site._LIBRARY:
        (package / "wasm" / name).write_text("")
    with pytest.raises(ModelError, match=r"logits\.tflite: gives logits, and the page needs probabilities; import the"):
        export_site(bundle.find_bundle(path), tmp_path / "page", tmp_path)
    assert not (tmp_path / "page").exists()


class Giving:
    """A network that gives what it is told."""

    class_count = 3

    def __init__(self, row: list[float]) -> None:
        self.row = row

    def run(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.full((len(pictures), 3), self.row, np.float32)


def test_logits_are_not_uniform_and_what_turns_to_nan_is_refused() -> None:
    giving = Giving([-9.0, -1.0, -5.0])
    runtime = NormalizedRuntime(giving)
    empty = np.zeros((1, 28, 28), np.float32)
    assert runtime.run(empty)[0] == pytest.approx(softmax(np.float32([[-9, -1, -5]]))[0])
    giving.row = [0.0, float("nan"), 1.0]
    with pytest.raises(ModelError, match="no numbers"):
        runtime.run(empty)
    assert to_probabilities(np.zeros((1, 3), np.float32), "scores").tolist() == [[0, 0, 0]]
