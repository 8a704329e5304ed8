"""Count a model's floating-point operations per image from its LiteRT graph, for the benchmark."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

_PRODUCTS = {"CONV_2D", "FULLY_CONNECTED", "DEPTHWISE_CONV_2D"}
_NOT_COUNTED = {"BATCH_MATMUL", "TRANSPOSE_CONV", "CONV_3D", "CONV_3D_TRANSPOSE", "WHILE", "CALL_ONCE"}
_RECURRENT = ("LSTM", "RNN")


class Graph(NamedTuple):
    """What a graph is.

    Attributes:
        flops: operations for one picture, two for each multiply-add of its convolutions and dense layers, as is usual;
            what else there is (pooling, activations, softmax) is left out. None where the graph has products of a
            kind that is not counted here.
        weights: the type of the smallest of its weights, "float32", "float16" or "int8"; None for what is no LiteRT
            file.
    """

    flops: int | None
    weights: str | None


def inspect(graph: Path, content: bytes | None = None) -> Graph:
    """Count the operations of a LiteRT file.

    Padding counts as if it were pixels, as in most figures that are published. In a graph with weights in 8 bits the
    operations are of integers in part; they are counted alike.

    Args:
        graph: the file.
        content: of it, where it has been read.
    """
    interpreter = Interpreter(
        model_content=graph.read_bytes() if content is None else content,
        # Delegates would put their own operation in the place of those to be counted.
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    operations = interpreter._get_ops_details()  # there is no public way
    unpacked = {o["outputs"][0]: o["inputs"][0] for o in operations if o["op_name"] == "DEQUANTIZE"}
    total, types = 0, {np.dtype(np.float32)}
    for operation in operations:
        name = operation["op_name"]
        if name in _NOT_COUNTED or any(word in name for word in _RECURRENT):
            total = -1
            break
        if name in _PRODUCTS:
            total += 2 * _multiply_adds(operation, tensors)
            weights = operation["inputs"][1]
            types.add(np.dtype(tensors[unpacked.get(weights, weights)]["dtype"]))
    return Graph(total if total >= 0 else None, min(types, key=lambda kind: kind.itemsize).name)


def _multiply_adds(operation: Mapping[str, Any], tensors: Mapping[int, Mapping[str, Any]]) -> int:
    """Return outputs times the inputs that each is made of."""
    outputs = int(np.prod(tensors[operation["outputs"][0]]["shape"]))
    weights = [int(side) for side in tensors[operation["inputs"][1]]["shape"]]  # out, height, width, in; or out, in
    if operation["op_name"] == "DEPTHWISE_CONV_2D":  # 1, height, width, out
        weights = weights[:3]
    return outputs * int(np.prod(weights[1:]))
