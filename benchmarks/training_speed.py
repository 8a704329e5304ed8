"""Measure images per second of `emnist train`'s loop beside bare `model.fit` on arrays in memory.

    python benchmarks/training_speed.py [--split balanced] [--arch classic] [--data-dir DIR] [--rounds 5]

All in one process, in turn: an epoch of `fit`, one of ours without augmentation, one of ours with it; the first
round compiles and does not count. The medians and their ratios to `fit` are printed.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from emnist_cli.core.config import TrainConfig
from emnist_cli.core.data import dataset
from emnist_cli.core.labels import SPLITS
from emnist_cli.core.platform.tensorflow import load_tensorflow


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", default="balanced")
    parser.add_argument("--arch", default="classic")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    load_tensorflow()
    pictures = dataset.load_split(args.split, "train", dataset.data_folder(args.data_dir))
    config = TrainConfig(arch=args.arch, augment=False, validation=0, epochs=1000)
    classes = len(SPLITS[args.split].classes)
    with tempfile.TemporaryDirectory() as scratch:
        ways = {
            "model.fit": fit(pictures, config, classes),
            "emnist train --no-augment": ours(pictures, config, classes, Path(scratch) / "plain"),
            "emnist train": ours(pictures, replace(config, augment=True), classes, Path(scratch) / "augmented"),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(args.rounds + 1):
            for name, epoch in ways.items():
                start = time.perf_counter()
                epoch()
                rates[name].append(len(pictures.labels) / (time.perf_counter() - start))
    base = median(rates["model.fit"][1:])
    for name, found in rates.items():
        counted = found[1:]
        spread = f"{min(counted):,.0f}..{max(counted):,.0f}"
        print(f"{name:28} {median(counted):8,.0f} pictures/s ({spread}), {median(counted) / base:.2f} of model.fit")


def fit(pictures: dataset.LabelledImages, config: TrainConfig, classes: int) -> Callable[[], Any]:
    """Return what runs one epoch of Keras' own loop, on float32 pictures in memory."""
    import keras
    import numpy as np

    from emnist_cli.core.networks import architectures

    x = pictures.images[..., None].astype(np.float32) / np.float32(255)
    network = architectures.build(config.arch, classes)
    network.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return lambda: network.fit(x, pictures.labels, batch_size=config.batch_size, epochs=1, verbose=0)


def ours(pictures: dataset.LabelledImages, config: TrainConfig, classes: int, folder: Path) -> Callable[[], Any]:
    """Return what runs one epoch of `emnist train`, its checkpoint included."""
    from emnist_cli.core.networks import architectures
    from emnist_cli.core.training import checkpoint
    from emnist_cli.core.training.input_pipeline import hold_out
    from emnist_cli.core.training.trainer import Trainer

    trainer = Trainer(
        lambda: architectures.build(config.arch, classes),
        pictures,
        hold_out(pictures.labels, config),
        config,
        checkpoint.describe_checkpoint(config, "", ""),
        folder,
    )
    epochs = trainer.epochs()
    return lambda: next(epochs)


if __name__ == "__main__":
    main()
