"""Train architectures on one split with the same budget, and compare accuracy on its test half, weights and speed.

    python benchmarks/architectures.py --split balanced --epochs 2 --seeds 1 2 --archs default vgg5 [--data-dir DIR]

The split must be there already (emnist data import). Every network sees the same pictures in the same order with
the same augmentation; a tenth of the training pictures is held out, and the best epoch on it is scored on test.
One JSON line a run on stdout, a Markdown table at the end; with --log, runs whose line is there already are kept.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

from emnist_cli.core.config import TrainConfig
from emnist_cli.core.data import dataset
from emnist_cli.core.labels import SPLITS
from emnist_cli.core.platform.tensorflow import load_tensorflow


def main() -> None:
    """Run every architecture with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", default="balanced")
    parser.add_argument("--archs", nargs="+", default=["default", "vgg5"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--no-augment", dest="augment", action="store_false")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--log", type=Path)
    args = parser.parse_args()
    load_tensorflow()
    done = [json.loads(line) for line in args.log.read_text().splitlines()] if args.log and args.log.exists() else []
    for seed in args.seeds:
        for arch in args.archs:
            config = TrainConfig(arch=arch, epochs=args.epochs, seed=seed, augment=args.augment, limit=args.limit)
            key = {"split": args.split, "arch": arch, "seed": seed, "epochs": args.epochs, "augment": args.augment,
                   "limit": args.limit}  # fmt: skip
            if any(key.items() <= run.items() for run in done):
                continue
            done.append(key | measure(config, args.split, dataset.data_folder(args.data_dir)))
            print(json.dumps(done[-1]), flush=True)
            if args.log:
                with args.log.open("a") as log:
                    log.write(json.dumps(done[-1]) + "\n")
    print_table(done)


def measure(config: TrainConfig, split: str, data_dir: Path) -> dict[str, Any]:
    """Train once; return accuracy on the test half, weights, and pictures a second after the first epoch."""
    import keras
    import numpy as np

    from emnist_cli.core.networks import architectures
    from emnist_cli.core.training import checkpoint
    from emnist_cli.core.training.input_pipeline import hold_out
    from emnist_cli.core.training.trainer import Trainer

    keras.backend.clear_session()
    keras.utils.set_random_seed(config.seed)
    pictures, test = (dataset.load_split(split, part, data_dir) for part in ("train", "test"))
    count = len(SPLITS[split].classes)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            lambda: architectures.build(config.arch, count),
            pictures,
            hold_out(pictures.labels, config),
            config,
            checkpoint.describe_checkpoint(config, "", split),
            Path(scratch),
        )
        start = time.perf_counter()
        trainer.run()
        seconds = time.perf_counter() - start
        trainer.restore_best()
    answers = np.concatenate(
        [
            trainer.network.predict_on_batch(test.images[i : i + 512, ..., None].astype(np.float32) / 255).argmax(1)
            for i in range(0, len(test.images), 512)
        ]
    )
    return {
        "accuracy": round(float((answers == test.labels).mean()), 4),
        "test": len(test.labels),
        "weights": trainer.network.count_params(),
        "pictures_per_second": round(mean(e.pictures_per_second for e in trainer.history[1:] or trainer.history)),
        "seconds": round(seconds),
    }


def print_table(runs: list[dict[str, Any]]) -> None:
    """Print one row an architecture and setting, averaged over seeds."""
    names = ("split", "arch", "epochs", "augment", "limit")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault(tuple(run[n] for n in names), []).append(run)
    print("| split | architecture | epochs | augmented | seeds | accuracy | weights | pictures/s | seconds |")
    print("| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for (split, arch, epochs, augment, _), same in groups.items():
        scores = ", ".join(f"{run['accuracy']:.4f}" for run in same)
        rate, seconds = (mean(run[n] for run in same) for n in ("pictures_per_second", "seconds"))
        told = f"{'yes' if augment else 'no'} | {len(same)} | {scores} | {same[0]['weights']:,}"
        print(f"| {split} | {arch} | {epochs} | {told} | {rate:,.0f} | {seconds:,.0f} |")


if __name__ == "__main__":
    main()
