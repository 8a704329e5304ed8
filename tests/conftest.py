"""Fixtures that every test may use; each test runs with its own user folders and without the user's settings."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from emnist_cli.app import app
from emnist_cli.core.classify.recognizer import Recognizer
from tests import small_data, trained

# Ray asks once, when it is imported, whether to print; any test may import it first.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "^")

REPOSITORY = Path(__file__).parent.parent
Once = Callable[[str, Callable[[Path], object]], Path]
DATA = Path(os.environ.get("EMNIST_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in ("EMNIST_MODEL", "EMNIST_DATA", "EMNIST_DEBUG", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture(scope="session", autouse=True)
def signals_of_a_shell() -> None:
    """Let commands hear Ctrl-C and a closed terminal, also where the tests run in the background, deaf to both."""
    for name, usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.fixture(scope="session", autouse=True)
def two_devices() -> None:
    """Let the CPU count as two devices, so that spreading over devices can be tested; before TensorFlow starts."""
    if "tensorflow" in sys.modules:
        _split_cpu()


def _split_cpu() -> None:
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


LONGEST = ("ray", "test_train", "test_docs", "test_exporter", "test_look", "test_docs_output", "test_offline")
"""What takes longest, in order: it is started first, so that no process ends long after the other."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))  # a file stays in one process, for its fixtures
        if _group(item) == "ray":
            item.add_marker("ray")
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items.sort(key=lambda item: LONGEST.index(_group(item)) if _group(item) in LONGEST else len(LONGEST))
    if not DATA.is_dir():
        if "EMNIST_TEST_DATA" in os.environ:
            raise pytest.UsageError(f"EMNIST_TEST_DATA is {DATA}, which is no folder")
        skip = pytest.mark.skip(reason=f"no real handwriting at {DATA}; set EMNIST_TEST_DATA")
        for item in items:
            if "shared" in item.keywords:
                item.add_marker(skip)


def _group(item: pytest.Item) -> str:
    """Tests of one group run in one process: those of a file, and all that start Ray, whose clusters would meet."""
    starts_ray = "cluster" in item.path.parts or "ray" in item.path.stem or item.get_closest_marker("ray")
    return "ray" if starts_ray else item.path.stem


@pytest.fixture
def data() -> Path:
    return DATA


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Makes a file or folder of this name, once a session, also where several processes run the tests."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # which the processes share

    def get(name: str, make: Callable[[Path], object]) -> Path:
        path, scratch = folder / name, folder / "unfinished" / name
        scratch.parent.mkdir(exist_ok=True)
        with FileLock(folder / f"{name}.lock"):
            if not path.exists():
                make(scratch)
                scratch.rename(path)
        return path

    return get


@pytest.fixture(scope="session")
def mnist_archive(once: Once) -> Path:
    """The mnist split of genuine EMNIST, with the layout of NIST's gzip.zip."""
    return once("emnist-mnist.zip", lambda path: _make_archive(path, "mnist"))


@pytest.fixture(scope="session")
def letters_archive(once: Once) -> Path:
    """The letters split likewise."""
    return once("emnist-letters.zip", lambda path: _make_archive(path, "letters"))


def _make_archive(path: Path, split: str) -> None:
    subprocess.run([sys.executable, DATA.parent / "tools/make_archive.py", path, split], check=True)


@pytest.fixture(scope="session")
def digits_data(once: Once) -> Path:
    """A data folder with a small split of digits; not to be changed."""
    return once("digits-data", small_data.prepare)


@pytest.fixture(scope="session")
def digits_model(once: Once, digits_data: Path) -> Path:
    """A bundle as `emnist train` leaves it, which tells digits; tests that use it ignore TensorFlow's warnings."""

    def train(path: Path) -> None:
        command = ["train", "--split", "digits", "--arch", "lenet5", "--epochs", "12", "--batch-size", "16"]
        command += ["--no-augment", "--data-dir", str(digits_data), "--out", str(path), "-q"]
        assert CliRunner().invoke(app, command).exit_code == 0

    return once("digits-model", train)


@pytest.fixture(scope="session")
def three_classes(once: Once) -> Callable[[str], Path]:
    """Gives a .keras file of any architecture, trained to tell A, g and 7."""
    return lambda arch: once(f"{arch}.keras", lambda path: trained.train_network(path, arch))


@pytest.fixture(scope="session")
def starter_onnx(once: Once) -> Path:
    """The starter as ONNX, exported in a process of its own, in which no library says anything."""
    return once("starter.onnx", trained.export_onnx)


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    return Recognizer()


class Result:
    """What a command did: exit code, stdout and stderr apart."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


Emnist = Callable[..., Result]


@pytest.fixture
def emnist() -> Emnist:
    """Run a command in this process, as a pipe would see it."""

    def run(*args: object, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(app, [str(a) for a in args], input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def shell() -> Emnist:
    """Run the command in a process of its own."""

    def run(*args: object, stdin: bytes | None = None, cwd: Path | None = None, **env: str) -> Result:
        command = [sys.executable, "-m", "emnist_cli", *(os.fsencode(str(a)) for a in args)]
        done = subprocess.run(
            command,
            input=stdin or b"",
            capture_output=True,
            cwd=cwd,
            env={**os.environ, **env},
            timeout=180,  # for what hangs; a busy machine needs its time
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
