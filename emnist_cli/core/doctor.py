"""Check what is installed, where everything is and what is missing, for `emnist doctor`.

Nothing here uses the network.
"""

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, NamedTuple

from emnist_cli import __version__
from emnist_cli.core import bundle
from emnist_cli.core.errors import EmnistError, MissingError
from emnist_cli.core.platform.cpu import available_cores

OK, MISSING, PROBLEM, NOTE = "ok", "missing", "problem", "note"
"""What a check comes to. Only what reading pictures needs is a problem; what is missing is needed for other things."""

READING = ("typer", "rich", "numpy", "pillow", "ai-edge-litert")
"""What reading pictures needs; the package's other dependencies are for training and scoring."""

EXTRAS = {
    "serve": "emnist serve",
    "read": "PDF files in emnist read",
    "onnx": "emnist export --to onnx, and running it",
    "ray": "emnist predict --engine ray",
    "tensorboard": "emnist train --tensorboard",
}
"""What each extra is for."""

SETTINGS = ("EMNIST_MODEL", "EMNIST_DATA", "EMNIST_DEBUG", "NO_COLOR", "TF_CONFIG")
_ENOUGH = 2e9  # bytes that preparing EMNIST takes at most, the download included


class Check(NamedTuple):
    """What was found.

    Attributes:
        check: what was looked at.
        state: one of `OK`, `MISSING`, `PROBLEM`, `NOTE`.
        found: versions, places, counts.
        advice: what to do about it; empty where there is nothing to do.
    """

    check: str
    state: str
    found: str
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the record as it is written to JSON."""
        return self._asdict()


def examine(model: str, data_dir: Path | None, on_stage: Callable[[str], None] = lambda stage: None) -> Iterator[Check]:
    """Look at everything, the most necessary first.

    Args:
        model: the one that commands use where none is named.
        data_dir: where EMNIST is kept; None for the user's data folder.
        on_stage: called before what takes seconds, with what that is.
    """
    yield Check("emnist-cli", OK, f"{__version__} in {Path(__file__).parents[1]}")
    yield Check("Python", OK, f"{platform.python_version()}, {sys.executable}")
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Check("system", OK, f"{system}, {available_cores()} cores")
    yield check_packages("reading pictures", READING, PROBLEM, "pip install {}")
    yield check_model(model)
    yield check_own_models()
    others = sorted(_required("").keys() - READING, key=lambda name: (not name.startswith("tensorflow"), name))
    yield check_packages("training and scoring", others, MISSING, "pip install {}; to read pictures it is not needed")
    yield check_gpu(on_stage)
    yield check_data(data_dir)
    for extra, purpose in EXTRAS.items():
        if names := _required(extra):
            yield check_packages(f"extra {extra!r}", names, MISSING, f"for {purpose}: {_install(extra)}")
    if settings := [f"{name}={os.environ[name]}" for name in SETTINGS if os.environ.get(name)]:
        yield Check("settings", NOTE, "; ".join(settings))


def _install(extra: str) -> str:
    return f"pip install 'emnist-cli[{extra}]'"


def _required(extra: str) -> dict[str, str]:
    """Return what an extra asks for here, or the package itself for "": name -> lowest version."""
    try:
        requirements = requires("emnist-cli") or []
    except PackageNotFoundError:  # run from a checkout
        requirements = [*READING, "tensorflow", "tensorflow-datasets"]
    found = {}
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        asked = re.search(r"""extra == ['"]([\w-]+)['"]""", marker)
        elsewhere = "sys_platform != 'win32'" in marker.replace('"', "'") and sys.platform == "win32"
        if (asked[1] if asked else "") == extra and not elsewhere:
            name = re.match(r"[\w.-]+", wanted)
            lowest = re.search(r">=\s*([\d.]+)", wanted)
            if name:
                found[name[0]] = lowest[1] if lowest else ""
    return found


