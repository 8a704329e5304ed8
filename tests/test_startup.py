"""What a fresh process loads: quick commands stay quick, and work where TensorFlow is not installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Emnist
from tests.handwriting import picture

HEAVY = ("tensorflow", "keras", "tensorflow_datasets")

# As if they were not installed: importing any of them raises ModuleNotFoundError.
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
"""

RUN = """
import sys
from emnist_cli.app import app
for args in {commands!r}:
    code = 0
    try:
        app(args, prog_name="emnist")
    except SystemExit as ending:
        code = ending.code
    print("\\0", end="", flush=True)
    if code:
        break
print("LOADED", sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
sys.exit(code)
"""


def run(args: list[str], blocked: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Run a command in a fresh process: exit code, stdout, and stderr, which ends with what was loaded."""
    code, out, err = run_all([args], blocked)
    return code, "".join(out), err


def run_all(commands: list[list[str]], blocked: tuple[str, ...] = ()) -> tuple[int, list[str], str]:
    """Run commands one after another in a fresh process, up to one that fails: each has its own stdout."""
    script = BLOCK.format(blocked=blocked) + RUN.format(commands=commands)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout.split("\0")[:-1], done.stderr


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    path = tmp_path / "7.png"
    picture("7", 1).save(path)
    return path


def test_nothing_heavy_is_loaded() -> None:
    code, out, err = run_all([["--help"], ["predict", "--help"], ["read", "--help"], ["labels"], ["models"]])
    assert (code, [bool(text) for text in out]) == (0, [True] * 5)
    loaded = err.split("LOADED")[1]
    assert not [name for name in HEAVY if f"'{name}'" in loaded]
    assert "'numpy'" not in loaded


def test_predict_loads_neither_tensorflow_nor_rich_nor_what_read_needs(seven: Path) -> None:
    command = ["predict", str(seven)]
    code, out, err = run_all([command, *([*command, "--format", form] for form in ("json", "jsonl", "csv"))])
    assert (code, ["7" in text.replace(str(seven), "") for text in out]) == (0, [True] * 4)
    loaded = err.split("LOADED")[1]
    assert not [name for name in (*HEAVY, "rich", "scipy", "pypdfium2") if f"'{name}'" in loaded]
    assert "'ai_edge_litert'" in loaded, "the test must see what is loaded"


def test_read_loads_neither_tensorflow_nor_rich(seven: Path) -> None:
    code, out, err = run_all([["read", str(seven), "--format", form] for form in ("text", "json", "csv", "hocr")])
    assert (code, ["7" in text.replace(str(seven), "") for text in out]) == (0, [True] * 4)
    loaded = err.split("LOADED")[1]
    assert not [name for name in (*HEAVY, "rich", "pypdfium2") if f"'{name}'" in loaded]
    assert "'scipy'" in loaded, "the test must see what is loaded"


@pytest.mark.slow
def test_read_without_scipy_says_so(seven: Path) -> None:
    code, out, err = run(["read", str(seven)], ("scipy",))
    assert (code, out) == (6, "")
    assert err.splitlines()[0] == "emnist: scipy is not installed; run: pip install scipy"


@pytest.mark.slow
def test_slim_install_without_tensorflow_and_platformdirs(seven: Path) -> None:
    blocked = (*HEAVY, "platformdirs", "importlib_resources")
    commands = [["predict", str(seven)], ["predict", str(seven), "--show"], ["labels"], ["models"]]
    code, out, err = run_all(commands, blocked)
    assert (code, [bool(text.strip()) for text in out]) == (0, [True] * 4), err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "package"), [("PIL", "pillow"), ("numpy", "numpy"), ("ai_edge_litert", "ai-edge-litert")]
)
def test_a_missing_library_is_named(seven: Path, module: str, package: str) -> None:
    code, out, err = run(["predict", str(seven)], (module,))
    assert (code, out) == (6, "")
    assert err.splitlines()[0] == f"emnist: {package} is not installed; run: pip install {package}"


def test_runtime_says_nothing_on_stderr(shell: Emnist, seven: Path) -> None:
    result = shell("predict", seven)
    assert (result.code, result.err) == (0, "")


def test_version(shell: Emnist, emnist: Emnist) -> None:
    from emnist_cli import __version__

    assert shell("--version").out == emnist("--version").out == f"emnist {__version__}\n"


def test_import_is_free_and_lazy() -> None:
    script = (
        "import sys; import emnist_cli; assert 'numpy' not in sys.modules; "
        "from emnist_cli import Recognizer; assert 'numpy' in sys.modules; "
        "print(emnist_cli.__all__, dir(emnist_cli))"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, capture_output=True)


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    for i in range(200):
        (tmp_path / f"{i:03}.png").write_bytes(b"nothing")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "emnist_cli", "predict", str(tmp_path), "-q", "-f", "csv"],
        stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    os.close(writer)
    assert done.returncode == 1
    assert all(b"000.png: not a picture" in line for line in done.stderr.splitlines())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_on_a_full_disk(option: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "emnist_cli", option], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_streams(seven: Path, tmp_path: Path, closed: str) -> None:
    line = f'"{sys.executable}" -m emnist_cli predict "{seven}" - -o "{tmp_path}/out.csv" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=60
    )
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "out.csv").read_text().splitlines()[1:] == [
        next(line for line in (tmp_path / "out.csv").read_text().splitlines() if ",ok,7," in line),
        "-,error,,,,empty file (0 bytes)",
    ]
