"""Run a LiteRT graph: the format of bundles; `open_runtime` creates the runtime. The only importer of LiteRT."""

import threading
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from emnist_cli.core.errors import ModelError
from emnist_cli.core.platform.cpu import available_cores
from emnist_cli.core.platform.stderr import silent_stderr
from emnist_cli.core.runtimes.base import SHAPE


class LiteRtRuntime:
    """A graph ready to run, from any thread.

    Each thread gets interpreters of its own: one shared by eight threads gave wrong answers and crashes. An
    interpreter is made for a fixed batch, resized once; a smaller batch is filled up with empty pictures.

    Attributes:
        class_count: outputs of the graph.
    """

    def __init__(
        self, graph: Path, threads: int | None = None, batch_size: int = 64, content: bytes | None = None
    ) -> None:
        """Load `graph` and check that it classifies 28x28 pictures.

        Args:
            graph: a .tflite file.
            threads: that one interpreter uses; None for as many as this process may run on.
            batch_size: pictures that `run` gives to the network at once when it has more than one.
            content: of the file, where it has been read.

        Raises:
            ModelError: the file is not a LiteRT graph, or not one of a character classifier.
        """
        self._graph, self._content = graph, _read(graph) if content is None else content
        self._threads = threads or available_cores()
        self._batch_size = batch_size
        self._local = threading.local()
        self.class_count = int(self._interpreter(1).get_output_details()[0]["shape"][-1])

    def run(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Classify pictures.

        Args:
            pictures: float32 (n, 28, 28), [0, 1], upright, white ink on black.

        Returns:
            float32 (n, class_count), probabilities as the graph gives them.
        """
        out = np.empty((len(pictures), self.class_count), np.float32)
        size = 1 if len(pictures) == 1 else self._batch_size
        for start in range(0, len(pictures), size):
            chunk = pictures[start : start + size, :, :, None]
            filled = len(chunk)
            if filled < size:
                chunk = np.concatenate([chunk, np.zeros((size - filled, *SHAPE), np.float32)])
            out[start : start + filled] = self._invoke(chunk)[:filled]
        return out

    def _invoke(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter = self._interpreter(len(batch))
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], batch)
        interpreter.invoke()
        result: NDArray[np.float32] = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        return result

    def _interpreter(self, batch: int) -> Interpreter:
        """Return this thread's interpreter for batches of that size."""
        made: dict[int, Interpreter] = self._local.__dict__.setdefault("interpreters", {})
        if batch not in made:
            # One picture is done before a second thread has woken up.
            made[batch] = _load(self._graph, self._content, batch, threads=1 if batch == 1 else self._threads)
        return made[batch]


def _read(graph: Path) -> bytes:
    try:
        return graph.read_bytes()
    except OSError as error:
        raise ModelError(f"{graph}: cannot be read ({error.strerror or error})") from None


def _load(graph: Path, content: bytes, batch: int, threads: int) -> Interpreter:
    try:
        # Content rather than a path: the library cannot open names that are not UTF-8.
        interpreter = Interpreter(model_content=content, num_threads=threads)
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"{graph}: expected one input and one output. Received: {len(inputs)} and {len(outputs)}")
        _check(graph, inputs[0], SHAPE)
        _check(graph, outputs[0], outputs[0]["shape"][-1:])
        interpreter.resize_tensor_input(inputs[0]["index"], (batch, *SHAPE))
        with silent_stderr():
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{graph}: not a LiteRT graph that can be run ({reason})") from None
    return interpreter


def _check(graph: Path, tensor: dict[str, object], shape: tuple[int, ...]) -> None:
    found, dtype = tuple(np.asarray(tensor["shape"]).tolist()), np.dtype(tensor["dtype"])  # type: ignore[call-overload]
    if found[1:] != tuple(shape) or dtype != np.float32:
        raise ModelError(f"{graph}: expected float32 tensors (n, 28, 28, 1) -> (n, classes). Received: {dtype} {found}")
