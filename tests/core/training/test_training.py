"""The training half, for real but small: it learns, repeats itself, and its export answers as it does."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emnist_cli.core.config import TrainConfig
from emnist_cli.core.errors import ModelError, UsageError
from emnist_cli.core.inference.preprocess import preprocess
from emnist_cli.core.inference.runtime import Runtime
from emnist_cli.core.records import Epoch
from tests import golden

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

keras = pytest.importorskip("keras", reason="training needs TensorFlow, which is not installed")

from emnist_cli.core.training import export, model, trainer  # noqa: E402

CONFIG = TrainConfig(epochs=12, batch_size=16, seed=3, augment=False)


@pytest.fixture(scope="module")
def pictures() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Four characters by three donors with four pens, in EMNIST's form."""
    found, labels = [], []
    for label, character in enumerate("OLVX"):
        for donor in range(3):
            for pen in (0.04, 0.06, 0.08, 0.1):
                picture = preprocess(golden.grey(character, donor, pen=pen))
                assert picture is not None
                found.append((picture * 255).astype(np.uint8))
                labels.append(label)
    return np.stack(found), np.array(labels, np.int64)


def train(pictures: tuple[NDArray[np.uint8], NDArray[np.int64]], config: TrainConfig, **how: object) -> keras.Model:
    keras.utils.set_random_seed(config.seed)
    network = model.build(config.arch, 4)
    trainer.train(network, *pictures, config, **how)  # type: ignore[arg-type]
    return network


def test_classic_is_what_small_projects_describe() -> None:
    network = model.build("classic", 62)
    assert network.count_params() == 404_446
    assert [layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2D)] == [32, 64, 128]
    assert network.output_shape == (None, 62)
    with pytest.raises(UsageError, match="--arch: expected one of classic"):
        model.build("nosuch", 10)


def test_it_learns_reports_and_leaves_a_checkpoint(
    pictures: tuple[NDArray[np.uint8], NDArray[np.int64]], tmp_path: Path
) -> None:
    epochs: list[Epoch] = []
    network = train(pictures, CONFIG, checkpoint=tmp_path / "last.weights.h5", on_epoch=epochs.append)
    assert [epoch.number for epoch in epochs] == list(range(1, 13))
    assert epochs[-1].accuracy > 0.95
    assert epochs[-1].loss < epochs[0].loss
    again = model.build("classic", 4)
    again.load_weights(tmp_path / "last.weights.h5")
    batch = pictures[0][:8, ..., None] / np.float32(255)
    assert np.allclose(again.predict(batch, verbose=0), network.predict(batch, verbose=0))


@pytest.mark.parametrize("augment", [False, True])
def test_the_same_seed_gives_the_same_network(
    pictures: tuple[NDArray[np.uint8], NDArray[np.int64]], augment: bool
) -> None:
    config = TrainConfig(epochs=2, batch_size=16, seed=5, augment=augment)
    first, second = (train(pictures, config).get_weights() for _ in range(2))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(first, second, strict=True))


def test_augmentation_varies_but_stays_a_picture(pictures: tuple[NDArray[np.uint8], NDArray[np.int64]]) -> None:
    import tensorflow as tf

    from emnist_cli.core.training.augment import augment

    batch = tf.constant(pictures[0][..., None] / np.float32(255))
    one, same, other = (augment(batch, tf.constant(seed)).numpy() for seed in ([1, 2], [1, 2], [1, 3]))
    assert np.array_equal(one, same)
    assert np.abs(one - other).mean() > 0.01
    assert one.shape == batch.shape
    assert 0 <= one.min() <= one.max() <= 1
    ink = one.sum(axis=(1, 2, 3)) / batch.numpy().sum(axis=(1, 2, 3))
    assert 0.3 < ink.min() < ink.max() < 4, "the character is still there, and not all is ink"


def test_the_export_agrees_and_takes_any_batch(
    pictures: tuple[NDArray[np.uint8], NDArray[np.int64]], tmp_path: Path
) -> None:
    network = train(pictures, TrainConfig(epochs=1, batch_size=16, augment=False))
    graph = tmp_path / "model.tflite"
    graph.write_bytes(export.to_litert(network))
    batch = pictures[0] / np.float32(255)
    probabilities = Runtime(graph, batch_size=5).run(batch)
    assert export.check_agreement(network, probabilities, batch) < 1e-4
    with pytest.raises(ModelError, match="disagrees"):
        export.check_agreement(network, np.roll(probabilities, 1, axis=1), batch)
