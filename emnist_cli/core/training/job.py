"""A whole training run, for `emnist train`: train a network, then leave a bundle that the other commands use."""

import dataclasses
import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from emnist_cli.core import bundle
from emnist_cli.core.config import TrainConfig
from emnist_cli.core.data.dataset import LabelledImages
from emnist_cli.core.model_export.network_source import load_network
from emnist_cli.core.model_export.output_dir import OutputDir, locked
from emnist_cli.core.networks import architectures
from emnist_cli.core.networks.keras_file import KERAS_FILE
from emnist_cli.core.platform.interrupts import interrupts_held
from emnist_cli.core.records import Epoch
from emnist_cli.core.training import checkpoint
from emnist_cli.core.training.input_pipeline import Holdout, hold_out
from emnist_cli.core.training.package_model import Trained, write_trained_bundle
from emnist_cli.core.training.precision import precision
from emnist_cli.core.training.strategy import DistributionStrategy, make_strategy
from emnist_cli.core.training.trainer import EpochProgress, Trainer
from emnist_cli.core.training.training_data import TrainingData

_SAMPLE = 2000  # pictures by which a network's norms are measured


class TrainingJob(NamedTuple):
    """What is to be trained.

    Attributes:
        task: what to train on.
        config: how.
        place: where the bundle goes.
        base: a bundle whose network training starts from; None for random weights.
        threads: that scoring uses; None for every core.
    """

    task: TrainingData
    config: TrainConfig
    place: OutputDir
    base: bundle.Bundle | None = None
    threads: int | None = None


class Watch(NamedTuple):
    """What a run tells while it goes on.

    Attributes:
        on_step: called a few times a second.
        on_epoch: called after each epoch.
        on_stage: called with what is done next, in words.
    """

    on_step: Callable[[EpochProgress], None] = lambda progress: None
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
    plan: TrainingJob,
    *,
    resume: bool = False,
    strategy: str = "one",
    tensorboard: Path | None = None,
    watch: Watch = Watch(),  # noqa: B008 - it has no state
) -> Outcome:
    """Train a network and write its bundle.

    Ctrl-C ends training; the best epoch so far becomes a bundle all the same, and the checkpoint stays.

    Args:
        plan: what is to be trained.
        resume: go on from the checkpoint.
        strategy: a name of `strategy.STRATEGIES`.
        tensorboard: folder for logs that TensorBoard reads.
        watch: told how it goes.

    Raises:
        UsageError, OutputError, TrainingError, ModelError: see `Trainer`, `make_strategy`; the checkpoint is left.
        KeyboardInterrupt: interrupted before the first epoch was over.
    """
    keras.config.set_image_data_format("channels_last")  # whatever the user's own projects want
    keras.utils.clear_session()  # or a second run in one process would name its layers otherwise
    keras.utils.set_random_seed(plan.config.seed)
    distribution = make_strategy(strategy, plan.config.batch_size)
    holdout = hold_out(plan.task.pictures.labels, plan.config)
    with locked(plan.place) if distribution.chief else nullcontext():
        with precision(plan.config):
            trainer = _make_trainer(plan, holdout, distribution)
            if resume:
                trainer.resume()
            elif distribution.chief:
                checkpoint.discard_checkpoint(plan.place.work)
            interrupted = _run(trainer, watch, tensorboard if distribution.chief else None)
        if not distribution.chief:
            return Outcome(None, trainer.history, interrupted)
        with interrupts_held():
            manifest = _finish(plan, trainer, holdout, interrupted, watch)
    return Outcome(manifest, trainer.history, interrupted)


def _make_trainer(plan: TrainingJob, holdout: Holdout, distribution: DistributionStrategy) -> Trainer:
    origin = ""
    if plan.base and plan.base.manifest:
        files = plan.base.manifest.files
        origin = str(files.get(KERAS_FILE, files[bundle.GRAPH])["sha256"])
    return Trainer(
        lambda: _make_network(plan),
        plan.task.pictures,
        holdout,
        plan.config,
        checkpoint.describe_checkpoint(plan.config, plan.task.classes, _digest(plan.task.pictures), origin),
        plan.place.work,
        distribution.strategy,
        distribution.chief,
    )


def _digest(pictures: LabelledImages) -> str:
    """What tells these pictures and labels from others."""
    digest = hashlib.sha256(pictures.labels.tobytes())
    for start in range(0, len(pictures.images), 4096):
        digest.update(pictures.images[start : start + 4096].tobytes())
    return digest.hexdigest()


def _make_network(plan: TrainingJob) -> keras.Model:
    """Return a new network, or that of the base with a new last layer where the classes differ."""
    base, classes = plan.base, plan.task.classes
    if base is None or base.manifest is None:
        return architectures.build(plan.config.arch, len(classes))
    images = plan.task.pictures.images
    some = images[:: max(1, len(images) // _SAMPLE)].astype(np.float32) / np.float32(255)
    network = load_network(base, some)
    return network if base.manifest.classes == classes else architectures.rebuild_head(network, len(classes))


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


def _finish(plan: TrainingJob, trainer: Trainer, holdout: Holdout, interrupted: bool, watch: Watch) -> bundle.Manifest:
    """Make a bundle of the best epoch; remove the checkpoint if training was complete."""
    trainer.restore_best()
    network = _make_network(plan)  # in float32, on one device
    network.set_weights(trainer.network.get_weights())
    best = max(e.epoch for e in trainer.history if e.best)
    training = {**dataclasses.asdict(plan.config), "best_epoch": best, "interrupted": interrupted}
    if plan.base:
        training["from"] = plan.base.name
    trained = Trained(network, plan.task, holdout, trainer.history, training)
    manifest = write_trained_bundle(trained, plan.place, plan.threads, watch.on_stage)
    if not interrupted:
        checkpoint.discard_checkpoint(plan.place.work)
    return manifest
