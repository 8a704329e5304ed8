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
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emnist_cli.core.errors import ModelError
from emnist_cli.core.manifest import GRAPH, Manifest

if TYPE_CHECKING:
    from zipfile import ZipFile

MODEL_FORMATS = ("litert", "litert-f16", "litert-int8", "onnx", "saved-model", "keras")
"""What `emnist export --to` takes, named here so that no TensorFlow is needed to ask."""

MANIFEST = "manifest.json"
"""The manifest's file beside a graph or within an archive, and its key in ONNX."""

SAVED_MODEL = "saved_model.pb"
"""The file by which a folder is known for a SavedModel of TensorFlow's."""

EXTRA = "assets.extra"
"""The folder of a SavedModel that is left to whoever wrote it."""

PARTS = (SAVED_MODEL, "variables", "assets", EXTRA, "fingerprint.pb", "keras_metadata.pb")
"""Files and folders of a SavedModel, of Keras 2 too; anything else in its folder is no part of it."""

SUFFIXES = (".tflite", ".onnx", ".keras", ".pb")
"""Of the files that `--model` takes."""

_LARGEST = 2**24
"""Bytes of a manifest, or of a description of layers, within an archive; those of the largest networks have less."""

_METADATA_PROPS = 14  # field of onnx.ModelProto; each entry has a key, field 1, and a value, field 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_embedded_manifest(path: Path, content: bytes | None = None) -> Manifest | None:
    """Return the manifest that an exported model carries; None where it has none.

    Its `files` have one entry, for the graph, which is this file.

    Args:
        path: of a file whose suffix is one of `SUFFIXES`.
        content: of that file, where it has been read.

    Raises:
        ModelError: the file cannot be read, or the manifest in it is damaged.
    """
    try:
        text = _read(path, content)
        if text is None:
            return None
        return replace(Manifest.from_dict(json.loads(text)), files={GRAPH: describe_model_file(path, content)})
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: the manifest in it is damaged or from another version ({error})") from None


def check_trust(folder: Path, trust: bool) -> None:
    """Refuse a SavedModel that nobody vouches for: its graph is a program, and TensorFlow has no sandbox for it.

    Raises:
        ModelError: `trust` is not set.
    """
    if not trust:
        raise ModelError(
            f"{folder}: a SavedModel is a program, whose graph can run code and write files; if you trust whoever made "
            "it, add --trust (in Python trust=True)"
        )


def list_files(path: Path) -> list[Path]:
    """Return the files that make a model: itself, or those of a SavedModel, whatever else lies in its folder.

    Args:
        path: of a file, or a SavedModel's folder or the .pb file in it.
    """
    path = path / SAVED_MODEL if path.is_dir() else path
    if path.name != SAVED_MODEL:
        return [path]
    found = (part for name in PARTS for part in (path.with_name(name), *path.with_name(name).rglob("*")))
    return sorted(part for part in found if part.is_file())


def describe_model_file(path: Path, content: bytes | None = None) -> dict[str, Any]:
    """Return what manifests list of a model's file; of a SavedModel, all its files taken together."""
    contents = [found.read_bytes() for found in list_files(path)] if content is None else [content]
    return {"sha256": hashlib.sha256(b"".join(contents)).hexdigest(), "bytes": sum(map(len, contents))}


def _read(path: Path, content: bytes | None) -> bytes | None:
    if path.name == SAVED_MODEL:
        extra = path.parent / EXTRA / MANIFEST
        return extra.read_bytes() if extra.is_file() else None
    if path.suffix.lower() == ".onnx":
        return _read_onnx(path.read_bytes() if content is None else content)
    return _read_archive(path if content is None else BytesIO(content))


def _read_archive(file: Path | BytesIO) -> bytes | None:
    """Find the manifest in a zip archive, whatever is before it in the file."""
    from zipfile import ZipFile, is_zipfile  # only single files need it

    if not is_zipfile(file):
        return None
    try:
        with ZipFile(file) as archive:
            if MANIFEST not in archive.namelist():
                return None
            return read_member(archive, MANIFEST)
    except (OSError, ValueError):
        raise
    except Exception as error:  # of the archive, or of whatever it is compressed by
        raise ValueError(error) from None


def read_member(archive: "ZipFile", name: str) -> bytes:
    """Read a small file of an archive: a few packed bytes could fill the memory.

    Raises:
        KeyError: there is none.
        ValueError: it is larger than a description of a model is.
    """
    with archive.open(name) as file:  # what the archive says of its size may be wrong
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"{name} has more than {_LARGEST:,} bytes")
    return content


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
