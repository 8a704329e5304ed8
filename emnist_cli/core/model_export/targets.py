"""Check what can be exported and where to, before TensorFlow is imported; `emnist export` uses it."""

from importlib.util import find_spec
from pathlib import Path

from emnist_cli.core import bundle, exported_models
from emnist_cli.core.atomic_file import is_worked_in
from emnist_cli.core.errors import MissingError, UsageError, did_you_mean
from emnist_cli.core.networks.keras_file import find_network

_PLACES = {
    "onnx": ({".onnx"}, "an .onnx file"),
    "saved-model": ({""}, "a folder"),
    "keras": ({".keras"}, "a .keras file"),
}
_LITERT_PLACES = {".tflite", ""}, "a .tflite file, or a folder for a whole bundle"


def check_export_target(model: bundle.Bundle, form: str, out: Path, overwrite: bool) -> None:
    """Refuse what cannot be exported, or what would be lost.

    Raises:
        UsageError: there is no such form, the path is another form's, or something is there that is not to be replaced.
        ModelError: the model has no network to be written otherwise.
        MissingError: what the form needs is not installed.
    """
    if form not in exported_models.MODEL_FORMATS:
        advice = did_you_mean(form, (*exported_models.MODEL_FORMATS, "web"))
        raise UsageError(f"--to: no form is called {form!r}; {advice}")
    find_network(model)
    suffixes, expected = _PLACES.get(form, _LITERT_PLACES)
    if ("" if is_folder(out) else out.suffix.lower()) not in suffixes:
        raise UsageError(f"--out: {form} is written to {expected}. Received: {out}")
    _check_free(model, out, overwrite)
    missing = [name for name in ("onnx", "tf2onnx", "onnxruntime") if form == "onnx" and find_spec(name) is None]
    if missing:
        raise MissingError(f"{missing[0]} is not installed; run: pip install 'emnist-cli[onnx]'")


def is_folder(out: Path) -> bool:
    """Whether a path to export to is that of a folder: it does not end like one of the files."""
    return out.suffix.lower() not in exported_models.SUFFIXES


def _check_free(model: bundle.Bundle, out: Path, overwrite: bool) -> None:
    source, folder = model.graph.resolve(), is_folder(out)
    if out.resolve() in (source, *source.parents):
        raise UsageError(f"--out: the model itself is there; name another place. Received: {out}")
    if not out.exists() or (folder and out.is_dir() and not any(out.iterdir())):
        return
    if out.is_dir() != folder or (folder and not _replaceable(out)):
        raise UsageError(f"--out: something else than an exported model is there; name another place. Received: {out}")
    if not overwrite:
        raise UsageError(f"--out: {out} is there already; name another place, or replace it: --overwrite")


def _replaceable(folder: Path) -> bool:
    """Whether nothing would be lost at `folder` but a bundle or a SavedModel."""
    if not (folder / exported_models.SAVED_MODEL).is_file():
        return bundle.replaceable(folder)
    return not is_worked_in(folder) and {path.name for path in folder.iterdir()} <= set(exported_models.PARTS)
