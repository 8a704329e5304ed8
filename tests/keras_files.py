"""Networks of other projects for the tests: those that Keras 2 wrote (tests/fixtures/keras), and what it changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "fixtures" / "keras"
DIGITS, LETTERS = FOLDER / "digits.h5", FOLDER / "letters.keras"


def answers(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return pictures, float32 (n, 28, 28) in [0, 1], and what the network of that name gave for them in Keras 2."""
    with np.load(FOLDER / "answers.npz") as stored:
        return stored[name] / np.float32(255), stored[f"{name}_answers"]


def flat(units: int, shape: tuple[int, ...], activation: str | None) -> keras.Model:
    """Make the least network there can be."""
    return keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(units, activation=activation)])


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return result


def with_config(source: Path, copy: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Copy an .h5 or .keras file with another description of its network, as another Keras would have written it."""
    if source.suffix == ".h5":
        copy.write_bytes(source.read_bytes())
        with h5py.File(copy, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            change(config)
            file.attrs["model_config"] = json.dumps(config)
        return copy
    with ZipFile(source) as archive, ZipFile(copy, "w") as new:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return copy
