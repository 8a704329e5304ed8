"""The settings of a benchmark; the command line and the benchmark modules use it.

Standard library only, because the command line takes its defaults from here.
"""

from dataclasses import dataclass
from pathlib import Path

AGAINST = ("litert", "litert-f16", "litert-int8", "onnx", "keras")
"""Forms that `--against` compares a model with, as `emnist export --to` makes them."""

RANDOM = "random"
"""What `--data` takes for drawings made for the purpose."""

GIVEN = "as given"
"""The form of a model that was not exported for the comparison."""


@dataclass(frozen=True)
class BenchmarkConfig:
    """What is measured.

    Attributes:
        models: as `--model` takes them.
        against: forms of the first model, each exported and measured beside it.
        threads: a row for each of these.
        batches: sizes that pictures go through the network in.
        data: a folder of pictures, labelled or not; None for drawings made for the purpose.
        runs: how often everything is measured, after a run that does not count.
        seconds: that one measurement lasts.
        trust: SavedModels may be run, as for `Recognizer`.
    """

    models: tuple[str, ...]
    threads: tuple[int, ...]
    against: tuple[str, ...] = ()
    batches: tuple[int, ...] = (1, 16, 64, 256)
    data: Path | None = None
    runs: int = 5
    seconds: float = 0.1
    trust: bool = False
