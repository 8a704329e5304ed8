"""The training loop, run by `training.job`: steps, validation, checkpoints and a record for every epoch."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emnist_cli.core.config import TrainConfig
from emnist_cli.core.data.dataset import LabelledImages
from emnist_cli.core.errors import TrainingError
from emnist_cli.core.platform.interrupts import interrupts_held
from emnist_cli.core.records import Epoch
from emnist_cli.core.training import checkpoint
from emnist_cli.core.training.input_pipeline import Holdout, batch_size, training_batches, validation_batches
from emnist_cli.core.training.step import Steps, training_steps, validation_steps

_LOOK_EVERY = 0.3  # seconds between two looks at how training goes
_VALIDATION_BATCH = 512

_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.InternalError,
         tf.errors.DeadlineExceededError)  # fmt: skip


class EpochProgress(NamedTuple):
    """How the epoch at hand goes.

    Attributes:
        epoch, epochs: its number, from 1, and how many there will be.
        step, steps: of this epoch.
        loss, accuracy: means over the epoch so far.
        pictures_per_second: over the epoch so far.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    pictures_per_second: float


class Trainer:
    """Trains one network on one set of pictures, on whatever devices `strategy` stands for."""

    def __init__(
        self,
        make_network: Callable[[], keras.Model],
        pictures: LabelledImages,
        holdout: Holdout,
        config: TrainConfig,
        task: dict[str, Any],
        folder: Path,
        strategy: tf.distribute.Strategy | None = None,
        chief: bool = True,
    ) -> None:
        """Make the network and the optimizer.

        Args:
            make_network: called once, where the strategy wants its variables made.
            pictures: all training pictures.
            holdout: which are trained on, and which choose the best epoch.
            config: how to train.
            task: what `checkpoint.describe_checkpoint` says of this run.
            folder: where checkpoints go.
            strategy: how work is spread over devices; None for one.
            chief: whether this process writes the checkpoints.

        Raises:
            TrainingError: there are no pictures to train on.
        """
        self._pictures, self._holdout, self._config = pictures, holdout, config
        self._task, self._folder, self._chief = task, folder, chief
        self._strategy = strategy or tf.distribute.get_strategy()
        self.size = batch_size(config, len(holdout.train), self._strategy)
        self.steps = len(holdout.train) // self.size
        self._schedule = keras.optimizers.schedules.CosineDecay(config.learning_rate, self.steps * config.epochs)
        with self._strategy.scope():
            self.network = make_network()
            self._optimizer: keras.Optimizer = keras.optimizers.Adam(self._schedule)
            if keras.mixed_precision.dtype_policy().compute_dtype == "float16":
                self._optimizer = keras.mixed_precision.LossScaleOptimizer(self._optimizer)
            self._optimizer.build(self.network.trainable_variables)
        self.history: list[Epoch] = []

    def resume(self) -> None:
        """Go on where the run in `folder` stopped.

        Raises:
            UsageError: it was started with other options.
            TrainingError: its checkpoint is damaged.
        """
        checkpoint.check_same(self._folder, self._task)
        self.history = checkpoint.restore(self._folder, self.network, self._optimizer).history

    def run(
        self,
        on_step: Callable[[EpochProgress], None] = lambda progress: None,
        on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    ) -> None:
        """Train to the last epoch, or until patience is at its end.

        Args:
            on_step: called a few times a second.
            on_epoch: called after each epoch, when its checkpoint is written.

        Raises:
            TrainingError: the loss is no number, memory is out, or a worker is gone.
        """
        try:
            for epoch in self.epochs(on_step):
                on_epoch(epoch)
        except tf.errors.ResourceExhaustedError:
            smaller = max(self.size // 2, 1)
            raise TrainingError(f"out of memory with batches of {self.size}; try --batch-size {smaller}") from None
        except _LOST as error:
            if self._strategy.num_replicas_in_sync == 1:
                raise
            raise TrainingError(
                f"another worker is gone ({type(error).__name__}); start all again with --resume to go on after "
                f"epoch {len(self.history)}"
            ) from None

    def restore_best(self) -> None:
        """Give the network the weights of its best epoch."""
        checkpoint.restore_best(self._folder, self.history, self.network)

    def epochs(self, on_step: Callable[[EpochProgress], None] = lambda progress: None) -> Iterator[Epoch]:
        """Train epoch by epoch; each is yielded when its checkpoint is written. `run` says what is raised."""
        first = len(self.history) * self.steps
        batches = iter(training_batches(self._pictures, self._holdout.train, self._config, first, self._strategy))
        steps = training_steps(self.network, self._optimizer, self.size, self._strategy)
        validate = validation_steps(self.network, self._strategy)
        while len(self.history) < self._config.epochs and not self._out_of_patience():
            start = time.perf_counter()
            totals = self._train_epoch(steps, batches, on_step)
            seconds = time.perf_counter() - start
            self._end_epoch(totals, seconds, self._validate(validate))
            yield self.history[-1]

    def _train_epoch(
        self, steps: Steps, batches: Iterator[Any], on_step: Callable[[EpochProgress], None]
    ) -> NDArray[np.float64]:
        """Run one epoch, looking at it about three times a second; return the sums of loss and right answers."""
        totals, done, at_once = np.zeros(2), 0, 1
        start = time.perf_counter()
        while done < self.steps:
            before = time.perf_counter()
            count = min(at_once, self.steps - done)
            totals += steps(batches, count)
            done += count
            self._check(totals, done)
            now = time.perf_counter()
            # The first call of all compiles; what it took says nothing about the others.
            # Machines that work together must all run the same number: they wait for each other within each step.
            if self._strategy.num_replicas_in_sync == 1:
                at_once = max(1, min(round(count * _LOOK_EVERY / (now - before)), at_once * 4))
            loss, accuracy = totals / (done * self.size)
            rate = done * self.size / (now - start)
            epoch = len(self.history) + 1
            on_step(EpochProgress(epoch, self._config.epochs, done, self.steps, float(loss), float(accuracy), rate))
        return totals

    def _check(self, totals: NDArray[np.float64], step: int) -> None:
        if math.isfinite(totals[0]):
            return
        kept = f"; the best of {len(self.history)} epochs is kept" if self.history else ""
        raise TrainingError(
            f"the loss is no number any more, in epoch {len(self.history) + 1} by step {step}; "
            f"try --learning-rate {self._config.learning_rate / 10:g}{kept}"
        )

    def _validate(self, validate: Steps) -> tuple[float, float] | None:
        """Return loss and accuracy on the held-out pictures, if there are any."""
        held = self._holdout.validation
        if not len(held):
            return None
        devices = self._strategy.num_replicas_in_sync
        size = -(-min(_VALIDATION_BATCH, len(held)) // devices) * devices
        batches = iter(validation_batches(self._pictures, held, size, self._strategy))
        loss, right = validate(batches, -(-len(held) // size)) / len(held)
        self._check(np.array([loss]), self.steps)
        return float(loss), float(right)

    def _end_epoch(self, totals: NDArray[np.float64], seconds: float, validation: tuple[float, float] | None) -> None:
        count = self.steps * self.size
        loss, accuracy = totals / count
        number = len(self.history) + 1
        val_loss, val_accuracy = validation or (None, None)
        epoch = Epoch(
            epoch=number,
            loss=float(loss),
            accuracy=float(accuracy),
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            seconds=seconds,
            pictures_per_second=count / seconds,
            learning_rate=float(self._schedule((number - 1) * self.steps)),
            best=self._is_best(validation),
        )
        history = [*self.history, epoch]
        with interrupts_held():  # or the history could tell of an epoch that the checkpoint does not have
            if self._chief:
                state = checkpoint.State(self._task, history)
                checkpoint.save_checkpoint(self._folder, state, self.network, self._optimizer)
            self.history = history

    def _is_best(self, validation: tuple[float, float] | None) -> bool:
        """By accuracy, then by loss, on the held-out pictures; without any, the last epoch is the best."""
        if validation is None:
            return True
        loss, accuracy = validation
        return all(
            (accuracy, -loss) > (e.val_accuracy, -e.val_loss)
            for e in self.history
            if e.val_accuracy is not None and e.val_loss is not None
        )

    def _out_of_patience(self) -> bool:
        best = max((e.epoch for e in self.history if e.best), default=0)
        return 0 < self._config.patience <= len(self.history) - best
