"""Training, for real but small: it learns, goes on where it stopped, and says what went wrong."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from emnist_cli.core.config import TrainConfig  # noqa: E402
from emnist_cli.core.data.dataset import LabelledImages  # noqa: E402
from emnist_cli.core.errors import OutputError, TrainingError, UsageError  # noqa: E402
from emnist_cli.core.networks import architectures  # noqa: E402
from emnist_cli.core.platform.interrupts import interrupts_held  # noqa: E402
from emnist_cli.core.records import Epoch  # noqa: E402
from emnist_cli.core.training import checkpoint  # noqa: E402
from emnist_cli.core.training import trainer as trainers  # noqa: E402
from emnist_cli.core.training.input_pipeline import hold_out  # noqa: E402
from emnist_cli.core.training.trainer import EpochProgress, Trainer  # noqa: E402
from tests.small_data import pictures  # noqa: E402

CONFIG = TrainConfig(arch="classic", epochs=4, batch_size=8, seed=3, augment=False, validation=0.2)


@pytest.fixture(scope="module")
def four() -> LabelledImages:
    return pictures("OLVX", "train")


def make(four: LabelledImages, config: TrainConfig, folder: Path, **how: Any) -> Trainer:
    keras.utils.set_random_seed(config.seed)
    task = checkpoint.describe_checkpoint(config, "OLVX", "strokes")
    return Trainer(
        lambda: architectures.build(config.arch, 4), four, hold_out(four.labels, config), config, task, folder, **how
    )


def variables(trainer: Trainer) -> list[Any]:
    return [keras.ops.convert_to_numpy(v) for v in trainer.network.variables]


def equal(one: list[Any], other: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.slow
def test_it_learns_and_tells_how_it_goes(four: LabelledImages, tmp_path: Path) -> None:
    trainer = make(four, replace(CONFIG, epochs=12), tmp_path)
    seen: list[EpochProgress] = []
    epochs: list[Epoch] = []
    trainer.run(seen.append, epochs.append)
    assert epochs == trainer.history
    assert [e.epoch for e in epochs] == list(range(1, 13))
    assert max(e.val_accuracy or 0 for e in epochs) > 0.9
    assert epochs[-1].loss < epochs[0].loss
    assert epochs[0].learning_rate == pytest.approx(CONFIG.learning_rate)
    assert 0 < epochs[-1].learning_rate < CONFIG.learning_rate / 10
    assert [p.epoch for p in seen] == sorted(p.epoch for p in seen)
    assert all(any(p.epoch == e.epoch and p.step == p.steps for p in seen) for e in epochs)


@pytest.mark.slow
def test_the_best_epoch_is_the_best_on_held_out_pictures(four: LabelledImages, tmp_path: Path) -> None:
    trainer = make(four, replace(CONFIG, epochs=6), tmp_path)
    kept: dict[int, list[Any]] = {}
    trainer.run(on_epoch=lambda epoch: kept.update({epoch.epoch: variables(trainer)}))
    best = max(e.epoch for e in trainer.history if e.best)
    assert (trainer.history[best - 1].val_accuracy or 0) == max(e.val_accuracy or 0 for e in trainer.history)
    trainer.restore_best()
    assert equal(variables(trainer), kept[best])


@pytest.mark.slow
def test_without_held_out_pictures_the_last_epoch_counts(four: LabelledImages, tmp_path: Path) -> None:
    trainer = make(four, replace(CONFIG, epochs=2, validation=0), tmp_path)
    trainer.run()
    assert [(e.val_accuracy, e.best) for e in trainer.history] == [(None, True)] * 2


@pytest.mark.slow
@pytest.mark.parametrize("augment", [False, True])
def test_an_interrupted_run_ends_bit_equal_to_one_that_was_not(
    four: LabelledImages, augment: bool, tmp_path: Path
) -> None:
    """With dropout, batch norm, Adam's moments and the schedule; on one CPU."""
    config = replace(CONFIG, augment=augment)
    whole = make(four, config, tmp_path / "whole")
    whole.run()
    interrupted = make(four, config, tmp_path / "parts")

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted.run(on_epoch=stop)
    resumed = make(four, replace(config), tmp_path / "parts")
    resumed.resume()
    assert len(resumed.history) == 2
    resumed.run()
    assert equal(variables(resumed), variables(whole))
    figures = [(e.loss, e.accuracy, e.val_loss, e.val_accuracy, e.best) for e in whole.history]
    assert np.allclose(
        np.array([(e.loss, e.accuracy, e.val_loss, e.val_accuracy, e.best) for e in resumed.history], float),
        np.array(figures, float),
        rtol=1e-12,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("at", "ending"), [("best-", KeyboardInterrupt), ("last", OutputError)])
