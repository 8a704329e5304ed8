"""A trained network becomes the starter: quantized, calibrated, scored, written as a bundle with its card."""

import dataclasses
import tempfile
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from emnist_cli.core import bundle
from emnist_cli.core.config import TrainConfig
from emnist_cli.core.evaluation.calibration import fit_temperature
from emnist_cli.core.inference.runtime import Runtime
from emnist_cli.core.training import export

from . import figures, recipe, scans
from .pool import CLASSES, Pool

CALIBRATED_ON = ("tablet", "photos", "canvas")
"""Scans, their test parts, that the temperature is fitted to: what `emnist predict` is given."""


def write(
    network: keras.Model, pool: Pool, chosen: NDArray[np.int64], config: TrainConfig, data: Path, out: Path
) -> bundle.Manifest:
    """Write the bundle.

    Args:
        network: as trained.
        pool: what it was trained on.
        chosen: which of these pictures.
        config: how it was trained.
        data: the data folder.
        out: where to.
    """
    weights = export.to_litert(network, "int8")
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / bundle.GRAPH
        graph.write_bytes(weights)
        runtime = Runtime(graph)
        shown = pool.images[pool.of("tablet")][:256].astype(np.float32) / 255
        print(f"largest difference to Keras: {export.check_agreement(network, runtime.run(shown), shown, 0.2):.3f}")
        manifest = bundle.Manifest(
            name=out.name,
            description="Six convolutions, 0.7 M weights in 8 bits; trained on pen strokes, scans, digits and fonts",
            split="byclass",
            classes=CLASSES,
            temperature=temperature(runtime, data),
            training=dataclasses.asdict(config),
            data=describe(pool, chosen),
            versions={"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
        )
        bundle.write(Path(scratch) / "unscored", manifest, {bundle.GRAPH: weights})
        rows = figures.measure(Path(scratch) / "unscored", data)
    manifest = dataclasses.replace(manifest, metrics=metrics(rows))
    bundle.write(out, manifest, {bundle.GRAPH: weights})
    return manifest


def temperature(runtime: Runtime, data: Path) -> float:
    """Fit the temperature; each kind of scan counts the same, however many there are."""
    rng = np.random.default_rng(0)
    pictures, ids = [], []
    for name in CALIBRATED_ON:
        found = scans.read_scans(data / "scans" / name, "test")
        for n in np.resize(rng.permutation(len(found)), 500):  # every one, some twice
            picture = scans.prepare(found[n], rng)
            if picture is not None:
                pictures.append(picture)
                ids.append(CLASSES.index(found[n].label))
    return fit_temperature(runtime.run(np.stack(pictures).astype(np.float32) / 255), np.array(ids))


def describe(pool: Pool, chosen: NDArray[np.int64]) -> tuple[dict[str, object], ...]:
    """List what was learnt from: for each origin its text, its licence, how many characters, how many pictures."""
    characters: Counter[str] = Counter()
    pictures: Counter[str] = Counter()
    for name in recipe.ORIGINS:
        mine = [source for source in pool.names if recipe.origin(source) == name]
        here = chosen[np.isin(chosen, pool.of(*mine))]
        pictures[name] = len(here)
        characters[name] = max((len(np.unique(pool.item[np.intersect1d(here, pool.of(s))])) for s in mine), default=0)
    return tuple(
        {
            "source": recipe.ORIGINS[name].text,
            "licence": recipe.ORIGINS[name].licence,
            "count": characters[name],
            "pictures": pictures[name],
        }
        for name in sorted(pictures, key=lambda name: -pictures[name])
        if pictures[name]
    )


def metrics(rows: list[figures.Row]) -> tuple[bundle.Metric, ...]:
    """Turn the card's rows into the manifest's figures; the first of them is the one that `emnist models` shows."""
    kinds = {"exact": "accuracy", "merged": "accuracy, 47 classes", "folded": "accuracy, case folded", "ece": "ece"}
    return tuple(
        bundle.Metric(kind, round(value, 4), row.name, row.count)
        for row in sorted(rows, key=lambda row: row.name != figures.STAND_IN)
        for field, kind in kinds.items()
        if (value := getattr(row, field)) is not None
    )
