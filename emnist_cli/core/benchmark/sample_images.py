"""Collect the images that the benchmark measures with: those of a folder, or generated drawings."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from emnist_cli.core.errors import DataError, ImageError, UsageError
from emnist_cli.core.files.discovery import find_pictures
from emnist_cli.core.files.labelled import LABELS, Labelled, read_folder
from emnist_cli.core.parallel.run_files import prepare_files

DRAWINGS, SIDE = 64, 200
"""How many drawings are made, and their pixels a side."""

_ENOUGH = 1024  # pictures of a folder without labels, which only speed is measured with


class SampleImages(NamedTuple):
    """What is measured with.

    Attributes:
        files: that can be read and have ink, at least one.
        ready: float32 (n, 28, 28) in [0, 1], the same in EMNIST's form.
        labels: what each of `files` shows; None where that is not known.
        failed: labelled pictures besides that could not be read or have no ink, and count as wrong.
        about: the pictures in words.
    """

    files: list[str]
    ready: NDArray[np.float32]
    labels: list[str] | None
    failed: int
    about: str


def gather(
    data: Path | None,
    scratch: Path,
    classes: Sequence[str],
    on_note: Callable[[str], None],
) -> SampleImages:
    """Find the pictures and bring them into EMNIST's form.

    Args:
        data: a folder; None for drawings.
        scratch: an empty folder, which drawings are put into.
        classes: the characters that each class of the model stands for: folders may be named by them.
        on_note: called with what the user should know.

    Raises:
        UsageError: `data` is no folder.
        DataError: its table of labels cannot be understood.
        ImageError: it has no picture that can be read.
    """
    if data is None:
        draw_samples(scratch)
        about = f"{DRAWINGS} drawings of {SIDE}x{SIDE} pixels, PNG"
        return _read([Labelled(found, "") for found in find_pictures([str(scratch)])], False, about)
    if not data.is_dir():
        raise UsageError(f"--data: expected a folder of pictures, or random. Received: {data}")
    items = _labelled(data, classes, on_note)
    if items:
        return _read(items, True, f"{len(items):,} labelled pictures of {data}")
    found = list(islice(find_pictures([str(data)], recursive=True), _ENOUGH))
    if found[0].problem:
        raise found[0].problem
    return _read([Labelled(each, "") for each in found], False, f"{len(found):,} pictures of {data}")


def draw_samples(folder: Path) -> None:
    """Draw strokes like those of handwriting, black on white, the same ones each time, as PNG files.

    They stand for no characters: how long a picture takes depends on its size and strokes, not on what it says.
    """
    random = np.random.default_rng(1)
    for number in range(DRAWINGS):
        image = Image.new("L", (4 * SIDE, 4 * SIDE), 255)
        pen = ImageDraw.Draw(image)
        width = int(random.integers(32, 64))
        for _ in range(random.integers(1, 4)):
            path = [(float(x), float(y)) for x, y in _stroke(random) * 4 * SIDE]
            pen.line(path, fill=0, width=width, joint="curve")
            for x, y in (path[0], path[-1]):
                pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=0)
        image.reduce(4).save(folder / f"{number:03}.png")


def _stroke(random: np.random.Generator) -> NDArray[np.float64]:
    """Return points of a cubic Bezier curve, float64 (24, 2), within the middle of the unit square."""
    corners = random.uniform(0.2, 0.8, (4, 2))
    t = np.linspace(0, 1, 24)[:, None]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    points: NDArray[np.float64] = np.sum([w * corner for w, corner in zip(weights, corners, strict=True)], axis=0)
    return points


def _labelled(folder: Path, classes: Sequence[str], on_note: Callable[[str], None]) -> list[Labelled]:
    """Return labelled pictures; none where nothing says what the folder's pictures show."""
    try:
        return read_folder(folder, names=classes)
    except DataError as error:
        if (folder / LABELS).is_file():
            raise
        on_note(f"no accuracy, since the pictures have no labels: {error}")
        return []


def _read(items: Sequence[Labelled], labelled: bool, about: str) -> SampleImages:
    files: list[str] = []
    ready: list[NDArray[np.float32]] = []
    labels: list[str] = []
    first = ""
    for item, image in zip(items, prepare_files(item.found for item in items), strict=True):
        if image.pixels is not None:
            files.append(item.found.path)
            ready.append(image.pixels)
            labels.append(item.label)
        else:
            first = first or f"{image.path}: {image.error or 'no ink in it'}"
    if not files:
        raise ImageError(f"--data: none of {len(items):,} pictures could be read; the first: {first}")
    return SampleImages(files, np.stack(ready), labels if labelled else None, len(items) - len(files), about)
