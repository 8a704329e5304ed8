"""Settings of `emnist models import`, checked before TensorFlow is imported; `importer` uses them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

from emnist_cli.core.config import PIXEL_RANGES
from emnist_cli.core.errors import ModelError, UsageError, did_you_mean
from emnist_cli.core.exported_models import SAVED_MODEL, check_trust
from emnist_cli.core.labels import find_split
from emnist_cli.core.model_import.label_files import Labels, read_labels

HDF5, KERAS = "hdf5", "keras"
"""Kinds of files; a SavedModel is the third, known by `SAVED_MODEL`."""

_EXPECTED = "expected a Keras model: an .h5 or .keras file, or a SavedModel's folder"

_OTHERS = (  # how other files begin, and what to say of them
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself; fetch it: git lfs pull"),
    (b"<", "a web page, not the file that it is about; download the file itself (on GitHub: Raw)"),
    (b"{", "a description of layers without weights; import what model.save('whole.h5') writes, which has both"),
    (b"\x80", "a Python pickle, which is never loaded; save the network with model.save('whole.keras')"),
)


class Interpretation(NamedTuple):
    """How pictures go into a network: as it was trained on them.

    Attributes:
        transposed: as EMNIST's files store them, rows and columns exchanged.
        inverted: black ink on white.
        pixels: one of `PIXEL_RANGES`.
    """

    transposed: bool = False
    inverted: bool = False
    pixels: str = PIXEL_RANGES[0]

    @property
    def options(self) -> str:
        """The options of the command that ask for it; "" for the usual way."""
        named = [("--transposed", self.transposed), ("--inverted", self.inverted)]
        words = [option for option, is_set in named if is_set]
        return " ".join(words + [f"--pixels {self.pixels}"] * (self.pixels != PIXEL_RANGES[0]))

    def rescaling(self) -> tuple[float, float]:
        """Scale and offset that bring values in [0, 1], white ink on black, to what the network wants."""
        low, high = map(float, self.pixels.split(".."))
        return (low - high, high) if self.inverted else (high - low, low)


class ImportSpec(NamedTuple):
    """What is imported, and as what.

    Attributes:
        path: the file or folder.
        kind: `HDF5`, `KERAS` or `SAVED_MODEL`.
        labels: what the outputs stand for; None to tell by the split or by their number.
        split: the EMNIST split whose classes they are; None to tell by their number.
        way: how pictures go in.
    """

    path: Path
    kind: str
    labels: Labels | None = None
    split: str | None = None
    way: Interpretation = Interpretation()


def make_import_spec(
    path: Path,
    labels: Path | None = None,
    split: str | None = None,
    way: Interpretation = Interpretation(),  # noqa: B008
    trust: bool = False,
) -> ImportSpec:
    """Check what is asked for.

    Args:
        path: of the file, or the folder of a SavedModel.
        labels: a file that says what the outputs stand for.
        split: the EMNIST split whose classes they are.
        way: how pictures go in.
        trust: a SavedModel may be run, see `exported_models.check_trust`.

    Raises:
        UsageError: options contradict each other or are not known, or the label file is none.
        ModelError: the file is no Keras model, told by its first bytes and not by its name; or it is a SavedModel
            without `trust`.
    """
    if way.pixels not in PIXEL_RANGES:
        raise UsageError(f"--pixels: {did_you_mean(way.pixels, PIXEL_RANGES)}. Received: {way.pixels!r}")
    if labels is not None and split is not None:
        raise UsageError(
            "--labels says what each output stands for, --split that they are EMNIST's; say one of the two"
        )
    if split is not None:
        find_split(split)
    kind = _tell_kind(path)
    if kind == SAVED_MODEL:
        check_trust(path, trust)
    return ImportSpec(path, kind, read_labels(labels) if labels else None, split, way)


def name_of_model(path: Path) -> str:
    """Return a name for a model after its file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", path.resolve().stem).strip(".-") or "imported"


def _tell_kind(path: Path) -> str:
    try:
        if path.is_dir():
            return _tell_folder(path)
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error}); {_EXPECTED}") from None
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return HDF5
    if start.startswith(b"PK"):
        return _tell_archive(path)
    if path.name == SAVED_MODEL:
        raise ModelError(f"{path}: a SavedModel is the whole folder that this file is in; import {path.parent}")
    if start[4:8] == b"TFL3" or path.suffix.lower() in {".tflite", ".onnx"}:
        raise ModelError(
            f"{path}: is no Keras model but one for a runtime; --model takes it as it is (see: emnist predict --help), "
            "or import the Keras model that it was made from"
        )
    what = next((told for begin, told in _OTHERS if start.lstrip().startswith(begin)), "")
    what = what or ("empty" if not start else f"none; it begins with {start[:8]!r}. Was it downloaded whole?")
    raise ModelError(f"{path}: {_EXPECTED}. Received: {what}")


def _tell_folder(path: Path) -> str:
    if (path / SAVED_MODEL).is_file():
        return SAVED_MODEL
    within = next((p for p in sorted(path.rglob(SAVED_MODEL))), None)
    raise ModelError(f"{path}: has no {SAVED_MODEL}; {f'import {within.parent}' if within else _EXPECTED}")


def _tell_archive(path: Path) -> str:
    try:
        with ZipFile(path) as archive:
            names = set(archive.namelist())
    except (BadZipFile, OSError) as error:
        raise ModelError(f"{path}: damaged or cut short ({error}); fetch it again") from None
    if {"config.json", "model.weights.h5"} <= names:
        return KERAS
    what = "a model of PyTorch" if any(name.endswith("data.pkl") for name in names) else "another zip archive"
    advice = "unpack it and import its folder" if any(SAVED_MODEL in name for name in names) else _EXPECTED
    raise ModelError(f"{path}: {what}; {advice}")


def interpretations() -> Iterator[Interpretation]:
    """Yield every way in which pictures may have been meant, the usual one first."""
    for pixels in PIXEL_RANGES:
        for inverted in (False, True):
            for transposed in (False, True):
                yield Interpretation(transposed, inverted, pixels)
