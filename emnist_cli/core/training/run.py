"""A whole training run: train, convert, calibrate, score, and leave a bundle that the other commands use."""

import dataclasses
import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from emnist_cli.core import bundle
from emnist_cli.core.config import TrainConfig
from emnist_cli.core.data.dataset import Pictures
from emnist_cli.core.errors import MissingError, ModelError
from emnist_cli.core.evaluation.calibration import fit_temperature
from emnist_cli.core.evaluation.evaluate import Network, score_split
from emnist_cli.core.inference.runtime import Runtime
from emnist_cli.core.records import Epoch
from emnist_cli.core.training import checkpoint, curves, export, model
from emnist_cli.core.training.feed import Holdout, hold_out
from emnist_cli.core.training.place import Place
from emnist_cli.core.training.precision import precision
from emnist_cli.core.training.strategy import Spread, make_spread
from emnist_cli.core.training.task import Task
from emnist_cli.core.training.trainer import Progress, Trainer

KERAS_FILE = "model.keras"
"""The network as Keras keeps it, beside the LiteRT file: to export it otherwise, or to train on from it."""


class Watch(NamedTuple):
    """What a run tells while it goes on.

    Attributes:
        on_step: called a few times a second.
        on_epoch: called after each epoch.
        on_stage: called with what is done next, in words.
    """

    on_step: Callable[[Progress], None] = lambda progress: None
    on_epoch: Callable[[Epoch], None] = lambda epoch: None
    on_stage: Callable[[str], None] = lambda text: None


class Outcome(NamedTuple):
    """What a run has left.

    Attributes:
        manifest: of the bundle; None in a worker that is not the chief.
        history: every epoch.
        interrupted: whether it was stopped before its end; its checkpoint is kept then.
    """

    manifest: bundle.Manifest | None
    history: list[Epoch]
    interrupted: bool


def train(
    task: Task,
    config: TrainConfig,
    place: Place,
    *,
    base: bundle.Bundle | None = None,
    resume: bool = False,
    strategy: str = "one",
    tensorboard: Path | None = None,
    watch: Watch = Watch(),  # noqa: B008 - it has no state
) -> Outcome:
    """Train a network and write its bundle.

    Ctrl-C ends training; the best epoch so far becomes a bundle all the same, and the checkpoint stays.

    Args:
        task: what to train on.
        config: how.
        place: where the bundle goes.
        base: a bundle whose network training starts from; None for random weights.
        resume: go on from the checkpoint.
        strategy: a name of `strategy.STRATEGIES`.
        tensorboard: folder for logs that TensorBoard reads.
        watch: told how it goes.

    Raises:
        MissingError: TensorBoard is not installed, and its logs are asked for.
        UsageError, TrainingError, ModelError: see `Trainer`, `make_spread`; nothing but the checkpoint is left.
        KeyboardInterrupt: interrupted before the first epoch was over.
    """
    if tensorboard is not None and importlib.util.find_spec("tensorboard") is None:
        raise MissingError("tensorboard is not installed; run: pip install tensorboard")
    spread = make_spread(strategy, config.batch_size)
    keras.utils.clear_session()  # or a second run in one process would name its layers otherwise
    keras.utils.set_random_seed(config.seed)
    holdout = hold_out(task.pictures.labels, config)
    with precision(config):
        trainer = _make_trainer(task, config, place, base, holdout, spread)
        if resume:
            trainer.resume()
        elif spread.chief:
            checkpoint.discard(place.work)
        interrupted = _run(trainer, watch, tensorboard if spread.chief else None)
    if not spread.chief:
        return Outcome(None, trainer.history, interrupted)
    trainer.restore_best()
    network = _make_network(task, config, base)  # in float32, on one device
    network.set_weights(trainer.network.get_weights())
    manifest = _write_bundle(network, task, config, place, holdout, trainer.history, interrupted, watch)
    if not interrupted:
        checkpoint.discard(place.work)
    return Outcome(manifest, trainer.history, interrupted)


def _make_trainer(
    task: Task, config: TrainConfig, place: Place, base: bundle.Bundle | None, holdout: Holdout, spread: Spread
) -> Trainer:
    described = checkpoint.describe(config, task.classes, task.about)
    return Trainer(
        lambda: _make_network(task, config, base),
        task.pictures,
        holdout,
        config,
        described,
        place.work,
        spread.strategy,
        spread.chief,
    )


