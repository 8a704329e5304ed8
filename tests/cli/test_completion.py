"""Tab in bash, zsh and fish: typed in a terminal, as a user types it."""

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emnist_cli.core import exported_models
from emnist_cli.core.labels import SPLITS
from tests.conftest import REPOSITORY, Emnist

START = {
    "bash": "bash --norc --noprofile -i",
    "zsh": "zsh -f -i",
    "fish": "fish --no-config --private -i",
}
"""Each shell without the settings of whoever runs the tests."""

SET_UP = {
    "bash": "PS1='ready> '",
    "zsh": "PS1='ready> '; bindkey -e; autoload -Uz compinit; compinit -u -D",
    "fish": "function fish_prompt; echo 'ready> '; end",
}

WORDS = {
    "emnist lab": "emnist labels",
    "emnist models imp": "emnist models import",
    "emnist predict --contact": "emnist predict --contact-sheet",
    "emnist labels --split bal": "emnist labels --split balanced",
    "emnist predict --model st": "emnist predict --model starter",
    "emnist benchmark --against keras,on": "emnist benchmark --against keras,onnx",
    "emnist predict scan-o": "emnist predict scan-one.png",
    "emnist predict --model my-": "emnist predict --model my-model.tflite",
}
"""What is typed before Tab, and what the line is after it."""


class Shell:
    """A shell in a terminal, with the completion that the program has for it."""

    def __init__(self, name: str, folder: Path) -> None:
        pty, fcntl, termios = (pytest.importorskip(module) for module in ("pty", "fcntl", "termios"))
        self.ours, theirs = pty.openpty()
        program = folder / "bin" / "emnist"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m emnist_cli "$@"\n')
        program.chmod(0o755)
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        self.process = subprocess.Popen(
            START[name].split(), stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True,
            env={**os.environ, "PATH": path, "TERM": "dumb", "PYTHONPATH": str(REPOSITORY)},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # fish ends without a terminal of its own
        )  # fmt: skip
        os.close(theirs)
        self._type(f"{SET_UP[name]}; emnist --show-completion > tab; source ./tab; echo set' 'up\r", "set up\r\n")

    def press_tab(self, typed: str) -> str:
        """Type something and Tab; return the line as it then stands."""
        # Then to the line's beginning and its end, to have it printed.
        shown = self._type(f"{typed}\t\x01echo '<'\x05 '>'\r", " >\r\n")
        return shown.rpartition("\n<")[2].partition(" >\r\n")[0].rstrip()

    def _type(self, keys: str, until: str) -> str:
        os.write(self.ours, keys.encode())
        shown, end = "", time.monotonic() + 30
        while until not in shown:
            ready, _, _ = select.select([self.ours], [], [], max(end - time.monotonic(), 0))
            assert ready, f"waited for {until!r}, saw {shown!r}"
            shown += os.read(self.ours, 65536).decode(errors="replace")
        return shown

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.fixture
def open_shell(tmp_path: Path) -> Iterator[Callable[[str], Shell]]:
    shells: list[Shell] = []

    def start(name: str) -> Shell:
        shells.append(Shell(name, tmp_path))
        return shells[-1]

    yield start
    for shell in shells:
        shell.close()


def _is_new_enough() -> bool:
    """Whether bash has what Typer's completion needs; that of macOS has not."""
    asked = ["bash", "-c", "((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404))"]
    return subprocess.run(asked, check=False, timeout=60).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(START))
def test_tab_completes(open_shell: Callable[[str], Shell], tmp_path: Path, name: str) -> None:
    if shutil.which(name) is None or (name == "bash" and not _is_new_enough()):
        pytest.skip(f"needs {name}, of version 4.4 or later if it is bash")
    for file in ("scan-one.png", "my-model.tflite", "old.csv"):
        (tmp_path / file).touch()
    shell = open_shell(name)
    assert {typed: shell.press_tab(typed) for typed in WORDS} == WORDS


def complete(shell: Emnist, *words: str) -> list[str]:
    """Ask as the function in bash does."""
    asked = {"_EMNIST_COMPLETE": "complete_bash", "COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    result = shell(**asked)
    assert (result.code, result.err) == (0, "")
    return result.out.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["emnist", "labels", "--split", ""], list(SPLITS)),
        (["emnist", "export", "--to", ""], [*exported_models.MODEL_FORMATS, "web"]),
        (["emnist", "benchmark", "--against", "onnx,litert-"], ["onnx,litert-f16", "onnx,litert-int8"]),
        (["emnist", "predict", "--charset", "d"], ["digits"]),
        (["emnist", "train", "--arch", "c"], ["classic", "compact"]),
        (["emnist", "train", "--strategy", "m"], ["mirrored", "multiworker"]),
        (["emnist", "predict", "--format", ""], ["table", "json", "jsonl", "csv"]),
        (["emnist", "predict", ""], [""]),  # nothing: the shell has its files
    ],
)
def test_values(shell: Emnist, words: list[str], offered: list[str]) -> None:
    assert complete(shell, *words) == offered


@pytest.mark.slow
def test_models_of_ones_own_are_offered(shell: Emnist, emnist: Emnist, tmp_path: Path) -> None:
    own = Path(emnist("models", "-f", "json").out.split('"folder": "')[1].split('"')[0])
    assert complete(shell, "emnist", "predict", "--model", "") == [own.name] == ["starter"]
    from emnist_cli.core import bundle

    folder = bundle.user_folder()
    assert folder is not None
    shutil.copytree(own, folder / "postcodes")
    assert sorted(complete(shell, "emnist", "train", "--from", "")) == ["postcodes", "starter"]


def test_completing_loads_nothing_heavy() -> None:
    env = {"_EMNIST_COMPLETE": "complete_bash", "COMP_WORDS": "emnist\ntrain\n--from\n", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "emnist_cli"],
        env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    loaded = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert done.stdout.split() == ["starter"]
    assert "emnist_cli.commands.train" in loaded, "the test must see what is loaded"
    assert not loaded & {"tensorflow", "keras", "tensorflow_datasets", "numpy", "scipy", "PIL", "fastapi"}
