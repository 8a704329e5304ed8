"""Quantize a network to 8-bit integers; `formats` uses it.

The weights and the values between layers are quantized in all layers but the last. Jacob et al., "Quantization and
training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018.
"""

import tempfile
import warnings
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emnist_cli.core.platform.stderr import silent_stderr

_LITTLE = 0.1
"""The share of the weights that the last layer may have, to stay in float32."""


def to_integer(network: keras.Model, pictures: NDArray[np.float32]) -> bytes:
    """Convert a network to a LiteRT flatbuffer that computes in 8-bit integers, with a dynamic batch.

    What goes in and comes out is float32, and so are the last dense layer and the softmax: in 8 bits, that layer alone
    would cost two points of agreement, and the softmax's answers would come in steps of 1/256. Where the layer holds
    much of the network's weights, it is in 8 bits all the same: to be small is what this form is for.

    Args:
        network: what to convert.
        pictures: float32 (n, 28, 28) in [0, 1], by which the range of every layer is measured.
    """

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        for picture in pictures:
            yield [picture[None, ..., None]]

    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings(), silent_stderr():
        # What leaves layers out still runs on TensorFlow's own copy of LiteRT, which warns that it will go.
        warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated", UserWarning)
        network.export(scratch, format="tf_saved_model", verbose=False)
        converter = _make_converter(scratch, tf.lite.OpsSet.TFLITE_BUILTINS_INT8)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = calibration
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter,
            debug_dataset=calibration,
            debug_options=tf.lite.experimental.QuantizationDebugOptions(
                denylisted_ops=["SOFTMAX"], denylisted_nodes=_spared(network, scratch)
            ),
        )
        content: bytes = debugger.get_nondebug_quantized_model()
    return content


def _make_converter(saved: str, *more: tf.lite.OpsSet) -> tf.lite.TFLiteConverter:
    converter = tf.lite.TFLiteConverter.from_saved_model(saved)
    # Nothing but built-in operations, as in `to_litert.to_litert`.
    converter.target_spec.supported_ops = [*more, tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter


def _spared(network: keras.Model, saved: str) -> list[str]:
    """Return the name of the last dense layer's output, by which the quantizer knows the layer; none if it is large."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    if network.layers[-1].count_params() > _LITTLE * network.count_params():
        return []
    graph = flatbuffer_utils.read_model_from_bytearray(bytearray(_make_converter(saved).convert()))
    subgraph, dense = graph.subgraphs[0], schema.BuiltinOperator.FULLY_CONNECTED
    names = [
        subgraph.tensors[operation.outputs[0]].name.decode()
        for operation in subgraph.operators
        if graph.operatorCodes[operation.opcodeIndex].builtinCode == dense
    ]
    return names[-1:]
