"""Export a model to another format, for `emnist export` and the benchmark.

The exported model must give the same answers as the model. If it does not, nothing is written.
"""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emnist_cli.core import bundle
from emnist_cli.core.atomic_file import new_file, put_in_place
from emnist_cli.core.classify.options import name_classes
from emnist_cli.core.errors import ModelError, OutputError, UsageError
from emnist_cli.core.labels import CUSTOM, split_of_size
from emnist_cli.core.model_export import formats, targets
from emnist_cli.core.model_export.network_source import load_network
from emnist_cli.core.model_export.parity_samples import COMPARED, MEASURED, draw_pictures
from emnist_cli.core.networks.probabilities import add_probabilities
from emnist_cli.core.platform.interrupts import interrupts_held
from emnist_cli.core.runtimes.open_runtime import open_model, open_runtime
from emnist_cli.core.runtimes.output_kinds import NormalizedRuntime

_ALLOWED = {"litert-f16": 0.01, "litert-int8": 0.1}
"""Largest difference of a probability by form; what computes in float32 as the network does, has to agree closely."""
_CLOSE = 0.001

_WEIGHTS = {"litert-f16": "float16", "litert-int8": "int8"}
_EIGHT_BITS = 0.1
"""What is allowed beside where the model itself computes in 8 bits, which its network does not."""


class Exported(NamedTuple):
    """What was written, and how it compares with the model that it was made from.

    Attributes:
        path: of the file or folder.
        form: one of `exported_models.MODEL_FORMATS`.
        bytes: of all its files.
        largest_difference: of a probability, in [0, 1].
        agreement: share of the pictures whose most probable class is the same, in [0, 1].
        pictures: how many were compared.
    """

    path: Path
    form: str
    bytes: int
    largest_difference: float
    agreement: float
    pictures: int


def export_model(
    model: bundle.Bundle,
    form: str,
    out: Path,
    progress: Callable[[str], None] = lambda stage: None,
    *,
    pictures: NDArray[np.float32] | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write a model in another form, whole or not at all.

    Args:
        model: what to export; a bundle with a `model.keras`, one whose network can be got out of its graph, or a
            .keras file.
        form: one of `exported_models.MODEL_FORMATS`.
        out: where to. An .onnx, .keras or .tflite file, or the folder of a SavedModel; a folder in LiteRT's forms
            becomes a bundle. Missing parents are made.
        progress: called with what is done next, in words.
        pictures: float32 (n, 28, 28) in [0, 1], to compare answers and to measure ranges in 8 bits on; None for
            characters of a font, drawn from a fixed seed.
        overwrite: replace what was exported to that place before.

    Raises:
        UsageError, MissingError: see `targets.check_export_target`.
        ModelError: the model has no network to be written otherwise; or what was written disagrees with the model.
        OutputError: it cannot be written.
    """
    targets.check_export_target(model, form, out, overwrite)
    place = out.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name[:100]}.") as scratch:
            new = Path(scratch) / f"new{place.suffix.lower() if not targets.is_folder(place) else ''}"
            with interrupts_held():  # TensorFlow is bad at them
                exported = _export(model, form, new, place.name, progress, pictures)
            if targets.is_folder(place):
                put_in_place(new, place)
            else:
                with new_file(place) as file:
                    file.write(new.read_bytes())
    except (OSError, tf.errors.OpError) as error:
        why = getattr(error, "strerror", None) or error
        raise OutputError(f"{out}: cannot be written ({why}); nothing was left there") from None
    return exported._replace(path=out)


def _export(
    model: bundle.Bundle,
    form: str,
    new: Path,
    name: str,
    progress: Callable[[str], None],
    pictures: NDArray[np.float32] | None,
) -> Exported:
    progress("loading the network")
    compared, measured = _share(pictures)
    network = load_network(model, measured)
    original = open_model(model)
    if isinstance(original, NormalizedRuntime):  # of unknown origin; the export gives probabilities in any case
        network = add_probabilities(network, original.outputs)
    expected = original.run(compared)
    progress(f"converting to {form}")
    formats.write_format(network, form, new, _manifest(model, form, name, expected.shape[1]), measured)
    progress(f"comparing on {len(compared)} pictures")
    runtime = open_runtime(new / bundle.GRAPH if (new / bundle.GRAPH).is_file() else new)
    answers = np.concatenate([runtime.run(compared[:1]), runtime.run(compared[1:])])  # a batch of any size
    difference = _compare(answers, expected, form, _computes_in_8_bits(model))
    agreement = float((answers.argmax(axis=1) == expected.argmax(axis=1)).mean())
    size = sum(path.stat().st_size for path in (new, *new.rglob("*")) if path.is_file())
    return Exported(new, form, size, difference, agreement, len(compared))


def _share(pictures: NDArray[np.float32] | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return pictures to compare answers on, and pictures to measure ranges by: others, if there are enough."""
    if pictures is None:
        pictures = draw_pictures()
    elif len(pictures) == 0:
        raise UsageError("there is no picture to compare answers on")
    mixed = pictures[np.random.default_rng(1).permutation(len(pictures))]
    others = mixed[COMPARED : COMPARED + MEASURED]
    return mixed[:COMPARED], others if len(others) >= COMPARED else mixed[:MEASURED]


def _compare(answers: NDArray[np.float32], expected: NDArray[np.float32], form: str, in_8_bits: bool) -> float:
    """Return the largest difference of a probability.

    Raises:
        ModelError: it is more than allowed. As much as the two most probable classes can change places only where
            they are nearly as probable, which is the model's doubt and not the form's.
    """
    if answers.shape != expected.shape:
        raise ModelError(f"the model has {expected.shape[1]} classes, what was made of it {answers.shape[1]}")
    difference = float(np.abs(answers - expected).max())
    most = _ALLOWED.get(form, _CLOSE) + _EIGHT_BITS * in_8_bits
    if not difference <= most:  # nor where it is no number
        raise ModelError(
            f"{form} disagrees with the model: probabilities differ by {difference:.4f}, {most:.4g} is allowed; "
            "nothing was written"
        )
    return difference


def _computes_in_8_bits(model: bundle.Bundle) -> bool:
    return model.manifest is not None and model.manifest.training.get("weights") == "int8"


def _manifest(model: bundle.Bundle, form: str, name: str, count: int) -> bundle.Manifest:
    """Return what goes along with an export: the model's manifest, and of which graph that was."""
    old = model.manifest
    if old is None:
        split = split_of_size(count)
        old = bundle.Manifest(model.name, model.name, split.name if split else CUSTOM, name_classes(model, count))
    return dataclasses.replace(
        old,
        name=name,
        description=f"{old.description}; exported as {form}",
        training={**old.training, "weights": _WEIGHTS.get(form, "float32"), "exported_from": model.name},
        metrics=tuple(dataclasses.replace(m, on=f"{m.on}; before it was exported as {form}") for m in old.metrics),
        files={bundle.GRAPH: model.file},
    )
