"""Train the model that ships in the package, measure it, and write its bundle and its card.

    python scripts/train_starter.py DATA --fonts FOLDER [--work FOLDER] [--out FOLDER]

docs/model/starter.md says what DATA holds and where each part of it is to be had; FOLDER of fonts holds the .woff files
that starter/fonts.py names. The network learns in stages: long and fast, then from fresh drawings, ever more slowly.
All that is made stays in the work folder, with a checkpoint after each epoch: an interrupted run goes on where it
stopped. Takes about two hours on two cores.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from starter import pool, recipe

from emnist_cli.core import bundle
from emnist_cli.core.config import TrainConfig
from emnist_cli.core.errors import EmnistError

if TYPE_CHECKING:
    from emnist_cli.core.records import Epoch

ROOT = Path(__file__).parent.parent


class Stage(NamedTuple):
    """A training run that starts from the one before."""

    epochs: int
    learning_rate: float


FIRST = Stage(14, 0.0028)
THEN = (Stage(6, 0.0015), Stage(3, 0.0008))
"""From fresh drawings, with the sources without a licence where they are asked for."""


def main() -> None:
    """Run the whole recipe."""
    args = arguments()
    try:
        run(args)
    except (EmnistError, OSError, ValueError) as error:
        sys.exit(f"train_starter: {error}")


def run(args: argparse.Namespace) -> None:
    """Draw, find suspects, learn, package, write the card.

    Raises:
        EmnistError, OSError, ValueError: something is missing, or cannot be read or written.
    """
    found = recipe.sources(args.data, args.fonts, args.seed)
    from emnist_cli.core.platform.tensorflow import load_tensorflow

    load_tensorflow()
    from starter import card, package, suspects
    from starter.learn import learn

    first = pool.make(args.work / "pool-1", found, args.seed)
    doubtful = suspects.find(first, [c.writer for c in named(found, "unipen").items], args.work, args.seed)
    print(f"{doubtful.sum():,} of {len(doubtful):,} UNIPEN characters are suspects, and left out")
    before = args.work / "stage-1"
    learn(first, choose(first, doubtful), config(args, FIRST), before, report)

    again = recipe.sources(args.data, args.fonts, args.seed + 1, args.unlicensed)
    second = pool.make(args.work / "pool-2", again, args.seed + 1)
    chosen = choose(second, doubtful)
    for number, stage in enumerate(THEN, start=2):
        work = args.work / f"stage-{number}{'-unlicensed' if args.unlicensed else ''}"
        network = learn(second, chosen, config(args, stage), work, report, start=before)
        before = work
    stages = [stage._asdict() for stage in (FIRST, *THEN)]
    learnt = package.Learnt(network, second, chosen, config(args, THEN[-1]), stages, int(doubtful.sum()))
    package.write(learnt, args.data, args.out)
    if args.out == bundle.PACKAGED / bundle.DEFAULT_MODEL:
        card.write(args.out, args.data, ROOT / "docs")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=bundle.PACKAGED / bundle.DEFAULT_MODEL)
    parser.add_argument("--work", type=Path, default=Path("build/starter"), help="for drawn pictures and checkpoints")
    parser.add_argument("--unlicensed", action="store_true", help="learn from the sources without a licence too")
    parser.add_argument("--seed", type=int, default=TrainConfig.seed)
    return parser.parse_args()


def config(args: argparse.Namespace, stage: Stage) -> TrainConfig:
    """Say how to train; nothing is held out, the last epoch is the one that is used."""
    return TrainConfig(**stage._asdict(), arch="default", batch_size=256, seed=args.seed, validation=0)


def named(sources: list[pool.Source], name: str) -> pool.Source:
    """Return the source of that name."""
    return next(source for source in sources if source.name == name)


def choose(drawn: pool.Pool, doubtful: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the indexes of the pictures to learn from: all but those of suspects.

    Args:
        drawn: all pictures.
        doubtful: bool, for each of UNIPEN's characters.
    """
    unipen = drawn.of("unipen", "unipen-photo")
    return np.setdiff1d(np.arange(len(drawn.labels)), unipen[doubtful[drawn.item[unipen]]])


def report(epoch: "Epoch") -> None:
    """Print one epoch's figures."""
    print(
        f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.4f} (augmented training pictures), "
        f"{epoch.seconds:.0f} s, {epoch.pictures_per_second:,.0f} pictures/s",
        flush=True,
    )


if __name__ == "__main__":
    main()
