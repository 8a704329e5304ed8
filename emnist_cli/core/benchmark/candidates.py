"""Find and export the models that the benchmark compares.

These are the models that were named, and the first of them in other formats, exported for the comparison.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from emnist_cli.core import bundle
from emnist_cli.core.benchmark.benchmark_config import GIVEN
from emnist_cli.core.errors import EmnistError, UsageError
from emnist_cli.core.parallel.pool import Pool
from emnist_cli.core.parallel.worker_main import Work

_SUFFIXES = {"onnx": ".onnx", "keras": ".keras"}
_PATIENCE = 3600.0  # seconds that one export may take


class Candidate(NamedTuple):
    """A model in one form.

    Attributes:
        name: of the model.
        form: `benchmark_config.GIVEN`, or what it was exported to.
        model: as `--model` takes it.
        found: where it is.
    """

    name: str
    form: str
    model: str
    found: bundle.Bundle

    @property
    def runtime(self) -> str:
        """What runs it, a key of `machine.LIBRARIES`."""
        suffix = self.found.graph.suffix.lower()
        return {".tflite": "LiteRT", ".onnx": "ONNX Runtime"}.get(suffix, "Keras")


def find_models(models: Sequence[str], trust: bool = False) -> list[Candidate]:
    """Find the models that were named. Of those that have the same name each goes by what it was asked for as.

    Raises:
        ModelError: there is no such model, it is damaged, or it is a SavedModel without `trust`.
        UsageError: one is named twice.
    """
    twice = [model for model in models if list(models).count(model) > 1]
    if twice:
        raise UsageError(f"--model: expected each model once. Received: {twice[0]} twice")
    found = {model: bundle.find_bundle(model, trust) for model in models}
    names = [each.name for each in found.values()]
    return [
        Candidate(model if names.count(each.name) > 1 else each.name, GIVEN, model, each)
        for model, each in found.items()
    ]


def export_forms(
    first: Candidate, forms: Sequence[str], folder: Path, on_export: Callable[[str], None]
) -> list[Candidate]:
    """Export a model to other forms, in a process of its own: TensorFlow is not to be in this one's memory.

    Args:
        first: the model.
        forms: of `benchmark_config.AGAINST`.
        folder: that the exports are put into.
        on_export: called with each form that is done.

    Raises:
        EmnistError: whatever the export raises.
    """
    if not forms:
        return []
    made = []
    pool: Pool[tuple[str, Path], Path] = Pool(functools.partial(_make, first.model), 1, _PATIENCE, _give_up)
    try:
        for form in forms:
            place = folder / f"{form}{_SUFFIXES.get(form, '.tflite')}"
            path = pool.submit([(form, place)]).result()[0]
            made.append(Candidate(first.name, form, str(path), bundle.find_bundle(path)))
            on_export(form)
    finally:
        pool.close()
    return made


def _give_up(asked: tuple[str, Path], reason: str) -> Path:
    raise EmnistError(f"--against: {asked[0]} cannot be exported: {reason}")


def _make(model: str) -> "Work[tuple[str, Path], Path]":
    """Return what exports. Called in the exporting process."""
    from emnist_cli.core.platform.tensorflow import load_tensorflow

    load_tensorflow()
    from emnist_cli.core.model_export.exporter import export_model

    found = bundle.find_bundle(model, trust=True)  # as everywhere after `find_models`

    def work(asked: Sequence[tuple[str, Path]]) -> list[Path]:
        return [export_model(found, form, place).path for form, place in asked]

    return work
