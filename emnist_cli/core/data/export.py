"""Write a prepared split as files for other programs, for `emnist data export`.

IDX and csv files are written as NIST and Kaggle publish them, because programs that read those formats expect it:
images transposed, letters counted from 1. Arrays (npz) and image files (png) are upright and counted from 0.
"""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from emnist_cli.core.atomic_file import new_folder, write_error
from emnist_cli.core.data import dataset
from emnist_cli.core.data.chunks import PARTS
from emnist_cli.core.data.dataset import Advance, LabelledImages
from emnist_cli.core.errors import UsageError
from emnist_cli.core.files.labelled import folder_name
from emnist_cli.core.labels import Split, find_split

_ROWS = 4096


def export_split(
    split: str, form: str, folder: Path, data_dir: Path, on_progress: Callable[[int, int], None] = lambda d, t: None
) -> None:
    """Write both halves of a split into a new folder, which appears when it is complete.

    Args:
        split: name of an EMNIST split.
        form: a key of `WRITERS`.
        folder: where to; must not be there.
        data_dir: the data folder.
        on_progress: called with how many pictures are written, and how many there are.

    Raises:
        UsageError: the folder is there already.
        DataError: the split is not there.
        OutputError: something cannot be written.
    """
    table = find_split(split)
    halves = {part: dataset.load_split(split, part, data_dir) for part in PARTS}
    if folder.exists():
        raise UsageError(f"{folder} is there already; name a folder that is not")
    total, done = sum(len(half.labels) for half in halves.values()), 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        on_progress(done, total)

    try:
        with new_folder(folder) as new:
            for part, half in halves.items():
                WRITERS[form](new, table, part, half, advance)
    except OSError as error:
        raise write_error(folder, error) from None


def _write_idx(folder: Path, split: Split, part: str, half: LabelledImages, advance: Advance) -> None:
    name = f"emnist-{split.name}-{part}"
    with gzip.open(folder / f"{name}-images-idx3-ubyte.gz", "wb", 6) as file:
        file.write(_idx_header(len(half.labels), 28, 28))
        for start in range(0, len(half.labels), _ROWS):
            chunk = half.images[start : start + _ROWS]
            file.write(chunk.transpose(0, 2, 1).tobytes())
            advance(len(chunk))
    with gzip.open(folder / f"{name}-labels-idx1-ubyte.gz", "wb", 6) as file:
        file.write(_idx_header(len(half.labels)))
        file.write((half.labels + split.first_id).astype(np.uint8).tobytes())
    # NIST's name both cases for letters only; for merged classes, the one they are called by.
    shown = 2 if split.name == "letters" else 1
    rows = (f"{c.stored_id} {' '.join(str(ord(x)) for x in c.characters[:shown])}\n" for c in split.classes)
    (folder / f"emnist-{split.name}-mapping.txt").write_text("".join(rows), encoding="ascii")


def _idx_header(*shape: int) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)


def _write_csv(folder: Path, split: Split, part: str, half: LabelledImages, advance: Advance) -> None:
    with (folder / f"emnist-{split.name}-{part}.csv").open("w", encoding="ascii", newline="\n") as file:
        for start in range(0, len(half.labels), _ROWS):
            chunk = half.images[start : start + _ROWS].transpose(0, 2, 1).reshape(-1, 784)
            ids = half.labels[start : start + _ROWS, None] + split.first_id
            np.savetxt(file, np.hstack([ids, chunk]), fmt="%d", delimiter=",")
            advance(len(chunk))


def _write_npz(folder: Path, split: Split, part: str, half: LabelledImages, advance: Advance) -> None:
    labels = np.array([c.label for c in split.classes])
    characters = np.array([c.characters for c in split.classes])
    arrays = {"images": half.images, "labels": half.labels, "classes": labels, "characters": characters}
    np.savez_compressed(folder / f"emnist-{split.name}-{part}.npz", **arrays)  # type: ignore[arg-type]
    advance(len(half.labels))


def _write_png(folder: Path, split: Split, part: str, half: LabelledImages, advance: Advance) -> None:
    names = [folder_name(c.label) for c in split.classes]
    for name in names:
        (folder / part / name).mkdir(parents=True)
    for i, (picture, label) in enumerate(zip(half.images, half.labels.tolist(), strict=True)):
        Image.fromarray(picture).save(folder / part / names[label] / f"{i:06}.png")
        advance(1)


WRITERS: dict[str, Callable[[Path, Split, str, LabelledImages, Advance], None]] = {
    "idx": _write_idx,
    "csv": _write_csv,
    "npz": _write_npz,
    "png": _write_png,
}
