"""Train the model that ships in the package, measure it, and write its bundle and its card.

    python scripts/train_starter.py DATA --fonts FOLDER [--work FOLDER] [--out FOLDER] [--unlicensed]

DATA holds emnist/gzip.zip and sources.npz, strokes/unipen.npz and tablet.json, and scans/ of original pictures;
docs/model/starter.md says where each is to be had. FOLDER of fonts holds the .woff files that starter/fonts.py names.
Every stage keeps what it made in the work folder, and training writes a checkpoint after each epoch: an interrupted
run goes on where it stopped. Takes about two hours on two cores.
"""

import argparse
import sys
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from emnist_cli.core import bundle
from emnist_cli.core.config import TrainConfig
from emnist_cli.core.data.startup import load_tensorflow
from emnist_cli.core.records import Epoch

load_tensorflow()

from starter import package, pool, recipe, strokes, suspects  # noqa: E402
from starter.learn import learn  # noqa: E402


def main() -> None:
    """Run the whole recipe."""
    args = arguments()
    keras.utils.set_random_seed(args.seed)
    drawn = pool.make(args.work / "pool", recipe.sources(args.data, args.fonts, args.seed), args.seed)
    writers = [c.writer for c in strokes.read_unipen(args.data / "strokes/unipen.npz", "train")]
    doubtful = suspects.find(drawn, writers, args.work, args.seed)
    print(f"{doubtful.sum():,} of {len(doubtful):,} UNIPEN characters are suspects, and left out")
    chosen = choose(drawn, doubtful, args.unlicensed)
    config = TrainConfig(
        arch="default", epochs=args.epochs, batch_size=256, learning_rate=args.learning_rate, seed=args.seed,
        validation=0,
    )  # fmt: skip
    name = "all" if args.unlicensed else "licensed"
    network = learn(drawn, chosen, config, args.work / name, report, args.start)
    package.write(network, drawn, chosen, config, args.data, args.out)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=bundle.PACKAGED / bundle.DEFAULT_MODEL)
    parser.add_argument("--work", type=Path, default=Path("build/starter"), help="for drawn pictures and checkpoints")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--learning-rate", type=float, default=0.0028)
    parser.add_argument("--start", type=Path, help="folder of checkpoints of an earlier run, to start from its weights")
    parser.add_argument("--unlicensed", action="store_true", help="learn from the sources without a licence too")
    parser.add_argument("--seed", type=int, default=TrainConfig.seed)
    return parser.parse_args()


def choose(drawn: pool.Pool, doubtful: NDArray[np.bool_], unlicensed: bool) -> NDArray[np.int64]:
    """Return the indexes of the pictures to learn from."""
    names = [*recipe.LICENSED, *(recipe.UNLICENSED if unlicensed else ())]
    chosen = drawn.of(*names)
    unipen = np.isin(chosen, drawn.of("unipen", "unipen-photo"))
    return chosen[~(unipen & doubtful[np.where(unipen, drawn.item[chosen], 0)])]


def report(epoch: Epoch) -> None:
    """Print one epoch's figures."""
    print(
        f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.4f} (augmented training pictures), "
        f"{epoch.seconds:.0f} s, {epoch.pictures_per_second:,.0f} pictures/s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
