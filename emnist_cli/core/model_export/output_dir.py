"""Choose where a training run or import stores its model, and refuse to lose what is there.

`emnist train` and `emnist models import` use it.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from emnist_cli.core import bundle
from emnist_cli.core.errors import OutputError, UsageError

LAST_CHECKPOINT = "last.npz"
"""The file in the work folder that an interrupted run goes on from."""


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
    interrupted = (place.work / LAST_CHECKPOINT).is_file()
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
