"""Training the starter's network on the pool, with checkpoints."""

import zlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import TrainConfig
from emnist_cli.core.data.dataset import LabelledImages
from emnist_cli.core.networks import architectures
from emnist_cli.core.records import Epoch
from emnist_cli.core.training import checkpoint
from emnist_cli.core.training.input_pipeline import Holdout
from emnist_cli.core.training.trainer import Trainer

from .pool import CLASSES, Pool


def learn(
    pool: Pool,
    chosen: NDArray[np.int64],
    config: TrainConfig,
    work: Path,
    report: Callable[[Epoch], None],
    start: Path | None = None,
) -> keras.Model:
    """Train a network; an interrupted run goes on where it stopped.

    Args:
        pool: all pictures.
        chosen: which are learnt from; a source's weight says how often an epoch shows each.
        config: how to train.
        work: for checkpoints.
        report: is told of each epoch.
        start: the `work` of an earlier run, whose weights to start from.

    Returns:
        The network with the weights of the last epoch.
    """
    keras.utils.set_random_seed(config.seed)  # here, so that it does not matter what ran before
    shown = pool.shown(chosen)
    pictures = LabelledImages(pool.images, pool.labels)
    data = f"{len(shown)} pictures {zlib.crc32(pool.images[chosen[::997]].tobytes()):08x}"
    task = checkpoint.describe_checkpoint(config, CLASSES, data, start.name if start else "")
    trainer = Trainer(
        lambda: architectures.build(config.arch, len(CLASSES)), pictures, Holdout(shown, shown[:0]), config, task, work
    )
    if checkpoint.has_checkpoint(work):
        trainer.resume()
    elif start is not None:
        checkpoint.restore_best(start, checkpoint.read_checkpoint(start).history, trainer.network)
    trainer.run(on_epoch=report)
    return trainer.network
