"""Where a training run leaves its model, and what must not be lost there."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from emnist_cli.core import bundle
from emnist_cli.core.config import ARCHITECTURES
from emnist_cli.core.errors import ModelError, OutputError, UsageError
from emnist_cli.core.training import checkpoint

KERAS_FILE = "model.keras"
"""The network as Keras keeps it, beside the LiteRT file: to export it otherwise, or to train on from it."""


@dataclass(frozen=True)
class OutputDir:
    """Where a run leaves its model.

    Attributes:
        folder: of the bundle.
        name: of the model.
    """

    folder: Path
    name: str

    @property
    def work(self) -> Path:
        """Where checkpoints are until the run is complete."""
        return self.folder.with_name(f".{self.folder.name}.training")


def choose_output_dir(out: Path | None, name: str | None, task_name: str, arch: str) -> OutputDir:
    """Decide where a model goes: into `out`, else into the user's models folder under its name.

    Raises:
        UsageError: the name cannot be one of a folder, or is that of a packaged model; or the user's folder is not
            known.
    """
    chosen = name or (out.resolve().name if out else f"{task_name}-{arch}")
    if not chosen or Path(chosen).name != chosen or chosen.startswith(".") or len(chosen.encode()) > 200:
        raise UsageError(f"--name: expected a plain name without slashes, not too long. Received: {chosen!r}")
    if out is not None:
        return OutputDir(out.resolve(), chosen)
    if (bundle.PACKAGED / chosen).exists():
        raise UsageError(f"--name: {chosen!r} is a model of the package, which is found first; choose another name")
    root = bundle.user_folder()
    if root is None:
        raise UsageError("platformdirs is not installed; say with --out where the model goes")
    return OutputDir(root / chosen, chosen)


def check_output_dir(place: OutputDir, resume: bool, overwrite: bool) -> None:
    """Refuse to lose an earlier model, the checkpoint of an earlier run, or anything else.

    Raises:
        UsageError: there is one, or with `resume`, there is none.
        OutputError: nothing can be written there.
    """
    if resume and overwrite:
        raise UsageError("--resume goes on with a run, --overwrite starts it anew; say one of the two")
    _check_writable(place)
    if not bundle.replaceable(place.folder):
        raise UsageError(f"{place.folder}: expected a new folder, an empty one or an earlier model; choose another")
    interrupted = checkpoint.has_checkpoint(place.work)
    if resume and not interrupted:
        raise UsageError(f"--resume: there is no interrupted run of {place.name!r} ({place.work} has no checkpoint)")
    if resume or overwrite:
        return
    if interrupted:
        raise UsageError(
            f"an interrupted run of {place.name!r} is there; go on with --resume, or start anew with --overwrite"
        )
    if place.folder.exists() and any(place.folder.iterdir()):
        raise UsageError(f"{place.folder} is there already; choose another --name or --out, or replace it: --overwrite")


def check_base(base: bundle.Bundle) -> None:
    """Make sure that training can start from a bundle, or from a file that was exported from one.

    Raises:
        ModelError: its classes are not known; or see `find_network`.
    """
    if base.manifest is None:
        raise ModelError(
            f"--from: {base.name} has no {KERAS_FILE} and does not say of which architecture it is; emnist train "
            "leaves a model that training can start from"
        )
    find_network(base)


def find_network(model: bundle.Bundle) -> Path:
    """Return the file that a model's Keras network can be got out of: a .keras or a .tflite file.

    Raises:
        ModelError: there is none.
    """
    manifest, graph = model.manifest, model.graph
    if manifest and KERAS_FILE in manifest.files:
        return graph.with_name(KERAS_FILE)
    suffix = graph.suffix.lower()
    if suffix == ".keras" or (suffix == ".tflite" and manifest and arch_of(model) in ARCHITECTURES):
        return graph
    why = "does not say of which architecture it is" if suffix == ".tflite" else "holds a graph without its layers"
    raise ModelError(
        f"{graph}: has no {KERAS_FILE} beside it and {why}; export from the bundle that emnist train has left, or from "
        "a .keras file"
    )


def arch_of(base: bundle.Bundle) -> str:
    """Return the architecture of a bundle's network, "custom" if it does not say."""
    return str(base.manifest.training.get("arch", "custom")) if base.manifest else "custom"


@contextmanager
def locked(place: OutputDir) -> Iterator[None]:
    """Keep other processes of this machine from training into the same place.

    Raises:
        UsageError: another one does.
    """
    digest = hashlib.sha256(str(place.folder).encode()).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"emnist-train-{digest}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"another training writes to {place.folder}; choose another --name or --out") from None
    try:
        yield
    finally:
        lock.release()


def _check_writable(place: OutputDir) -> None:
    try:
        place.folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.folder.parent, prefix=f".{place.folder.name[:100]}."):
            pass
    except OSError as error:
        raise OutputError(f"{place.folder.parent}: cannot be written to ({error.strerror or error})") from None
