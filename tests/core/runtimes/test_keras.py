"""TensorFlow runs .keras files and SavedModels, in any batch and from any thread; what is none is one clear error."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

import keras  # noqa: E402

from emnist_cli.core.errors import MissingError, ModelError  # noqa: E402
from emnist_cli.core.networks import architectures  # noqa: E402
from emnist_cli.core.runtimes.keras import KerasRuntime  # noqa: E402
from emnist_cli.core.runtimes.open_runtime import open_runtime  # noqa: E402
from tests.small_data import pictures  # noqa: E402


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    return architectures.build("classic", 10)


@pytest.fixture(scope="module")
def written(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    network.save(folder / "net.keras")
    network.export(folder / "net", format="tf_saved_model", verbose=False)
    return folder


@pytest.fixture(params=["net.keras", "net"])
def path(request: pytest.FixtureRequest, written: Path) -> Path:
    return written / str(request.param)


@pytest.fixture(scope="module")
def shown() -> NDArray[np.float32]:
    return pictures("Ag7", "test").images / np.float32(255)


@pytest.mark.slow
def test_it_answers_as_the_network_does(path: Path, network: keras.Model, shown: NDArray[np.float32]) -> None:
    """In batches of 5, of which the last is smaller."""
    runtime = open_runtime(path, 1, 5)
    assert isinstance(runtime, KerasRuntime)
    assert runtime.class_count == 10
    answers = runtime.run(shown)
    assert (answers.shape, answers.dtype) == ((len(shown), 10), np.float32)
    assert np.allclose(answers, network.predict(shown[..., None], verbose=0), atol=1e-5)


@pytest.mark.slow
def test_a_saved_model_by_the_file_within_it(written: Path, shown: NDArray[np.float32]) -> None:
    answers = [open_runtime(written / name, 1, 64).run(shown) for name in ("net", "net/saved_model.pb")]
    assert np.array_equal(*answers)


@pytest.mark.slow
def test_nothing_in_nothing_out(path: Path) -> None:
    assert KerasRuntime(path).run(np.empty((0, 28, 28), np.float32)).shape == (0, 10)


@pytest.mark.slow
def test_threads_share_a_runtime(path: Path, shown: NDArray[np.float32]) -> None:
    runtime = KerasRuntime(path)
    reference = runtime.run(shown)
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(runtime.run, [shown] * 16):
            assert np.allclose(answer, reference, atol=1e-6)


@pytest.mark.parametrize("name", ["bad.keras", "saved_model.pb", "none.keras"])
def test_what_is_no_network(name: str, tmp_path: Path) -> None:
    if name != "none.keras":
        (tmp_path / name).write_bytes(b"not a network")
    with pytest.raises(ModelError, match=rf"{name}: not a network that TensorFlow can run \("):
        KerasRuntime(tmp_path / name)


@pytest.mark.parametrize(
    ("size", "layers"),
    [
        (32, [keras.layers.Flatten(), keras.layers.Dense(10)]),
        (28, [keras.layers.Identity()]),
        (28, [keras.layers.Flatten(), keras.layers.Dense(10, dtype="float16")]),
    ],
)
def test_a_network_of_something_else(size: int, layers: list[keras.Layer], tmp_path: Path) -> None:
    keras.Sequential([keras.Input((size, size, 1)), *layers]).save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=r"expected float32 tensors|not a network that TensorFlow can run"):
        KerasRuntime(tmp_path / "other.keras")


def test_code_within_a_file_is_not_run(tmp_path: Path) -> None:
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()])
    network.save(tmp_path / "lambda.keras")
    with pytest.raises(ModelError, match="arbitrary code execution"):
        KerasRuntime(tmp_path / "lambda.keras")


def test_where_tensorflow_is_not_installed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingError, match="tensorflow is not installed; run: pip install tensorflow"):
        KerasRuntime(path)
