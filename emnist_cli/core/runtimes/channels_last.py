"""Rewrite channels-first Keras networks so that they run on every processor; export, import and the runtime use it.

TensorFlow convolves and pools such arrays on a CPU only with oneDNN, which it leaves off on processors without AVX-512
or AVX-VNNI, and which some of its builds lack.
"""

from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

_FIRST = "channels_first"


def to_channels_last(network: "keras.Model") -> "keras.Model":
    """Rewrite every channels-first layer of a network: channels move to the end before it and back after it.

    Args:
        network: a Functional or Sequential network, within which there may be others.

    Returns:
        A network that takes and gives the same arrays, with the same weights; `network` itself if it has no such layer.
    """
    import keras

    if not _has_first(network):
        return network
    return keras.models.clone_model(network, clone_function=_rewrite, recursive=True)


def is_channels_first(graph: Any) -> bool:
    """Whether an operation of a TensorFlow graph takes channels first; XLA makes it run on every processor."""
    definition = graph.as_graph_def()
    functions = (function.node_def for function in definition.library.function)
    return any(node.attr["data_format"].s.startswith(b"NC") for node in chain(definition.node, *functions))


def _has_first(network: "keras.Model") -> bool:
    import keras

    return any(_has_first(each) if isinstance(each, keras.Model) else _is_first(each) for each in network.layers)


def _is_first(layer: "keras.Layer") -> bool:
    import keras

    # Layers that run over a state have an axis more, for time, before the channels.
    return getattr(layer, "data_format", None) == _FIRST and not isinstance(layer, keras.layers.RNN)


def _rewrite(layer: "keras.Layer") -> "keras.Layer":
    """Return the layer itself, or one that does the same to channels-first arrays by a channels-last layer."""
    import keras
    from keras.layers import Permute

    if not _is_first(layer):
        return layer
    shape = layer.input.shape
    rank = len(shape)
    to_last = Permute((*range(2, rank), 1))
    config: dict[str, Any] = layer.get_config() | {"data_format": "channels_last"}
    last = type(layer).from_config(config)
    parts = [keras.Input(batch_shape=shape), to_last, last]
    if len(layer.output.shape) == rank:  # else the channels are all that is left, or nothing is in any order
        parts.append(Permute((rank - 1, *range(1, rank - 1))))
    rewritten = keras.Sequential(parts, name=layer.name)
    last.set_weights(layer.get_weights())
    return rewritten
