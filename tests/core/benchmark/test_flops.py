from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # TensorFlow's own

import keras  # noqa: E402
from keras import layers  # noqa: E402

from emnist_cli.core import bundle  # noqa: E402
from emnist_cli.core.benchmark.flops import Graph, inspect  # noqa: E402
from emnist_cli.core.model_export import to_litert  # noqa: E402


@pytest.mark.parametrize("weights", ["float32", "float16"])
def test_a_small_graph_counted_by_hand(weights: to_litert.Weights, tmp_path: Path) -> None:
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(3, 5, strides=2, activation="relu"),  # 12 x 12 x 3 of 5 x 5 x 1
            layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),  # 12 x 12 x 6 of 3 x 3
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),  # 4 of 6
        ]
    )
    graph = tmp_path / "small.tflite"
    graph.write_bytes(to_litert.to_litert(network, weights))
    assert inspect(graph) == Graph(2 * (12 * 12 * 3 * 25 + 12 * 12 * 6 * 9 + 4 * 6), weights)


def test_products_of_another_kind_are_not_guessed(tmp_path: Path) -> None:
    pictures = keras.Input((28, 28, 1))
    rows = layers.Reshape((28, 28))(pictures)
    product = layers.Dot(axes=(2, 1))([rows, rows])
    answers = layers.Dense(4, activation="softmax")(layers.Flatten()(product))
    graph = tmp_path / "other.tflite"
    graph.write_bytes(to_litert.to_litert(keras.Model(pictures, answers)))
    assert inspect(graph).flops is None


def test_the_starter_counted_by_hand() -> None:
    adds = 28 * 28 * 32 * 9 * 1 + 14 * 14 * 48 * 9 * (32 + 48) + 7 * 7 * 96 * 9 * (48 + 96) + 3 * 3 * 160 * 9 * 96
    dense = 3 * 3 * 160 * 256 + 256 * 62
    assert inspect(bundle.find_bundle().graph) == Graph(2 * (adds + dense), "int8")
