"""Every picture that the starter model is trained on: drawn or prepared once and kept on disk.

Strokes and glyphs are drawn several times, the rarer their class the more often; each drawing is a picture of its
own. Training then varies each of them anew in every epoch.
"""

import concurrent.futures
import multiprocessing
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core import labels
from emnist_cli.core.config import IMAGE_SIZE
from emnist_cli.core.manifest import PREPROCESSING
from emnist_cli.core.platform.cpu import available_cores

CLASSES = tuple(c.characters for c in labels.SPLITS["byclass"].classes)

_CHUNK = 500  # items that one process draws at a time, from one seed


Draw = Callable[[Any, np.random.Generator], NDArray[np.uint8] | None]
"""Makes a picture of an item, uint8 (28, 28), or None if that fails; a function of its generator."""


class Source(NamedTuple):
    """Where pictures come from.

    Attributes:
        name: in tables and figures.
        items: what is drawn, each with a `label`; anything that can be sent to another process.
        draw: makes a picture of an item.
        times: how often each item is drawn.
        weight: how often each picture is shown in an epoch.
    """

    name: str
    items: Sequence[Any]
    draw: Draw
    times: NDArray[np.int64]
    weight: int = 1


class Pool(NamedTuple):
    """Pictures of all sources.

    Attributes:
        names: of the sources.
        images: uint8 (n, 28, 28).
        labels: int64 (n,), indexes into `CLASSES`.
        source: uint8 (n,), indexes into `names`.
        item: int64 (n,), which of the source's items is drawn.
        weights: for each source, how often its pictures are shown in an epoch.
    """

    names: tuple[str, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    source: NDArray[np.uint8]
    item: NDArray[np.int64]
    weights: NDArray[np.int64]

    def of(self, *names: str) -> NDArray[np.int64]:
        """Return the indexes of the pictures of these sources."""
        return np.flatnonzero(np.isin(self.source, [self.names.index(name) for name in names]))

    def shown(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return indexes as one epoch shows them: each as often as its source's weight says."""
        return np.repeat(chosen, self.weights[self.source[chosen]])


def balanced(labels_: Sequence[str], mean: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return how often to draw each item, `mean` times on average over the classes.

    By the square root of how rare its class is: between what the writers wrote (much more "e" than "X") and what a
    tool is asked, which nobody knows.
    """
    _, kind, counts = np.unique(np.asarray(labels_), return_inverse=True, return_counts=True)
    rate = mean * np.clip(np.sqrt(np.median(counts) / counts), 0.4, 2.5)
    times: NDArray[np.int64] = np.floor(rate[kind] + rng.random(len(kind))).astype(np.int64)
    return times


def make(folder: Path, sources: Iterable[Source], seed: int, report: Callable[[str], None] = print) -> Pool:
    """Draw what `folder` does not have yet, and return all of it.

    Args:
        folder: holds one .npz a source; an interrupted run goes on with the next source. One that was drawn from other
            items, another number of times, with another seed or for another preprocessing is drawn again.
        sources: what to draw.
        seed: of all drawing.
        report: is told of each source.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = list(sources)
    for source in sources:
        path, key = folder / f"{source.name}.npz", _key(source, seed)
        if _read_key(path) != key:
            images, items = _draw(source, (seed, zlib.crc32(source.name.encode())))
            ids = np.array([CLASSES.index(source.items[i].label) for i in items], np.int64)
            scratch = path.with_name(f".{source.name}.tmp.npz")
            np.savez(scratch, images=images, labels=ids, item=items, key=key)
            scratch.replace(path)
            report(f"{source.name}: {len(images):,} pictures of {len(source.items):,} characters")
    return _join(folder, sources)


def _key(source: Source, seed: int) -> int:
    """Return a number that changes with what is drawn."""
    told = "".join(item.label for item in source.items).encode() + source.times.tobytes()
    return zlib.crc32(told, zlib.crc32(f"{seed} {PREPROCESSING}".encode()))


def _read_key(path: Path) -> int | None:
    """Return the key of what was drawn before; None if there is nothing, or nothing that can be read."""
    try:
        with np.load(path) as drawn:
            return int(drawn["key"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _join(folder: Path, sources: Sequence[Source]) -> Pool:
    parts = [np.load(folder / f"{source.name}.npz") for source in sources]
    source = np.concatenate([np.full(len(part["labels"]), n, np.uint8) for n, part in enumerate(parts)])
    images, ids, item = (np.concatenate([part[key] for part in parts]) for key in ("images", "labels", "item"))
    weights = np.array([source.weight for source in sources])
    return Pool(tuple(source.name for source in sources), images, ids, source, item, weights)


def _draw(source: Source, seed: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw every item as often as it should be, on all cores; the same pictures on any number of them."""
    wanted = np.repeat(np.arange(len(source.items)), source.times)
    chunks = [wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK)]
    # Spawned, not forked: a process that has loaded TensorFlow has threads, and a fork of it may hang.
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(available_cores(), spawn) as workers:
        jobs = [
            workers.submit(_draw_chunk, source.draw, [source.items[i] for i in chunk], (*seed, number))
            for number, chunk in enumerate(chunks)
        ]
        drawn = [job.result() for job in jobs]
    pictures = [picture for chunk in drawn for picture in chunk]
    kept = np.array([picture is not None for picture in pictures], bool)
    images = np.zeros((int(kept.sum()), IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    for place, picture in zip(images, (p for p in pictures if p is not None), strict=True):
        place[:] = picture
    return images, wanted[kept]


def _draw_chunk(draw: Draw, items: Sequence[Any], seed: tuple[int, ...]) -> list[NDArray[np.uint8] | None]:
    rng = np.random.default_rng(seed)
    return [draw(item, rng) for item in items]