def test_a_run_that_ends_while_a_checkpoint_is_written_keeps_what_it_tells_of(
    four: LabelledImages, at: str, ending: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever file is being written in the third epoch, the best of two epochs is there."""
    trainer = make(four, replace(CONFIG, epochs=9, validation=0), tmp_path)  # every epoch is the best
    kept: dict[int, list[Any]] = {}
    write = checkpoint._write

    def stop(path: Path, *args: Any) -> None:
        if path.name.startswith(at) and len(trainer.history) == 2:
            raise ending
        write(path, *args)

    monkeypatch.setattr(checkpoint, "_write", stop)
    with pytest.raises(ending):
        trainer.run(on_epoch=lambda epoch: kept.update({epoch.epoch: variables(trainer)}))
    assert len(trainer.history) == len(checkpoint.read_checkpoint(tmp_path).history) == 2
    trainer.restore_best()
    assert equal(variables(trainer), kept[2])


def test_ctrl_c_waits_until_the_checkpoint_is_whole() -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        signal.raise_signal(signal.SIGINT)
        done = True
    assert done


@pytest.mark.slow
def test_a_run_goes_on_with_the_same_options_only(four: LabelledImages, tmp_path: Path) -> None:
    make(four, replace(CONFIG, epochs=1), tmp_path).run()
    with pytest.raises(UsageError, match=r"same options and data only: epochs was 1, is 2; |epochs was 1, is 2"):
        make(four, replace(CONFIG, epochs=2), tmp_path).resume()


@pytest.mark.slow
def test_a_damaged_checkpoint(four: LabelledImages, tmp_path: Path) -> None:
    make(four, replace(CONFIG, epochs=1), tmp_path).run()
    path = tmp_path / "last.npz"
    again = make(four, replace(CONFIG, epochs=1), tmp_path)
    for damaged in (path.read_bytes()[:-2000], b"nothing", b""):
        path.write_bytes(damaged)
        with pytest.raises(TrainingError, match="damaged checkpoint"):
            again.resume()


@pytest.mark.slow
def test_patience_ends_a_run(four: LabelledImages, tmp_path: Path) -> None:
    trainer = make(four, replace(CONFIG, epochs=60, patience=2), tmp_path)
    trainer.run()
    best = max(e.epoch for e in trainer.history if e.best)
    assert len(trainer.history) == best + 2 < 60


def test_a_loss_that_is_no_number_stops_with_advice(four: LabelledImages, tmp_path: Path) -> None:
    trainer = make(four, replace(CONFIG, arch="twolayer", learning_rate=1e25), tmp_path)
    with pytest.raises(TrainingError, match=r"no number any more, in epoch \d by step \d+; try --learning-rate 1e\+24"):
        trainer.run()


def test_out_of_memory_says_which_batch(four: LabelledImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def steps(*args: object) -> Any:
        def run(*args: object) -> None:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

        return run

    monkeypatch.setattr(trainers, "training_steps", steps)
    with pytest.raises(TrainingError, match="out of memory with batches of 8; try --batch-size 4"):
        make(four, CONFIG, tmp_path).run()


def test_nothing_to_train_on(tmp_path: Path) -> None:
    empty = LabelledImages(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64))
    with pytest.raises(TrainingError, match="there are 0 pictures to train on"):
        make(empty, CONFIG, tmp_path)


@pytest.mark.slow
def test_two_devices_train_as_one_does(four: LabelledImages, tmp_path: Path) -> None:
    """The same batches; lenet5 has neither dropout nor batch norm, which see half a batch each."""
    config = replace(CONFIG, arch="lenet5", epochs=3)
    alone = make(four, config, tmp_path / "one")
    alone.run()
    devices = [d.name for d in tf.config.list_logical_devices("CPU")[:2]]
    assert len(devices) == 2
    both = make(four, config, tmp_path / "two", strategy=tf.distribute.MirroredStrategy(devices))
    both.run()
    for one, two in zip(alone.history, both.history, strict=True):
        assert two.loss == pytest.approx(one.loss, rel=1e-3)
        assert two.val_loss == pytest.approx(one.val_loss, rel=1e-3)


def test_augmentation_varies_but_stays_a_picture(four: LabelledImages) -> None:
    from emnist_cli.core.networks.augmentation import augment

    batch = tf.constant(four.images[..., None] / np.float32(255))
    one, same, other = (augment(batch, tf.constant(seed)).numpy() for seed in ([1, 2], [1, 2], [1, 3]))
    assert np.array_equal(one, same)
    assert np.abs(one - other).mean() > 0.01
    assert one.shape == batch.shape
    assert 0 <= one.min() <= one.max() <= 1
    ink = one.sum(axis=(1, 2, 3)) / batch.numpy().sum(axis=(1, 2, 3))
    assert 0.3 < ink.min() < ink.max() < 4, "the character is still there, and not all is ink"


@pytest.mark.slow
def test_mixed_precision_keeps_weights_in_float32(four: LabelledImages, tmp_path: Path) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        trainer = make(four, replace(CONFIG, epochs=12), tmp_path)
        trainer.run()
    finally:
        keras.config.set_dtype_policy("float32")
    assert {v.dtype for v in trainer.network.trainable_variables} == {"float32"}
    assert max(e.val_accuracy or 0 for e in trainer.history) > 0.9
