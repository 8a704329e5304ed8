"""Run an ONNX model with ONNX Runtime, if it is installed; `open_runtime` creates the runtime."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.errors import MissingError, ModelError
from emnist_cli.core.platform.cpu import available_cores
from emnist_cli.core.platform.stderr import silent_stderr
from emnist_cli.core.runtimes.base import SHAPE, run_batches


class OnnxRuntime:
    """An ONNX model ready to run, from any thread: a session of ONNX Runtime's may be shared.

    Attributes:
        class_count: outputs of the network.
    """

    def __init__(
        self, graph: Path, threads: int | None = None, batch_size: int = 64, content: bytes | None = None
    ) -> None:
        """Load `graph` and check that it classifies 28x28 pictures.

        Args:
            graph: an .onnx file, float32 (n, 28, 28, 1) -> (n, classes) for any n.
            threads: that a batch is run with; None for as many as this process may run on.
            batch_size: pictures that go through the network at once.
            content: of the file, where it has been read.

        Raises:
            ModelError: the file is no ONNX model, or not one of a character classifier.
            MissingError: ONNX Runtime is not installed.
        """
        self._session = _load(graph, content, threads or available_cores())
        self._input, outputs = _check(graph, self._session)
        self._batch_size = batch_size
        self.class_count = outputs

    def run(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Classify pictures.

        Args:
            pictures: float32 (n, 28, 28), [0, 1], upright, white ink on black.

        Returns:
            float32 (n, class_count), probabilities as the network gives them.
        """
        return run_batches(self._invoke, pictures, self._batch_size, self.class_count)

    def _invoke(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return result


def _load(graph: Path, content: bytes | None, threads: int) -> Any:
    try:
        with silent_stderr():  # as it is imported, it may complain of devices that are not there
            import onnxruntime
    except ModuleNotFoundError as error:
        if error.name != "onnxruntime":
            raise
        raise MissingError(f"{graph}: onnxruntime is not installed; run: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4  # what fails is raised
    # Threads that wait by spinning take the time of whatever else runs: half the speed where all cores are in use.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        # Content rather than a path, as for LiteRT: names that are not UTF-8.
        content = graph.read_bytes() if content is None else content
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # it has a dozen of its own, with no base class that has a public name
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"{graph}: not an ONNX model that can be run ({reason[:200]})") from None


def _check(graph: Path, session: Any) -> tuple[str, int]:
    """Return the name of the input and how many outputs there are, if both are what they should be."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    found = ", ".join(f"{tensor.type} {tensor.shape}" for tensor in (*inputs, *outputs))
    if len(inputs) != 1 or len(outputs) != 1 or {inputs[0].type, outputs[0].type} != {"tensor(float)"}:
        raise ModelError(f"{graph}: expected float32 tensors (n, 28, 28, 1) -> (n, classes). Received: {found}")
    (batch, *shape), classes = inputs[0].shape or [0], outputs[0].shape[-1:]
    if tuple(shape) != SHAPE or len(outputs[0].shape) != 2 or not isinstance(classes[0], int):
        raise ModelError(f"{graph}: expected float32 tensors (n, 28, 28, 1) -> (n, classes). Received: {found}")
    if isinstance(batch, int):
        raise ModelError(f"{graph}: takes {batch} pictures at a time; export it with a dynamic batch")
    return inputs[0].name, classes[0]
