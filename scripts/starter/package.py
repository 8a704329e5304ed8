"""A trained network becomes the starter: calibrated, quantized, scored, written as a bundle."""

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emnist_cli.core import bundle
from emnist_cli.core.config import TrainConfig
from emnist_cli.core.evaluation.calibration import fit_temperature
from emnist_cli.core.evaluation.metrics import ScoredPredictions
from emnist_cli.core.model_export import to_litert
from emnist_cli.core.runtimes.litert import LiteRtRuntime

from . import figures, recipe
from .pool import CLASSES, Pool

LOST = 0.002
"""Accuracy that fewer bits may cost, on the images of EMNIST's byclass test half and of all scans together."""


FORMS: tuple[to_litert.Weights, ...] = ("int8", "float16", "float32")
"""How weights may be stored, the smallest first."""


class Learnt(NamedTuple):
    """A trained network and how it came to be.

    Attributes:
        network: with the weights of the last epoch.
        pool: what it learnt from last.
        chosen: which of these pictures.
        config: of the last stage.
        stages: epochs and learning rate of each.
        suspects: characters of UNIPEN that were left out.
    """

    network: keras.Model
    pool: Pool
    chosen: NDArray[np.int64]
    config: TrainConfig
    stages: Sequence[Mapping[str, float]]
    suspects: int


def write(learnt: Learnt, data: Path, out: Path) -> bundle.Manifest:
    """Write the bundle.

    Args:
        learnt: the network.
        data: the data folder.
        out: where to.

    Raises:
        ModelError: a converted network does not answer as it did.
    """
    manifest = describe(learnt, out.name)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        convert(learnt, "float32", manifest, folder / "raw")
        raw = figures.score(folder / "raw", data)
        manifest = dataclasses.replace(manifest, temperature=temperature(list(raw.scans.values())))
        whole = score(learnt, "float32", manifest, data, folder)
        for weights in FORMS:
            rows = score(learnt, weights, manifest, data, folder)
            if loss(whole, rows) <= LOST:
                break
        graph = (folder / weights / bundle.GRAPH).read_bytes()
    tell(whole, rows, f"float32 -> {weights}, {len(graph):,} bytes")
    manifest = dataclasses.replace(manifest, metrics=metrics(rows), training={**manifest.training, "weights": weights})
    bundle.save_bundle(out, manifest, {bundle.GRAPH: graph})
    return manifest


def temperature(kinds: Sequence[ScoredPredictions]) -> float:
    """Fit the temperature to answers that were given without one; each kind of picture counts the same."""
    rng = np.random.default_rng(0)
    chosen = [np.resize(rng.permutation(np.flatnonzero(kind.answered)), 500) for kind in kinds]  # each once, some twice
    return fit_temperature(
        np.concatenate([kind.probabilities[some] for kind, some in zip(kinds, chosen, strict=True)]),
        np.concatenate([kind.truth[some] for kind, some in zip(kinds, chosen, strict=True)]),
    )


def describe(learnt: Learnt, name: str) -> bundle.Manifest:
    """Write the manifest as far as it is known before anything is scored."""
    return bundle.Manifest(
        name=name,
        description="Six convolutions, 0.7 M weights; trained on pen strokes, scans, digits and fonts",
        split="byclass",
        classes=CLASSES,
        training={
            **dataclasses.asdict(learnt.config),
            "stages": list(learnt.stages),
            "suspects_left_out": learnt.suspects,
        },
        data=list_sources(learnt.pool, learnt.chosen),
        versions={"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
    )


def convert(learnt: Learnt, weights: to_litert.Weights, manifest: bundle.Manifest, folder: Path) -> None:
    """Write the network with its weights stored so, and make sure that it answers as it did."""
    bundle.save_bundle(folder, manifest, {bundle.GRAPH: to_litert.to_litert(learnt.network, weights)})
    pictures = learnt.pool.images[learnt.chosen[:: len(learnt.chosen) // 256]].astype(np.float32) / np.float32(255)
    most = 1e-3 if weights == "float32" else 0.25  # of one probability; what it does to accuracy is seen in `loss`
    to_litert.check_agreement(learnt.network, LiteRtRuntime(folder / bundle.GRAPH).run(pictures), pictures, most)


def score(
    learnt: Learnt, weights: to_litert.Weights, manifest: bundle.Manifest, data: Path, folder: Path
) -> list[figures.Row]:
    """Score the network with its weights stored so; leaves the bundle in a folder of that name."""
    convert(learnt, weights, manifest, folder / weights)
    return figures.measure(folder / weights, data)


def loss(whole: list[figures.Row], small: list[figures.Row]) -> float:
    """Return the most accuracy that is lost, of all classes or case folded, on byclass, on all scans or on mnist."""
    groups = [{figures.BYCLASS}, set(figures.SCANS.values()), {figures.DIGITS}]
    lost = [0.0]
    for group in groups:
        for kind in ("exact", "folded"):
            pairs = [
                (row.count, getattr(row, kind) - getattr(other, kind))
                for row, other in zip(whole, small, strict=True)
                if row.name in group and getattr(row, kind) is not None
            ]
            if pairs:
                lost.append(sum(count * change for count, change in pairs) / sum(count for count, _ in pairs))
    return max(lost)


def tell(whole: list[figures.Row], small: list[figures.Row], what: str) -> None:
    """Print what storing the weights in fewer bits changed."""
    print(what)
    for before, after in zip(whole, small, strict=True):
        change = [
            f"{kind} {b:.4f} -> {a:.4f}"
            for kind in ("exact", "merged", "folded", "ece")
            if (b := getattr(before, kind)) is not None and (a := getattr(after, kind)) is not None
        ]
        print(f"{after.name} ({after.count:,}): {', '.join(change)}")


def list_sources(pool: Pool, chosen: NDArray[np.int64]) -> tuple[dict[str, object], ...]:
    """List what was learnt from: for each origin its text, its licence, how many characters, how many pictures."""
    found = []
    for name, origin in recipe.ORIGINS.items():
        mine = [source for source in pool.names if recipe.origin(source) == name]
        here = {source: np.intersect1d(chosen, pool.of(source)) for source in mine}
        characters = max((len(np.unique(pool.item[pictures])) for pictures in here.values()), default=0)
        pictures = sum(len(pictures) for pictures in here.values())
        about = {"source": origin.text, "licence": origin.licence, "count": characters, "pictures": pictures}
        found += [about] if pictures else []
    return tuple(sorted(found, key=lambda entry: -int(str(entry["pictures"]))))


def metrics(rows: list[figures.Row]) -> tuple[bundle.Metric, ...]:
    """Turn the card's rows into the manifest's figures; the first of them is the one that `emnist models` shows."""
    kinds = {"exact": "accuracy", "merged": "accuracy, 47 classes", "folded": "accuracy, case folded", "ece": "ece"}
    return tuple(
        bundle.Metric(kind, round(value, 4), row.name, row.count)
        for row in sorted(rows, key=lambda row: row.name != figures.BYCLASS)
        for field, kind in kinds.items()
        if (value := getattr(row, field)) is not None
    )
