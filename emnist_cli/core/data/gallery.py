"""Draw images of a split with their labels on one sheet, for `emnist data show`."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from emnist_cli.core.artifacts.contact_sheet import KINDS
from emnist_cli.core.atomic_file import write_error, write_file
from emnist_cli.core.data import dataset
from emnist_cli.core.errors import DataError, UsageError, did_you_mean
from emnist_cli.core.files.labelled import find_class
from emnist_cli.core.labels import find_split

_SCALE = 3
_CAPTION = 20  # pixels below each picture
_GAP = 8


class Shown(NamedTuple):
    """A picture, uint8 (28, 28), and what it is called."""

    label: str
    picture: NDArray[np.uint8]


def choose_gallery(split: str, part: str, label: str | None, count: int, seed: int, data_dir: Path) -> list[Shown]:
    """Draw pictures at random, as many of each class as of the others.

    Args:
        split: name of an EMNIST split.
        part: "train" or "test".
        label: only of the class that has this character; None for all.
        count: how many at most.
        seed: of the choice.
        data_dir: the data folder.

    Raises:
        UsageError: the split has no such class.
        DataError: the split is not there, or there is no picture.
    """
    classes = find_split(split).classes
    known = [c.characters for c in classes]
    wanted = range(len(classes)) if label is None else [_find(label, known, split)]
    pictures = dataset.load_split(split, part, data_dir)
    rng = np.random.default_rng(seed)
    of_class = [rng.permutation(np.flatnonzero(pictures.labels == i)) for i in wanted]
    rounds = range(max((len(rows) for rows in of_class), default=0))
    found = [(i, rows[r]) for r in rounds[:count] for i, rows in zip(wanted, of_class, strict=True) if r < len(rows)]
    if not found:
        raise DataError(f"{split} has no such picture in its {part} half")
    return [Shown(classes[i].label, pictures.images[row]) for i, row in found[:count]]


def draw_gallery(shown: list[Shown], path: Path) -> None:
    """Write a sheet of pictures, dark on light, each above its label.

    Raises:
        UsageError: Pillow writes no format with the file's suffix, or there is no such folder.
        OutputError: it cannot be written.
    """
    columns = min(len(shown), max(1, round((len(shown) * 1.4) ** 0.5)))
    rows = -(-len(shown) // columns)
    side = 28 * _SCALE
    sheet = Image.new("L", (columns * (side + _GAP) + _GAP, rows * (side + _CAPTION + _GAP) + _GAP), 255)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_CAPTION - 4)
    for i, (label, picture) in enumerate(shown):
        x, y = _GAP + i % columns * (side + _GAP), _GAP + i // columns * (side + _CAPTION + _GAP)
        sheet.paste(Image.fromarray(255 - picture).resize((side, side), Image.Resampling.NEAREST), (x, y))
        caption = f"'{label}' {KINDS.get(label, '')}".strip()  # O and 0, I and l look alike
        pen.text((x + side // 2, y + side + 1), caption, fill=0, font=font, anchor="ma")
    _save(sheet, path)


def _save(sheet: Image.Image, path: Path) -> None:
    form = Image.registered_extensions().get(path.suffix.lower())
    if form not in Image.SAVE:
        raise UsageError(f"--output: expected a picture such as grid.png. Received: {path}")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"--output: expected a file in an existing folder. Received: {path}")
    content = io.BytesIO()
    try:
        sheet.save(content, form)
    except OSError as error:  # that format has no grayscale images
        raise write_error(path, error) from None
    write_file(path, content.getvalue())


def _find(label: str, known: list[str], split: str) -> int:
    found = find_class(label, known)
    if found is None:
        raise UsageError(f"--label: {split} has no class {label!r}; {did_you_mean(label, ''.join(known))}")
    return found
