"""Choose the runtime that a model's file format needs; the classifier, export and the web export use it.

Bundles hold a LiteRT graph. The formats that `emnist export` writes can be run as well, if the runtime for them is
installed.
"""

from pathlib import Path

from emnist_cli.core.bundle import Bundle
from emnist_cli.core.errors import ModelError
from emnist_cli.core.runtimes.base import Runtime
from emnist_cli.core.runtimes.litert import LiteRtRuntime
from emnist_cli.core.runtimes.output_kinds import NormalizedRuntime


def open_model(model: Bundle, threads: int | None = None, batch_size: int = 64) -> Runtime:
    """Make a model ready to run; what the outputs of a file without a manifest are is tried out.

    Args:
        model: the model.
        threads: that a batch is run with; None for as many as this process may run on.
        batch_size: pictures that go through the network at once when there are more than one.

    Raises:
        ModelError: it is none, or not one of a character classifier.
        MissingError: the runtime for it is not installed.
    """
    runtime = open_runtime(model.graph, threads, batch_size, model.content)
    if model.manifest is not None:
        return runtime
    try:
        return NormalizedRuntime(runtime)
    except ModelError as error:
        raise ModelError(f"{model.graph}: {error}") from None


def open_runtime(
    graph: Path, threads: int | None = None, batch_size: int = 64, content: bytes | None = None
) -> Runtime:
    """Make a network ready to run, by the runtime that its form needs.

    Args:
        graph: a .tflite, .onnx or .keras file, or a SavedModel: its folder or the .pb file in it.
        threads: that a batch is run with; None for as many as this process may run on.
        batch_size: pictures that go through the network at once when there are more than one.
        content: of a .tflite or .onnx file, where it has been read.

    Raises:
        ModelError: it is none, or not one of a character classifier.
        MissingError: the runtime for it is not installed.
    """
    if graph.suffix.lower() == ".onnx":
        from emnist_cli.core.runtimes.onnx import OnnxRuntime

        return OnnxRuntime(graph, threads, batch_size, content)
    if graph.suffix.lower() in {".keras", ".pb"} or graph.is_dir():
        from emnist_cli.core.runtimes.keras import KerasRuntime

        return KerasRuntime(graph, threads, batch_size)
    return LiteRtRuntime(graph, threads, batch_size, content)
