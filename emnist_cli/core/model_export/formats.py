"""Write a Keras network and its manifest in each format of `emnist export`; `exporter` uses it."""

import json
import warnings
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from emnist_cli.core import bundle, exported_models
from emnist_cli.core.model_export.int8 import to_integer
from emnist_cli.core.model_export.to_litert import to_litert
from emnist_cli.core.runtimes.base import SHAPE


def write_format(
    network: keras.Model, form: str, path: Path, manifest: bundle.Manifest, pictures: NDArray[np.float32]
) -> None:
    """Write a network.

    Args:
        network: what to write.
        form: one of `exported_models.MODEL_FORMATS`.
        path: where to: a new file whose suffix is the form's, or a new folder. A folder in LiteRT's forms is a bundle.
        manifest: what goes along with it.
        pictures: float32 (n, 28, 28) in [0, 1], by which ranges in 8 bits are measured.

    Raises:
        OSError: it cannot be written.
    """
    if form == "onnx":
        _write_onnx(network, path, manifest)
    elif form == "saved-model":
        network.export(path, format="tf_saved_model", verbose=False)
        (path / exported_models.EXTRA).mkdir()
        (path / exported_models.EXTRA / exported_models.MANIFEST).write_text(_text(manifest), encoding="utf-8")
    elif form == "keras":
        network.save(path, include_optimizer=False)
        _append(path, manifest)
    else:
        _write_litert(_convert(network, form, pictures), path, manifest)


def _convert(network: keras.Model, form: str, pictures: NDArray[np.float32]) -> bytes:
    if form == "litert-int8":
        return to_integer(network, pictures)
    return to_litert(network, "float16" if form == "litert-f16" else "float32")


def _write_litert(content: bytes, path: Path, manifest: bundle.Manifest) -> None:
    if path.suffix == ".tflite":
        path.write_bytes(content)
        _append(path, manifest)
    else:
        bundle.save_bundle(path, manifest, {bundle.GRAPH: content})


def _append(path: Path, manifest: bundle.Manifest) -> None:
    """Put the manifest into the zip archive that a file is, or into a new one at its end."""
    with ZipFile(path, "a") as archive:
        archive.writestr(exported_models.MANIFEST, _text(manifest))


def _text(manifest: bundle.Manifest) -> str:
    return json.dumps(manifest.as_dict(), ensure_ascii=False, indent=1)


def _write_onnx(network: keras.Model, path: Path, manifest: bundle.Manifest) -> None:
    import onnx

    with warnings.catch_warnings():
        # Keras mends tf2onnx for numpy 2 in a way that numpy warns of.
        warnings.filterwarnings("ignore", "In the future `np.object` will be defined", FutureWarning)
        # Said here, since Keras knows it only of a network that has been called.
        pictures = keras.InputSpec("float32", (None, *SHAPE))
        network.export(path, format="onnx", verbose=False, input_signature=[pictures])
    model = onnx.load(path)
    _rename(model.graph)
    onnx.helper.set_model_props(model, {exported_models.MANIFEST: _text(manifest)})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _rename(graph: Any) -> None:
    """Call input, output and their first axis what they are, rather than what the converter came up with."""
    names = {graph.input[0].name: "pictures", graph.output[0].name: "probabilities"}
    for node in graph.node:
        for places in (node.input, node.output):
            for i, name in enumerate(places):
                places[i] = names.get(name, name)
    for tensor in (graph.input[0], graph.output[0]):
        tensor.name = names[tensor.name]
        tensor.type.tensor_type.shape.dim[0].dim_param = "n"
