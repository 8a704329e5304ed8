"""Run a .keras file or a SavedModel with TensorFlow, if it is installed; `open_runtime` creates the runtime.

It is the only runtime that imports TensorFlow, and only when such a file is to be run. Passing in a
runtime from `training` instead would have to happen in every process of a pool and on every worker of a cluster.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.errors import MissingError, ModelError
from emnist_cli.core.exported_models import SAVED_MODEL
from emnist_cli.core.platform.stderr import silent_stderr
from emnist_cli.core.platform.tensorflow import load_tensorflow
from emnist_cli.core.runtimes.base import SHAPE, run_batches


class KerasRuntime:
    """A network of Keras or TensorFlow ready to run, from any thread.

    Attributes:
        class_count: outputs of the network.
    """

    def __init__(self, graph: Path, threads: int | None = None, batch_size: int = 64) -> None:
        """Load `graph` and check that it classifies 28x28 pictures.

        Args:
            graph: a .keras file, or a SavedModel: its folder or the .pb file in it.
            threads: of TensorFlow; has an effect only before it is first used in a process. None for every core.
            batch_size: pictures that go through the network at once.

        Raises:
            ModelError: it is none, or not one of a character classifier.
            MissingError: TensorFlow is not installed.
        """
        _load_tensorflow(graph, threads)
        self._call, self.class_count = _load(graph)
        self._batch_size = batch_size

    def run(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Classify pictures.

        Args:
            pictures: float32 (n, 28, 28), [0, 1], upright, white ink on black.

        Returns:
            float32 (n, class_count), probabilities as the network gives them.
        """
        return run_batches(self._invoke, pictures, self._batch_size, self.class_count)

    def _invoke(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = self._call(batch).numpy()
        return result


def _load_tensorflow(graph: Path, threads: int | None) -> None:
    try:
        load_tensorflow((threads or 0) if "tensorflow" not in sys.modules else 0)
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        raise MissingError(f"{graph}: tensorflow is not installed; run: pip install tensorflow") from None


def _load(graph: Path) -> tuple[Callable[[Any], Any], int]:
    """Return what classifies a batch, and how many classes there are."""
    import tensorflow as tf

    from emnist_cli.core.runtimes.channels_last import is_channels_first

    pictures = tf.TensorSpec((None, *SHAPE), tf.float32)
    try:
        with silent_stderr():
            # One graph for any batch: calling layers one by one from Python would take most of the time.
            network = _read(graph)
            call = tf.function(network, input_signature=[pictures])
            found = call.get_concrete_function().structured_outputs
            if is_channels_first(call.get_concrete_function().graph):
                call = tf.function(network, input_signature=[pictures], jit_compile=True)
    except Exception as error:  # of zip archives, HDF5, JSON, protobuf and every layer
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"{graph}: not a network that TensorFlow can run ({reason[:200]})") from None
    if not isinstance(found, tf.TensorSpec | tf.Tensor) or found.dtype != tf.float32 or found.shape.rank != 2:
        raise ModelError(f"{graph}: expected float32 tensors (n, 28, 28, 1) -> (n, classes). Received: -> {found}")
    return call, int(found.shape[-1])


def _read(graph: Path) -> Callable[[Any], Any]:
    import keras
    import tensorflow as tf

    from emnist_cli.core.runtimes.channels_last import to_channels_last

    if graph.name == SAVED_MODEL or graph.is_dir():
        saved = tf.saved_model.load(str(graph if graph.is_dir() else graph.parent))
        return lambda pictures: saved.serve(pictures)
    network = to_channels_last(keras.models.load_model(graph, compile=False))
    return lambda pictures: network(pictures, training=False)