def _make_network(task: Task, config: TrainConfig, base: bundle.Bundle | None) -> keras.Model:
    """Return a new network, or that of `base` with a new last layer where the classes differ."""
    if base is None:
        return model.build(config.arch, len(task.classes))
    path = base.graph.with_name(KERAS_FILE)
    try:
        network = keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"--from: {base.name} has no usable {KERAS_FILE}, which training starts from; "
            f"bundles made by emnist train have one ({' '.join(str(error).split())[:80]})"
        ) from None
    same = base.manifest is not None and base.manifest.classes == task.classes
    return network if same else model.rebuild_head(network, len(task.classes))


def _run(trainer: Trainer, watch: Watch, tensorboard: Path | None) -> bool:
    """Train; return whether that was interrupted after the first epoch."""
    writer = tf.summary.create_file_writer(str(tensorboard)) if tensorboard else None

    def on_epoch(epoch: Epoch) -> None:
        if writer:
            with writer.as_default(step=epoch.epoch):
                for name, value in epoch._asdict().items():
                    if isinstance(value, float):
                        tf.summary.scalar(name, value)
            writer.flush()
        watch.on_epoch(epoch)

    try:
        trainer.run(watch.on_step, on_epoch)
    except KeyboardInterrupt:
        if not trainer.history:
            raise
        return True
    return False


def _write_bundle(
    network: keras.Model,
    task: Task,
    config: TrainConfig,
    place: Place,
    holdout: Holdout,
    history: list[Epoch],
    interrupted: bool,
    watch: Watch,
) -> bundle.Manifest:
    """Convert, check, calibrate and score the network; write its bundle."""
    watch.on_stage("converting to LiteRT")
    graph = export.to_litert(network)
    best = max(e.epoch for e in history if e.best)
    manifest = bundle.Manifest(
        name=place.name,
        description=f"{config.arch}, trained on {task.about}",
        split=task.split,
        classes=task.classes,
        training={**dataclasses.asdict(config), "best_epoch": best, "interrupted": interrupted},
        data=({"source": task.about, "count": len(holdout.train)},),
        versions={"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
    )
    with tempfile.TemporaryDirectory(dir=place.work) as name:
        scratch = Path(name)
        path = scratch / bundle.GRAPH
        path.write_bytes(graph)
        manifest = dataclasses.replace(manifest, temperature=_check(network, path, task.pictures, holdout))
        files = {bundle.GRAPH: graph, KERAS_FILE: _to_keras(network, scratch)}
        files |= {"history.csv": curves.to_csv(history), "curves.png": curves.to_png(history, manifest.description)}
        bundle.write(scratch / place.name, manifest, files)
        if task.data_dir is not None:
            watch.on_stage("scoring on the test half")
        manifest = dataclasses.replace(manifest, metrics=_metrics(scratch / place.name, task, history, holdout))
    bundle.write(place.folder, manifest, files)
    return manifest


def _check(network: keras.Model, graph: Path, pictures: Pictures, holdout: Holdout) -> float:
    """Make sure that the converted network answers as it did; return the temperature for its answers."""
    chosen = holdout.validation if len(holdout.validation) else holdout.train[:256]
    shown = pictures.images[chosen].astype(np.float32) / np.float32(255)
    probabilities = Runtime(graph).run(shown)
    export.check_agreement(network, probabilities[:256], shown[:256])
    return fit_temperature(probabilities, pictures.labels[chosen]) if len(holdout.validation) else 1.0


def _to_keras(network: keras.Model, scratch: Path) -> bytes:
    path = scratch / KERAS_FILE
    network.save(path, include_optimizer=False)
    return path.read_bytes()


def _metrics(folder: Path, task: Task, history: list[Epoch], holdout: Holdout) -> tuple[bundle.Metric, ...]:
    """Score what will ship on the test half, which nothing was chosen by, and say what was held out of training."""
    found: list[bundle.Metric] = []
    if task.data_dir is not None:
        scored = score_split(Network(folder), task.split, "test", task.data_dir).evaluation
        on = f"{task.about}, test half"
        for name in ("accuracy", "top3", "macro_f1", "ece"):
            found.append(bundle.Metric(name, round(getattr(scored, name), 4), on, scored.count))
    best = max((e for e in history if e.best), key=lambda e: e.epoch)
    if best.val_accuracy is not None:
        on = f"{task.about}, held out of training; the best epoch was chosen by it"
        found.append(bundle.Metric("accuracy", round(best.val_accuracy, 4), on, len(holdout.validation)))
    return tuple(found)
