"""Rebuild a trainable Keras network from the LiteRT file it was converted to; `network_source` uses it.

The starter ships as a LiteRT file alone: a second file for Keras would double its size. The conversion loses nothing
that training needs except the scale of each batch normalization, which is folded into the weights before it. That
scale is measured again on images.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from emnist_cli.core.errors import ModelError
from emnist_cli.core.model_export import to_litert
from emnist_cli.core.networks import architectures
from emnist_cli.core.runtimes.litert import LiteRtRuntime

_AGREE = 0.1
"""Largest difference of a probability: the LiteRT file may compute in 8 bits, the network does not."""


class _Folded(NamedTuple):
    """Weights of one operation: float32 (out, ...), (out,)."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def recover(
    graph: Path, arch: str, classes: int, pictures: NDArray[np.float32], content: bytes | None = None
) -> keras.Model:
    """Make a Keras network of a LiteRT file.

    Args:
        graph: as `to_litert.to_litert` wrote it, with weights in any form.
        arch: the architecture that it was made from.
        classes: how many it tells apart.
        pictures: float32 (n, 28, 28) in [0, 1]; some hundred at least, of the kind that it will be trained on.
        content: of the file, where it has been read.

    Returns:
        A network that answers as the file does, and keeps to that when it is trained.

    Raises:
        ModelError: the file does not hold such a network.
    """
    network, content = architectures.build(arch, classes), graph.read_bytes() if content is None else content
    try:
        folded = list(_read(content))
        weighted = [layer for layer in network.layers if isinstance(layer, layers.Conv2D | layers.Dense)]
        for layer, weights in zip(weighted, folded, strict=True):
            _put(network, layer, weights)
        _measure_norms(network, pictures)
        to_litert.check_agreement(
            network, LiteRtRuntime(graph, content=content).run(pictures[:256]), pictures[:256], _AGREE
        )
    except (ValueError, ModelError) as error:
        raise ModelError(f"{graph}: no network {arch!r} for {classes} classes can be got out of it ({error})") from None
    return network


def _read(content: bytes) -> Iterator[_Folded]:
    """Yield the weights of each convolution and dense layer, in the order in which they are run."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    graph = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    tensors, kinds = graph.subgraphs[0].tensors, graph.operatorCodes
    wanted = {schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED}
    unpacked = {  # float16 weights are widened by an operation of their own
        operation.outputs[0]: operation.inputs[0]
        for operation in graph.subgraphs[0].operators
        if kinds[operation.opcodeIndex].builtinCode == schema.BuiltinOperator.DEQUANTIZE
    }
    for operation in graph.subgraphs[0].operators:
        if kinds[operation.opcodeIndex].builtinCode in wanted:
            kernel, bias = (
                _values(tensors[unpacked.get(i, i)], graph.buffers) if i >= 0 else None for i in operation.inputs[1:3]
            )
            assert kernel is not None
            yield _Folded(kernel, np.zeros(len(kernel), np.float32) if bias is None else bias)


def _values(tensor: Any, buffers: Any) -> NDArray[np.float32]:
    """Return a constant tensor as float32."""
    from tensorflow.lite.python import schema_py_generated as schema

    types = {
        schema.TensorType.FLOAT32: np.float32,
        schema.TensorType.FLOAT16: np.float16,
        schema.TensorType.INT8: np.int8,
    }
    raw = np.frombuffer(bytes(buffers[tensor.buffer].data), types[tensor.type]).reshape(tensor.shape)
    values: NDArray[np.float32] = raw.astype(np.float32)
    if tensor.type == schema.TensorType.INT8:
        scale = np.asarray(tensor.quantization.scale, np.float32)  # one for all, or one for each output
        values *= scale.reshape(-1, *[1] * (values.ndim - 1))
    return values


def _put(network: keras.Model, layer: keras.Layer, weights: _Folded) -> None:
    """Give a layer its weights; a batch normalization after it adds the bias and does nothing else for now."""
    kernel = weights.kernel.transpose(1, 2, 3, 0) if isinstance(layer, layers.Conv2D) else weights.kernel.T
    layer.set_weights([kernel, weights.bias] if layer.use_bias else [kernel])
    norm = _norm_after(network, layer)
    if norm is not None:
        ones, zeros = np.ones_like(weights.bias), np.zeros_like(weights.bias)
        norm.set_weights([ones, zeros if layer.use_bias else weights.bias, zeros, ones - norm.epsilon])


def _norm_after(network: keras.Model, layer: keras.Layer) -> layers.BatchNormalization | None:
    following = network.layers[network.layers.index(layer) + 1 :][:1]
    return following[0] if following and isinstance(following[0], layers.BatchNormalization) else None


def _measure_norms(network: keras.Model, pictures: NDArray[np.float32]) -> None:
    """Give each batch normalization the mean and variance of what comes into it, and undo that by scale and shift."""
    found = [(layer, _norm_after(network, layer)) for layer in network.layers]
    pairs = [(layer, norm) for layer, norm in found if norm is not None]
    if not pairs:
        return
    insides = keras.Model(network.inputs, [layer.output for layer, _ in pairs])
    seen = insides.predict(pictures[..., None], batch_size=256, verbose=0)
    for (_, norm), values in zip(pairs, seen if isinstance(seen, list) else [seen], strict=True):
        flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
        mean, variance = flat.mean(axis=0), flat.var(axis=0)
        _, shift, _, _ = norm.get_weights()
        norm.set_weights([np.sqrt(variance + norm.epsilon), shift + mean, mean, variance])
