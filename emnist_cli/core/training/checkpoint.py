"""Save and restore the state of a training run after each epoch, as numpy archives; the trainer uses it.

`last.npz` holds every variable of the network and the optimizer (including the state of its random generators) and
the history so far. `best-N.npz` holds the network's variables after the best epoch, N. Each file appears completely
or not at all, and `last.npz` is written second: whenever a run is stopped, the best epoch that it refers to exists.
"""

import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.atomic_file import new_file
from emnist_cli.core.config import TrainConfig
from emnist_cli.core.errors import OutputError, TrainingError, UsageError
from emnist_cli.core.model_export.output_dir import LAST_CHECKPOINT
from emnist_cli.core.records import Epoch

if TYPE_CHECKING:
    import keras


_DAMAGED = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)


class State(NamedTuple):
    """Where a run stands.

    Attributes:
        task: what is being trained, as `describe_checkpoint` returns it.
        history: a record of every epoch so far.
    """

    task: dict[str, Any]
    history: list[Epoch]


def describe_checkpoint(config: TrainConfig, classes: Sequence[str], data: str, base: str = "") -> dict[str, Any]:
    """Return what two runs must agree in for one to go on where the other stopped.

    Args:
        config: how to train.
        classes: of the network.
        data: that tells these pictures from others.
        base: that tells the network that training starts from; "" for random weights.
    """
    return {**asdict(config), "classes": list(classes), "data": data, "base": base}


def save_checkpoint(folder: Path, state: State, network: "keras.Model", optimizer: "keras.Optimizer") -> None:
    """Write the state after an epoch; of the network alone too, if that epoch is the best.

    Raises:
        OutputError: it cannot be written; the checkpoint before stays good.
    """
    best = _best_file(folder, state.history)
    if state.history[-1].best:
        _write(best, network.variables, {})
    variables = [*network.variables, *optimizer.variables]
    _write(folder / LAST_CHECKPOINT, variables, {"task": state.task, "history": [e._asdict() for e in state.history]})
    for old in set(folder.glob("best-*.npz")) - {best}:
        old.unlink(missing_ok=True)


def restore(folder: Path, network: "keras.Model", optimizer: "keras.Optimizer") -> State:
    """Put back every variable; return what had happened.

    Raises:
        TrainingError: the checkpoint is damaged or another network's.
    """
    state = read_checkpoint(folder)
    _assign(folder / LAST_CHECKPOINT, [*network.variables, *optimizer.variables])
    return state


def restore_best(folder: Path, history: Sequence[Epoch], network: "keras.Model") -> None:
    """Give the network the weights of the best epoch.

    Raises:
        TrainingError: they are damaged or missing.
    """
    _assign(_best_file(folder, history), network.variables)


def has_checkpoint(folder: Path) -> bool:
    """Whether there is a run to go on with."""
    return (folder / LAST_CHECKPOINT).is_file()


def read_checkpoint(folder: Path) -> State:
    """Read where a run stands, without its variables.

    Raises:
        TrainingError: the checkpoint is damaged.
    """
    try:
        with np.load(folder / LAST_CHECKPOINT) as archive:
            found = json.loads(str(archive["about"]))
        return State(found["task"], [Epoch(**epoch) for epoch in found["history"]])
    except (*_DAMAGED, TypeError) as error:
        raise TrainingError(
            f"{folder / LAST_CHECKPOINT}: damaged checkpoint ({error}); start anew with --overwrite"
        ) from None


def check_same(folder: Path, task: dict[str, Any]) -> None:
    """Raise UsageError if the run in `folder` was started with other options or data."""
    before = read_checkpoint(folder).task
    differ = [name for name in task if before.get(name) != task[name]]
    if differ:
        told = ", ".join(f"{name} was {_brief(before.get(name))}, is {_brief(task[name])}" for name in differ)
        raise UsageError(f"--resume goes on with the same options and data only: {told}")


def discard_checkpoint(folder: Path) -> None:
    """Remove what is left of a run."""
    shutil.rmtree(folder, ignore_errors=True)


def _best_file(folder: Path, history: Sequence[Epoch]) -> Path:
    return folder / f"best-{max(e.epoch for e in history if e.best)}.npz"


def _brief(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _write(path: Path, variables: Sequence[Any], about: dict[str, Any]) -> None:
    import keras  # not above: whether there is a checkpoint is asked before TensorFlow is loaded

    arrays = {f"v{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(variables)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as file:
            np.savez(file, about=np.array(json.dumps(about)), **arrays)
    except OSError as error:
        raise OutputError(f"{path.parent}: the checkpoint cannot be written ({error.strerror or error})") from None


def _assign(path: Path, variables: Sequence[Any]) -> None:
    try:
        with np.load(path) as archive:
            values: list[NDArray[Any]] = [archive[f"v{i}"] for i in range(len(archive.files) - 1)]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    except _DAMAGED as error:
        raise TrainingError(f"{path}: damaged checkpoint, or another network's ({error})") from None
