"""Find, verify and write model bundles; every command that uses a model does so through this module.

A bundle is a folder with `model.tflite` and a `manifest.json` that describes the model.

Models are searched for in this order, and the first match wins: the package, the user's data folder, then the path as
given. Reading verifies the sha256 of every file, so a damaged model is an error and never a wrong answer.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from emnist_cli.core import exported_models
from emnist_cli.core.atomic_file import is_worked_in, new_folder
from emnist_cli.core.errors import ModelError, OutputError, did_you_mean
from emnist_cli.core.exported_models import MANIFEST as MANIFEST
from emnist_cli.core.manifest import GRAPH as GRAPH
from emnist_cli.core.manifest import Manifest as Manifest
from emnist_cli.core.manifest import Metric as Metric

DEFAULT_MODEL = "starter"
PACKAGED = Path(__file__).parent.parent / "bundles"


@dataclass(frozen=True)
class Bundle:
    """A model found on disk, whose graph has been read once for all.

    Attributes:
        graph: the .tflite file; of an exported model its own file, of a SavedModel the .pb file in it.
        manifest: None for a file that carries none, whose classes are told from the number of its outputs.
        content: of a .tflite or .onnx file; None for what Keras and TensorFlow read themselves.
    """

    graph: Path
    manifest: Manifest | None
    content: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The manifest's name, or the file's."""
        return self.manifest.name if self.manifest else self.graph.name

    @cached_property
    def file(self) -> Mapping[str, Any]:
        """What manifests list of the graph: its "sha256" and "bytes"."""
        return (
            self.manifest.files[GRAPH]
            if self.manifest
            else exported_models.describe_model_file(self.graph, self.content)
        )


def find_bundle(model: str | Path = DEFAULT_MODEL, trust: bool = False) -> Bundle:
    """Find and verify a model.

    Args:
        model: a name, a bundle folder, a .tflite file, or what `emnist export` makes.
        trust: a SavedModel may be run, see `exported_models.check_trust`.

    Raises:
        ModelError: there is none, it is damaged, or it is a SavedModel without `trust`.
    """
    name = str(model)
    for folder in list_bundles():
        if folder.name == name:
            return read_bundle(folder)
    path = Path(model)
    with suppress(OSError):  # a name too long to be one
        if name and path.is_dir():
            saved = path / exported_models.SAVED_MODEL
            return _read_file(saved, trust) if saved.is_file() else read_bundle(path)
        if path.is_file():
            return _read_file(path, trust)
    advice = did_you_mean(name, (folder.name for folder in list_bundles()))
    raise ModelError(f"no model, folder or file is called {name!r}; {advice} See: emnist models")


def _read_file(path: Path, trust: bool) -> Bundle:
    # A bundle's own graph keeps its labels and temperature when it is named directly.
    if path.name == GRAPH and (path.parent / MANIFEST).is_file():
        return read_bundle(path.parent)
    if path.suffix.lower() not in exported_models.SUFFIXES:
        kind = path.suffix or "plain"
        expected = "a bundle folder, a SavedModel or a .tflite, .onnx or .keras file"
        raise ModelError(f"{path}: expected {expected}. Received: a {kind} file")
    if path.name == exported_models.SAVED_MODEL:
        exported_models.check_trust(path.parent, trust)
    content = None
    if path.suffix.lower() in {".tflite", ".onnx"}:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    return Bundle(path, exported_models.read_embedded_manifest(path, content), content)


def list_bundles() -> Iterator[Path]:
    """Yield the folder of every installed model, in the order in which names are looked up."""
    seen: set[str] = set()
    for root in _roots():
        for path in sorted(root.glob(f"*/{MANIFEST}")) if root.is_dir() else ():
            if path.parent.name not in seen:  # a second one of that name could never be chosen
                seen.add(path.parent.name)
                yield path.parent


def user_folder() -> Path | None:
    """Return the user's own models folder, or None where platformdirs is not installed (a slim container)."""
    try:
        from platformdirs import user_data_path
    except ImportError:
        return None
    return user_data_path("emnist-cli", appauthor=False) / "models"


def _roots() -> Iterator[Path]:
    yield PACKAGED
    if user := user_folder():
        yield user


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle folder and verify every file in it.

    Raises:
        ModelError: the manifest or a file is missing, unreadable or not what the manifest says.
    """
    manifest, graph = read_manifest(folder), b""
    for name, expected in manifest.files.items():
        try:
            data = (folder / name).read_bytes()
            graph = data if name == GRAPH else graph
        except OSError as error:
            raise ModelError(f"{folder}: cannot read {name} of this model ({error.strerror}); fetch it again") from None
        if len(data) != expected["bytes"] or hashlib.sha256(data).hexdigest() != expected["sha256"]:
            raise ModelError(
                f"{folder}: {name} is damaged, its sha256 is not the manifest's ({len(data):,} bytes of "
                f"{expected['bytes']:,}); copy the model again or reinstall emnist-cli"
            )
    return Bundle(folder / GRAPH, manifest, graph)


def read_manifest(folder: Path) -> Manifest:
    """Read a bundle's manifest without verifying its files.

    Raises:
        ModelError: it is missing or malformed.
    """
    path = folder / MANIFEST
    try:
        return Manifest.from_dict(json.loads(path.read_bytes()))
    except OSError as error:
        raise ModelError(f"{folder}: not a model bundle, cannot read its {MANIFEST} ({error.strerror})") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: damaged or from another version ({error})") from None


def summarize_bundle(manifest: Manifest) -> dict[str, Any]:
    """Return what lists of models show of one."""
    first = manifest.metrics[0] if manifest.metrics else None
    return {
        "split": manifest.split,
        "classes": len(manifest.classes),
        "bytes": sum(int(file["bytes"]) for file in manifest.files.values()),
        "accuracy": first.value if first else None,
        "measured_on": first.on if first else "",
    }


def replaceable(folder: Path) -> bool:
    """Whether nothing would be lost at `folder` but an earlier bundle, if that."""
    if is_worked_in(folder) or (folder.exists() and not folder.is_dir()):
        return False
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if not names:
        return True
    try:
        return names <= {MANIFEST, *read_manifest(folder).files}
    except ModelError:
        return False


def save_bundle(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Write a bundle, whole or not at all; an older one at the same place is replaced.

    Args:
        folder: where to; its parent is created.
        manifest: its `files` are filled in here.
        files: name -> content of every other file; must hold `model.tflite`.

    Raises:
        OutputError: something else than a bundle is there, or it cannot be written.
    """
    if not replaceable(folder):
        raise OutputError(f"{folder}: something else than a model is there, which would be lost; name another folder")
    listed = {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()}
    text = json.dumps({**manifest.as_dict(), "files": listed}, indent=1, ensure_ascii=False)
    with new_folder(folder) as new:
        for name, data in files.items():
            (new / name).write_bytes(data)
        (new / MANIFEST).write_text(text + "\n", encoding="utf-8")
