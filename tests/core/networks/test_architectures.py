"""Every architecture is what it says, and what it becomes on its way into LiteRT answers alike."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

import keras  # noqa: E402

from emnist_cli.core.config import ARCHITECTURES  # noqa: E402
from emnist_cli.core.errors import ModelError, UsageError  # noqa: E402
from emnist_cli.core.model_export import to_litert  # noqa: E402
from emnist_cli.core.networks import architectures  # noqa: E402
from emnist_cli.core.runtimes.litert import LiteRtRuntime  # noqa: E402
from tests.small_data import pictures  # noqa: E402

WEIGHTS = {
    "default": 681_167,
    "classic": 400_591,
    "compact": 1_204_655,
    "twolayer": 94_063,
    "mnist": 344_711,
    "lenet5": 64_851,
    "vgg5": 3_669_999,
}
"""With 47 classes, the statistics of batch norm included."""


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_architecture_exports_to_plain_litert_and_agrees(arch: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    network = architectures.build(arch, 47)
    assert network.count_params() == WEIGHTS[arch]
    assert network.output_shape == (None, 47)
    graph = tmp_path / "model.tflite"
    graph.write_bytes(to_litert.to_litert(network))
    batch = pictures("A", "train").images[:7] / np.float32(255)
    probabilities = LiteRtRuntime(graph, batch_size=5).run(batch)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert to_litert.check_agreement(network, probabilities, batch) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "size", "apart"), [("float16", 0.51, 0.005), ("int8", 0.27, 0.05)])
def test_quantized_weights_are_smaller_and_answer_nearly_alike(
    three_classes: Callable[[str], Path], weights: to_litert.Weights, size: float, apart: float, tmp_path: Path
) -> None:
    trained = keras.models.load_model(three_classes("classic"))
    whole, graph = to_litert.to_litert(trained), tmp_path / "model.tflite"
    graph.write_bytes(to_litert.to_litert(trained, weights))
    assert graph.stat().st_size < size * len(whole)
    batch = pictures("Ag7", "test").images / np.float32(255)
    runtime = LiteRtRuntime(graph, batch_size=len(batch))
    answers = runtime.run(batch)
    assert to_litert.check_agreement(trained, answers, batch, most=apart) > 0
    # What the others in a batch are is nothing to a picture.
    alone = np.concatenate([runtime.run(picture[None]) for picture in batch])
    assert np.abs(alone - answers).max() < 1e-5


def test_an_export_that_disagrees_is_refused() -> None:
    keras.utils.set_random_seed(1)
    network = architectures.build("lenet5", 10)
    batch = pictures("AB", "train").images / np.float32(255)
    other = np.roll(network.predict(batch[..., None], verbose=0), 1, axis=1)
    with pytest.raises(ModelError, match="disagrees"):
        to_litert.check_agreement(network, other, batch)


def test_every_architecture_is_listed_once() -> None:
    assert set(ARCHITECTURES) == set(WEIGHTS)


def test_classic_is_what_small_projects_describe() -> None:
    network = architectures.build("classic", 62)
    assert network.count_params() == 404_446
    assert [layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2D)] == [32, 64, 128]


def test_batch_norm_forgets_quickly_enough_for_short_runs() -> None:
    layers = [layer for arch in ARCHITECTURES for layer in architectures.build(arch, 10).layers]
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert norms
    assert {layer.momentum for layer in norms} == {0.9}


def test_a_new_head_keeps_what_was_learned() -> None:
    old = architectures.build("lenet5", 10)
    new = architectures.rebuild_head(old, 3)
    assert new.output_shape == (None, 3)
    assert all(np.array_equal(a, b) for a, b in zip(old.get_weights()[:-2], new.get_weights()[:-2], strict=True))


def test_an_unknown_architecture() -> None:
    with pytest.raises(UsageError, match="--arch: no architecture is called 'clasic'; did you mean classic"):
        architectures.build("clasic", 10)
