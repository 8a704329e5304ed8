"""Find the file that a model's Keras network can be loaded from; training, export and import use it."""

from pathlib import Path

from emnist_cli.core import bundle
from emnist_cli.core.config import ARCHITECTURES
from emnist_cli.core.errors import ModelError

KERAS_FILE = "model.keras"
"""The network as Keras keeps it, beside the LiteRT file: to export it otherwise, or to train on from it."""


def check_base(base: bundle.Bundle) -> None:
    """Make sure that training can start from a bundle, or from a file that was exported from one.

    Raises:
        ModelError: its classes are not known; or see `find_network`.
    """
    if base.manifest is None:
        raise ModelError(
            f"--from: {base.name} has no {KERAS_FILE} and does not say of which architecture it is; emnist train "
            "leaves a model that training can start from"
        )
    find_network(base)


def find_network(model: bundle.Bundle) -> Path:
    """Return the file that a model's Keras network can be got out of: a .keras or a .tflite file.

    Raises:
        ModelError: there is none.
    """
    manifest, graph = model.manifest, model.graph
    if manifest and KERAS_FILE in manifest.files:
        return graph.with_name(KERAS_FILE)
    suffix = graph.suffix.lower()
    if suffix == ".keras" or (suffix == ".tflite" and manifest and arch_of(model) in ARCHITECTURES):
        return graph
    why = "does not say of which architecture it is" if suffix == ".tflite" else "holds a graph without its layers"
    raise ModelError(
        f"{graph}: has no {KERAS_FILE} beside it and {why}; export from the bundle that emnist train has left, or from "
        "a .keras file"
    )


def arch_of(base: bundle.Bundle) -> str:
    """Return the architecture of a bundle's network, "custom" if it does not say."""
    return str(base.manifest.training.get("arch", "custom")) if base.manifest else "custom"
