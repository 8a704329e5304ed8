"""Read the manifest inside an exported model, for `bundle`, model export and model import.

Exported models are single files, or SavedModel folders of TensorFlow. They carry the manifest of the model they were
made from, so `predict --model mine.onnx` uses the labels and the temperature of the bundle.

Each format has a place for the manifest. A .keras file is a zip archive. A zip archive is appended to a .tflite file,
as for the metadata of TensorFlow Lite, whose readers ignore what follows the graph. ONNX has `metadata_props`, and a
SavedModel has the folder `assets.extra`. They are read without any of the formats' libraries. `model_export.formats`
writes them.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from emnist_cli.core.errors import ModelError
from emnist_cli.core.manifest import GRAPH, Manifest

MODEL_FORMATS = ("litert", "litert-f16", "litert-int8", "onnx", "saved-model", "keras")
"""What `emnist export --to` takes, named here so that no TensorFlow is needed to ask."""

MANIFEST = "manifest.json"
"""The manifest's file beside a graph or within an archive, and its key in ONNX."""

SAVED_MODEL = "saved_model.pb"
"""The file by which a folder is known for a SavedModel of TensorFlow's."""

EXTRA = "assets.extra"
"""The folder of a SavedModel that is left to whoever wrote it."""

SUFFIXES = (".tflite", ".onnx", ".keras", ".pb")
"""Of the files that `--model` takes."""

_METADATA_PROPS = 14  # field of onnx.ModelProto; each entry has a key, field 1, and a value, field 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_embedded_manifest(path: Path) -> Manifest | None:
    """Return the manifest that an exported model carries; None where it has none.

    Its `files` have one entry, for the graph, which is this file.

    Args:
        path: of a file whose suffix is one of `SUFFIXES`.

    Raises:
        ModelError: the file cannot be read, or the manifest in it is damaged.
    """
    try:
        text = _read(path)
        return (
            None
            if text is None
            else replace(Manifest.from_dict(json.loads(text)), files={GRAPH: describe_model_file(path)})
        )
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: the manifest in it is damaged or from another version ({error})") from None


def describe_model_file(path: Path) -> dict[str, Any]:
    """Return what manifests list of a model's file; of a SavedModel, all its files taken together."""
    paths = sorted(path.parent.rglob("*")) if path.name == SAVED_MODEL else [path]
    contents = [found.read_bytes() for found in paths if found.is_file()]
    return {"sha256": hashlib.sha256(b"".join(contents)).hexdigest(), "bytes": sum(map(len, contents))}


def _read(path: Path) -> bytes | None:
    if path.name == SAVED_MODEL:
        extra = path.parent / EXTRA / MANIFEST
        return extra.read_bytes() if extra.is_file() else None
    if path.suffix.lower() == ".onnx":
        return _read_onnx(path.read_bytes())
    return _read_archive(path)


def _read_archive(path: Path) -> bytes | None:
    """Find the manifest in a zip archive, whatever is before it in the file."""
    from zipfile import ZipFile, is_zipfile  # only single files need it

    if not is_zipfile(path):
        return None
    try:
        with ZipFile(path) as archive:
            return archive.read(MANIFEST) if MANIFEST in archive.namelist() else None
    except OSError:
        raise
    except Exception as error:  # of the archive, or of whatever it is compressed by
        raise ValueError(error) from None


def _read_onnx(content: bytes) -> bytes | None:
    """Find the manifest among an ONNX model's metadata; None too for what is no ONNX: its runtime will tell."""
    try:
        for number, entry in _fields(content):
            if number == _METADATA_PROPS:
                pair = dict(_fields(entry))
                if pair.get(1) == MANIFEST.encode():
                    return pair.get(2)
    except IndexError:
        pass
    return None


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of every field of a protobuf message that has bytes in it (protobuf.dev, "Encoding").

    Raises:
        IndexError: it ends in the middle of a field, or is no such message.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind, size = key & 7, {_FIXED64: 8, _FIXED32: 4}.get(key & 7, 0)
        if kind in {_VARINT, _BYTES}:
            size, at = _varint(message, at)
        elif not size:
            raise IndexError(f"no field is of kind {kind}")
        if kind == _BYTES:
            if at + size > len(message):
                raise IndexError("a field ends after the message")
            yield key >> 3, message[at : at + size]
        at += 0 if kind == _VARINT else size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at`, seven bits a byte, and where the next thing begins."""
    value = 0
    for shift in range(0, 64, 7):
        byte = message[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
    raise IndexError("a number has more than 64 bits")
