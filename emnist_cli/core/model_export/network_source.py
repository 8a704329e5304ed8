"""Load the Keras network of a model, for model export and training.

The network is as training left it, or recovered from the LiteRT file.
"""

import keras
import numpy as np
from numpy.typing import NDArray

from emnist_cli.core import bundle
from emnist_cli.core.errors import ModelError
from emnist_cli.core.model_export.recover import recover
from emnist_cli.core.networks.keras_file import arch_of, find_network
from emnist_cli.core.runtimes.channels_last import to_channels_last


def load_network(model: bundle.Bundle, pictures: NDArray[np.float32]) -> keras.Model:
    """Load a model's network.

    Args:
        model: a bundle, or a file that was exported from one.
        pictures: float32 (n, 28, 28) in [0, 1], some hundred, by which the norms of a recovered network are measured.

    Raises:
        ModelError: it has none that Keras can read, nor one that can be got out of its graph.
    """
    path = find_network(model)
    if path.suffix.lower() == ".tflite":
        assert model.manifest  # which says what it is
        try:
            return recover(path, arch_of(model), len(model.manifest.classes), pictures, model.content)
        except KeyError:  # a kind of numbers that it does not know
            advice = "export from the model that this one was made from"
            raise ModelError(f"{path}: no network can be got out of 8-bit integers; {advice}") from None
    try:
        return to_channels_last(keras.models.load_model(path, compile=False))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path}: Keras cannot read it ({error})") from None
