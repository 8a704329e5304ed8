"""Add layers that turn a Keras network's outputs into probabilities; model import and export use it."""

import keras
from keras import layers

from emnist_cli.core.runtimes.output_kinds import LOGITS, PROBABILITIES


def add_probabilities(network: keras.Model, outputs: str, by_xla: bool = False) -> keras.Model:
    """Return a network whose rows of outputs sum to 1.

    Args:
        network: from images to float32 (n, classes).
        outputs: what it gives, as `output_kinds.tell_outputs` says.
        by_xla: whether XLA has to compile it.
    """
    if outputs == PROBABILITIES:
        return set_compiler(network, by_xla)
    x = network.outputs[0]
    if outputs == LOGITS:
        x = layers.Softmax(name="probabilities")(x)
    else:
        x = x / keras.ops.maximum(keras.ops.sum(x, axis=-1, keepdims=True), 1e-7)
    return set_compiler(keras.Model(network.inputs[0], x), by_xla)


def set_compiler(network: keras.Model, by_xla: bool) -> keras.Model:
    """Let XLA compile a network, or not; return the network."""
    network.jit_compile = by_xla
    return network
