"""Turn a trained network into a bundle: convert, check, calibrate and score it; `training.job` uses it."""

import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from emnist_cli.core import bundle
from emnist_cli.core.classify.classifier import Classifier
from emnist_cli.core.errors import OutputError
from emnist_cli.core.evaluation.calibration import fit_temperature
from emnist_cli.core.evaluation.scoring import score_split
from emnist_cli.core.model_export import to_litert
from emnist_cli.core.model_export.output_dir import OutputDir
from emnist_cli.core.networks.keras_file import KERAS_FILE
from emnist_cli.core.records import Epoch
from emnist_cli.core.runtimes.litert import LiteRtRuntime
from emnist_cli.core.training import training_history
from emnist_cli.core.training.input_pipeline import Holdout
from emnist_cli.core.training.training_data import TrainingData

_ENOUGH = 20_000  # pictures to fit a temperature to


class Trained(NamedTuple):
    """What training has made.

    Attributes:
        network: with the weights of the best epoch, in float32.
        task: what it was trained on.
        holdout: which of the pictures it was trained on.
        history: every epoch.
        training: the configuration, and what came of it, for the manifest.
    """

    network: keras.Model
    task: TrainingData
    holdout: Holdout
    history: list[Epoch]
    training: Mapping[str, Any]


def write_trained_bundle(
    trained: Trained, place: OutputDir, threads: int | None, on_stage: Callable[[str], None]
) -> bundle.Manifest:
    """Write the bundle of a trained network.

    Args:
        trained: the network and where it comes from.
        place: where to.
        threads: that scoring uses; None for every core.
        on_stage: called with what is done next, in words.

    Raises:
        ModelError: the converted network does not answer as it did.
        OutputError: something cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(dir=place.work) as scratch:
            manifest, files = _make_bundle(trained, place, Path(scratch), threads, on_stage)
        bundle.save_bundle(place.folder, manifest, files)
    except OSError as error:
        why = error.strerror or error
        raise OutputError(f"{place.folder}: the model cannot be written ({why}); --resume makes it again") from None
    return manifest


def _make_bundle(
    trained: Trained, place: OutputDir, scratch: Path, threads: int | None, on_stage: Callable[[str], None]
) -> tuple[bundle.Manifest, dict[str, bytes]]:
    on_stage("converting to LiteRT")
    network, task, history = trained.network, trained.task, trained.history
    graph = scratch / bundle.GRAPH
    graph.write_bytes(to_litert.to_litert(network))
    network.save(scratch / KERAS_FILE, include_optimizer=False)
    manifest = bundle.Manifest(
        name=place.name,
        description=f"{trained.training['arch']}, trained on {task.about}",
        split=task.split,
        classes=task.classes,
        temperature=_check(trained, graph, threads),
        training=trained.training,
        data=({"source": task.about, "count": len(trained.holdout.train)},),
        versions={"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
    )
    files = {bundle.GRAPH: graph.read_bytes(), KERAS_FILE: (scratch / KERAS_FILE).read_bytes()}
    files |= {
        "history.csv": training_history.history_to_csv(history),
        "curves.png": training_history.history_to_png(history, manifest.description),
    }
    bundle.save_bundle(scratch / "bundle", manifest, files)
    if task.data_dir is not None:
        on_stage("scoring on the test half")
    return dataclasses.replace(manifest, metrics=_metrics(trained, scratch / "bundle", threads)), files


def _check(trained: Trained, graph: Path, threads: int | None) -> float:
    """Make sure that the converted network answers as it did; return the temperature for its answers."""
    pictures, held = trained.task.pictures, trained.holdout.validation
    chosen = held[:: len(held) // _ENOUGH + 1] if len(held) else trained.holdout.train[:256]
    shown = pictures.images[chosen].astype(np.float32) / np.float32(255)
    probabilities = LiteRtRuntime(graph, threads).run(shown)
    to_litert.check_agreement(trained.network, probabilities[:256], shown[:256])
    return fit_temperature(probabilities, pictures.labels[chosen]) if len(held) else 1.0


def _metrics(trained: Trained, folder: Path, threads: int | None) -> tuple[bundle.Metric, ...]:
    """Score what will ship on the test half, which nothing was chosen by, and say what was held out of training."""
    task, found = trained.task, []
    if task.data_dir is not None:
        scored = score_split(Classifier(folder, threads=threads), task.split, "test", task.data_dir).evaluation
        on = f"{task.about}, test half"
        for name in ("accuracy", "top3", "macro_f1", "ece"):
            found.append(bundle.Metric(name, round(getattr(scored, name), 4), on, scored.count))
    best = max((e for e in trained.history if e.best), key=lambda e: e.epoch)
    if best.val_accuracy is not None:
        on = f"{task.about}, held out of training; the best epoch was chosen by it"
        found.append(bundle.Metric("accuracy", round(best.val_accuracy, 4), on, len(trained.holdout.validation)))
    return tuple(found)
