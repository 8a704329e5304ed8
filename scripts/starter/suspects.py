"""UNIPEN characters whose label is wrong or that nobody could read, found by cross-validation.

The writers are divided into folds; a small network that has not seen a writer reads his characters, in several
drawings each. Where it is sure of another answer, and its answer is no look-alike of the label, the character is a
suspect and left out of training. The idea is that of Northcutt, Jiang and Chuang, "Confident learning: estimating
uncertainty in dataset labels", JAIR 70, 2021, with a fixed threshold in place of one for each class.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.config import TrainConfig
from emnist_cli.core.records import Epoch

from .learn import learn
from .pool import CLASSES, Pool

FOLDS = 3
SURE = 0.7
"""Mean probability of the network's own answer, with its look-alikes, from which it counts as sure."""

UNLIKELY = 0.02
"""Mean probability of the label and its look-alikes together below which it counts as ruled out."""

LOOK_ALIKE = (
    "0OoQD", "1lIiJj7", "2Zz", "3zZ", "4Yy", "5Ss", "6b", "8B", "9gqy", "aodu", "cCeG", "ftT", "hnk", "uvUVnr",
    "kK", "mM", "pP", "rR", "wW", "xX",
)  # fmt: skip
"""Characters that a legible hand may well write alike; confusing these says nothing against the label."""


def find(
    pool: Pool, writers: list[str], work: Path, seed: int, epochs: int = 3, report: Callable[[str], None] = print
) -> NDArray[np.bool_]:
    """Tell which of UNIPEN's characters are suspects.

    Args:
        pool: with the source "unipen".
        writers: of each of its items.
        work: for checkpoints and the result; one that is there is used.
        seed: of folds and training.
        epochs: of training each fold.
        report: is told how it goes.

    Returns:
        bool (items,).
    """
    path = work / "suspects.npz"
    if not path.exists():
        mean = _read_unseen(pool, writers, work, seed, epochs, report)
        scratch = path.with_name(".suspects.npz")
        np.savez(scratch, mean=mean)
        scratch.replace(path)
    mean = np.load(path)["mean"]
    truth = np.full(len(writers), -1)
    drawn = pool.of("unipen")
    truth[pool.item[drawn]] = pool.labels[drawn]
    likeness = _likeness()
    believed = (mean * likeness[truth]).sum(axis=1)
    # A bar that is labelled H is split between 1, l and I: sure is who is sure of one group.
    found: NDArray[np.bool_] = (truth >= 0) & ((mean @ likeness).max(axis=1) > SURE) & (believed < UNLIKELY)
    return found


def _read_unseen(
    pool: Pool, writers: list[str], work: Path, seed: int, epochs: int, report: Callable[[str], None]
) -> NDArray[np.float32]:
    """Return mean probabilities of every character, float32 (items, 62), by networks that do not know its writer."""
    names = sorted(set(writers))
    shuffled = np.random.default_rng(seed).permutation(names).tolist()
    fold_of = dict(zip(shuffled, np.arange(len(names)) % FOLDS, strict=True))
    fold = np.array([fold_of[w] for w in writers])
    drawn = pool.of("unipen")
    mean = np.zeros((len(writers), len(CLASSES)), np.float32)
    for number in range(FOLDS):
        mine = fold[pool.item[drawn]] == number
        config = TrainConfig(arch="classic", epochs=epochs, seed=seed, validation=0)
        network = learn(
            pool, drawn[~mine][::2], config, work / f"fold-{number}",
            functools.partial(_report, report, number + 1),
        )  # fmt: skip
        for start in range(0, mine.sum(), 4096):
            some = drawn[mine][start : start + 4096]
            answers = network.predict_on_batch(pool.images[some].astype(np.float32)[..., None] / 255)
            np.add.at(mean, pool.item[some], answers)
    total: NDArray[np.float32] = np.maximum(mean.sum(axis=1, keepdims=True), np.float32(1e-9))
    return mean / total


def _report(report: Callable[[str], None], fold: int, epoch: Epoch) -> None:
    report(f"fold {fold}, epoch {epoch.epoch}: {epoch.accuracy:.3f}")


def _likeness() -> NDArray[np.float32]:
    """Which characters may look alike: float32 (62, 62), 1 on the diagonal and between cases too."""
    alike = np.eye(len(CLASSES), dtype=np.float32)
    for group in (*LOOK_ALIKE, *(c + c.upper() for c in CLASSES if c.islower() and c in "cijklmopsuvwxyz")):
        mine = [CLASSES.index(c) for c in group if c in CLASSES]
        alike[np.ix_(mine, mine)] = 1
    return alike