def check_packages(check: str, names: Any, otherwise: str, advice: str) -> Check:
    """Tell the versions of some packages, and which of them are not there or too old.

    Args:
        check: what they are for.
        names: of the packages.
        otherwise: the state if one is not there.
        advice: what to do then; "{}" becomes the names.
    """
    lowest = {**_required(""), **{name: v for extra in EXTRAS for name, v in _required(extra).items()}}
    versions = {name: _version(name) for name in names}
    absent = [name for name, v in versions.items() if not v]
    old = [name for name, v in versions.items() if v and _parts(v) < _parts(lowest.get(name, ""))]
    found = [f"{name} {v}" for name, v in versions.items() if v]
    found += [f"{name} is not installed" for name in absent]
    found += [f"{name} must be {lowest[name]} at least" for name in old]
    if not absent and not old:
        return Check(check, OK, ", ".join(found))
    wanted = " ".join(absent + [f"'{name}>={lowest[name]}'" for name in old])
    return Check(check, otherwise if absent else PROBLEM, ", ".join(found), advice.format(wanted))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _parts(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", number)[:3])


def check_model(model: str) -> Check:
    """Read the model that is used where none is named, and let it answer once."""
    check = f"model {model}"
    try:
        import numpy as np

        from emnist_cli.core.classify.recognizer import Recognizer

        recognizer = Recognizer(model)
        recognizer.probabilities(np.zeros((1, 28, 28), np.float32))
    except EmnistError as error:
        return Check(check, PROBLEM, str(error), "name another: --model, EMNIST_MODEL; or reinstall emnist-cli")
    except ModuleNotFoundError as error:
        return Check(check, PROBLEM, f"{error.name} is not installed, so it cannot run", "see above")
    return Check(check, OK, f"runs, {len(recognizer.labels)} classes, in {recognizer.model.graph.parent}")


def check_own_models() -> Check:
    """Count the user's own models; one that is damaged is named."""
    folder = bundle.user_folder()
    if folder is None:
        return Check("your models", MISSING, "their folder is not known", "pip install platformdirs")
    own = [path for path in bundle.list_bundles() if path.parent == folder]
    damaged = []
    for path in own:
        try:
            bundle.read_bundle(path)
        except EmnistError as error:
            damaged.append(str(error))
    names = ", ".join(path.name for path in own) or "none yet"
    if damaged:
        return Check("your models", PROBLEM, "; ".join(damaged), f"copy it again, or delete it from {folder}")
    advice = "" if own else "to train one: emnist train --split balanced"
    return Check("your models", OK if own else NOTE, f"{names}, in {folder}", advice)


def check_gpu(on_stage: Callable[[str], None]) -> Check:
    """Look for a GPU that TensorFlow can use; takes seconds, since TensorFlow has to be imported."""
    on_stage("starting TensorFlow to look for a GPU")
    try:
        from emnist_cli.core.training.devices import list_gpus

        gpus = list_gpus()
    except Exception as error:  # an installation that is broken fails in many ways
        if isinstance(error, ModuleNotFoundError) and error.name == "tensorflow":
            return Check("GPU", NOTE, "only training would use one, and TensorFlow is not installed")
        return Check("TensorFlow", PROBLEM, f"does not start: {error}", "pip install --force-reinstall tensorflow")
    if gpus:
        return Check("GPU", OK, ", ".join(gpus))
    found = "none that TensorFlow can use; training runs on the processor"
    if shutil.which("nvidia-smi"):
        return Check("GPU", MISSING, found, "there is an NVIDIA driver: pip install 'tensorflow[and-cuda]'")
    return Check("GPU", NOTE, found)


def check_data(data_dir: Path | None) -> Check:
    """Tell which splits of EMNIST are prepared, where, and whether there is room for them."""
    try:
        from emnist_cli.core.data import dataset

        folder = dataset.data_folder(data_dir)
        there = [record.split for record in dataset.prepared(folder)]
    except MissingError as error:
        return Check("EMNIST", MISSING, str(error), "pip install platformdirs")
    except ModuleNotFoundError as error:
        return Check("EMNIST", NOTE, f"not looked for without {error.name}; only training and scoring need it")
    if there:
        return Check("EMNIST", OK, f"{', '.join(there)}, in {folder}")
    free = shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.is_dir())).free
    found = f"not there, and only training and scoring need it; it would be kept in {folder}, {free / 1e9:,.1f} GB free"
    advice = (
        "emnist data download" if free > _ENOUGH else f"needs {_ENOUGH / 1e9:.0f} GB: choose another place, EMNIST_DATA"
    )
    return Check("EMNIST", MISSING, found, advice)
