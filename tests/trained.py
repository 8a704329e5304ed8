"""Trained and exported models for the tests; tests/conftest.py has each made once a session."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.small_data import pictures


def train_network(path: Path, arch: str) -> None:
    """Train a network to tell A, g and 7, and write it for Keras."""
    import keras

    from emnist_cli.core.networks import architectures

    keras.utils.set_random_seed(1)
    network = architectures.build(arch, 3)
    some = pictures("Ag7", "train")
    network.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    network.fit(some.images[..., None] / np.float32(255), some.labels, epochs=15, batch_size=24, verbose=0)
    network.save(path, include_optimizer=False)


def export_onnx(path: Path) -> None:
    """Export the starter with the command, and hold what it prints."""
    command = [sys.executable, "-m", "emnist_cli", "export", "--to", "onnx", "--out", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done
    written, form, size, difference, agreement, count = done.stdout.removesuffix("\n").split("\t")
    assert (written, form, int(size), count) == (str(path), "onnx", path.stat().st_size, "256")
    assert float(difference) < 0.1
    assert float(agreement) > 0.98
    assert done.stderr == f"emnist: use it: emnist predict --model {path} PATH\n", "no library says anything"
