"""Writes the drawing page as a folder that any static host can serve. Used by `emnist export --to web`.

The exported page recognizes characters in the browser alone. It is the server's page (`static/`), except for its one
link to a server, `api.js`: the version in `browser/` preprocesses in JavaScript and runs the model's own graph with
LiteRT in WebAssembly. The library's files come from its npm package, which is stored beside the page. Nothing is
fetched.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from emnist_cli.core import bundle
from emnist_cli.core.atomic_file import is_worked_in, new_folder, write_error
from emnist_cli.core.classify.label_view import make_label_view
from emnist_cli.core.classify.options import name_classes
from emnist_cli.core.config import NormalizeConfig, PredictConfig
from emnist_cli.core.errors import MissingError, ModelError, UsageError
from emnist_cli.core.imaging.decode import MAX_BYTES
from emnist_cli.core.imaging.grayscale import MAX_SIDE
from emnist_cli.core.labels import CHARSETS, LIKE_A_NAME
from emnist_cli.core.runtimes.open_runtime import open_model
from emnist_cli.core.runtimes.output_kinds import PROBABILITIES, NormalizedRuntime
from emnist_cli.web.server_info import describe

PACKAGE, VERSION = "@litertjs/core", "2.5.3"
"""The npm package of the runtime, and the version that `browser/litert.js` is written for."""

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
"""What the page may do, as the server's own page may, and WebAssembly. A <meta> cannot say who may frame it."""

_HERE = Path(__file__).parent
_LIBRARY = ("litert_wasm_compat_internal.js", "litert_wasm_compat_internal.wasm")
_LICENCE = _HERE / "licences" / "Apache-2.0.txt"  # which the package names and does not bring along
_CHARSET = '<meta charset="utf-8">'
_ABOUT = "model/model.json"


class Site(NamedTuple):
    """What was written.

    Attributes:
        path: of the folder.
        files: in it.
        bytes: of all of them.
    """

    path: Path
    files: int
    bytes: int


def export_site(model: bundle.Bundle, out: Path, runtime: Path | None = None, overwrite: bool = False) -> Site:
    """Write the page with a model, whole or not at all.

    The graph goes along as it is, byte for byte, so it needs no comparison with the model.

    Args:
        model: what the page answers with; a bundle or a .tflite file.
        out: the folder to write. Missing parents are made.
        runtime: where the npm package is, or where it was installed; None for here.
        overwrite: replace what was exported to that place before.

    Raises:
        UsageError: something is there that is not to be replaced, or the model is of another form.
        ModelError: the network cannot be run, or its classes are not known.
        MissingError: the runtime is not there, or of another version.
        OutputError: it cannot be written.
    """
    if model.graph.suffix.lower() != ".tflite":
        advice = f"first: emnist export --model {model.graph} --to litert --out FOLDER"
        raise UsageError(f"--to web takes a bundle or a .tflite file; {advice}. Received: {model.graph}")
    check_site(out, overwrite)
    package = find_runtime(runtime)
    about = _describe(model)
    try:
        with new_folder(out.resolve()) as new:
            _write(new, model.graph, about, package)
            sizes = [path.stat().st_size for path in new.rglob("*") if path.is_file()]
    except OSError as error:
        raise write_error(out, error) from None
    return Site(out, len(sizes), sum(sizes))


def check_site(out: Path, overwrite: bool) -> None:
    """Refuse a place where something would be lost.

    Raises:
        UsageError: something is there that is not to be replaced.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir()) and not is_worked_in(out)):
        return
    if not out.is_dir() or is_worked_in(out) or not (out / _ABOUT).is_file() or not _names(out) <= _own_names():
        raise UsageError(f"--out: something else than an exported page is there; name another place. Received: {out}")
    if not overwrite:
        raise UsageError(f"--out: {out} is there already; name another place, or replace it: --overwrite")


def find_runtime(folder: Path | None = None) -> Path:
    """Return the folder of the runtime's npm package.

    Args:
        folder: the package's own, or one in which it was installed; None for the working directory.

    Raises:
        MissingError: it is not there, is incomplete or of another version.
    """
    advice = f"run: npm install {PACKAGE}@{VERSION}, then again"
    place = folder or Path()
    package = next((each for each in (place / "node_modules" / PACKAGE, place) if (each / "wasm").is_dir()), None)
    if package is None:
        raise MissingError(
            f"the JavaScript runtime {PACKAGE} is not in {place / 'node_modules'}; {advice}; "
            "or name the folder where it is: --runtime"
        )
    try:
        found = json.loads((package / "package.json").read_bytes())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        found = "an unknown version"
    if found != VERSION:
        raise MissingError(f"{package}: expected {PACKAGE} {VERSION}. Received: {found}; {advice}")
    if absent := [name for name in _LIBRARY if not (package / "wasm" / name).is_file()]:
        raise MissingError(f"{package}: incomplete, {absent[0]} is not there; {advice}")
    return package


def _describe(model: bundle.Bundle) -> dict[str, Any]:
    """Return what the page knows of a model besides its graph."""
    try:
        runtime = open_model(model, threads=1)
    except OSError as error:
        raise ModelError(f"{model.graph}: cannot be read ({error.strerror or error})") from None
    if isinstance(runtime, NormalizedRuntime) and runtime.outputs != PROBABILITIES:
        raise ModelError(
            f"{model.graph}: gives {runtime.outputs}, and the page needs probabilities; import the Keras model that it "
            "was made from (see: emnist models import --help) and export that"
        )
    classes = name_classes(model, runtime.class_count)
    temperature = model.manifest.temperature if model.manifest else 1.0
    about = describe(model, make_label_view(classes).labels)
    return {"about": about, "classes": classes, "temperature": temperature}


def _write(new: Path, graph: Path, about: dict[str, Any], package: Path) -> None:
    for file in _files("static"):
        shutil.copyfile(file, new / file.name)
    for folder in ("model", "runtime"):
        (new / folder).mkdir()
    write_modules(new / "browser")
    (new / "browser" / "api.js").replace(new / "api.js")
    page = (new / "index.html").read_text(encoding="utf-8")
    policy = f'{_CHARSET}\n  <meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    (new / "index.html").write_text(page.replace(_CHARSET, policy, 1), encoding="utf-8", newline="\n")
    shutil.copyfile(graph, new / "model" / bundle.GRAPH)
    (new / _ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for name in _LIBRARY:
        shutil.copyfile(package / "wasm" / name, new / "runtime" / name)
    shutil.copyfile(package / "package.json", new / "runtime" / "package.json")  # says whose it is
    shutil.copyfile(_LICENCE, new / "runtime" / "LICENSE")


def write_modules(folder: Path) -> None:
    """Write the page's JavaScript modules, and `constants.json`: the numbers and tables that they share with Python.

    Args:
        folder: a new one, which is made.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir()
    for file in _files("browser"):
        shutil.copyfile(file, folder / file.name)
    constants = {
        "normalize": asdict(NormalizeConfig()),
        "limits": {"side": MAX_SIDE, "bytes": MAX_BYTES, "megapixels": PredictConfig.max_megapixels},
        "charsets": CHARSETS,
        "like_a_name": LIKE_A_NAME,
    }
    (folder / "constants.json").write_text(json.dumps(constants, indent=1) + "\n", encoding="utf-8")


def _files(folder: str) -> list[Path]:
    return sorted(path for path in (_HERE / folder).iterdir() if path.is_file())


def _names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()}


def _own_names() -> set[str]:
    """Name what an exported page has at its top."""
    return {path.name for path in _files("static")} | {"api.js", "browser", "model", "runtime"}
