"""A network comes back out of its LiteRT file, and can be trained on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # TensorFlow's own

import keras  # noqa: E402

from emnist_cli.core import bundle  # noqa: E402
from emnist_cli.core.errors import ModelError  # noqa: E402
from emnist_cli.core.model_export import to_litert  # noqa: E402
from emnist_cli.core.model_export.recover import recover  # noqa: E402
from emnist_cli.core.runtimes.litert import LiteRtRuntime  # noqa: E402
from tests.small_data import pictures  # noqa: E402


@pytest.mark.parametrize(
    ("arch", "weights", "apart"), [("default", "float32", 1e-3), ("classic", "float16", 5e-3), ("lenet5", "int8", 0.08)]
)
def test_a_network_comes_back_and_answers_alike(
    three_classes: Callable[[str], Path], arch: str, weights: to_litert.Weights, apart: float, tmp_path: Path
) -> None:
    """Each kind of weights once, with batch norm and without; the starter, below, has 8 bits and batch norm."""
    trained = keras.models.load_model(three_classes(arch))
    graph = tmp_path / "model.tflite"
    graph.write_bytes(to_litert.to_litert(trained, weights))
    shown = pictures("Ag7", "train").images / np.float32(255)
    again = recover(graph, trained.name, 3, shown)
    others = pictures("Ag7", "test").images / np.float32(255)
    expected = trained.predict(others[..., None], verbose=0)
    assert np.abs(again.predict(others[..., None], verbose=0) - expected).max() < apart
    assert again.count_params() == trained.count_params()


def test_what_comes_back_can_be_trained_on(tmp_path: Path) -> None:
    # Norms that were only set to do nothing would make another network of it in training.
    shown = pictures("Ag7", "train").images / np.float32(255)
    starter = bundle.find_bundle()
    assert starter.manifest is not None
    again = recover(starter.graph, str(starter.manifest.training["arch"]), len(starter.manifest.classes), shown)
    for layer in again.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0
    in_training = np.asarray(again(shown[..., None], training=True))
    assert (in_training.argmax(1) == LiteRtRuntime(starter.graph).run(shown).argmax(1)).mean() > 0.9


@pytest.mark.parametrize(("arch", "classes"), [("mnist", 62), ("classic", 10), ("vgg5", 62)])
def test_another_network_is_refused(arch: str, classes: int) -> None:
    with pytest.raises(ModelError, match=f"no network '{arch}' for {classes} classes"):
        recover(bundle.find_bundle().graph, arch, classes, np.zeros((8, 28, 28), np.float32))
