"""Write what the commands in the documentation print into it; a test compares the two.

    python scripts/make_docs_output.py

A block of commands is run if the line before it is `<!-- run -->`:

    <!-- run -->
    ```console
    $ emnist predict examples/pencil-7.jpg
    (what it prints, which is replaced)
    ```

The blocks of a page are run one after another in a new folder that holds a copy of `examples/`, on a terminal of 80
columns without colours. What a command writes to stderr is put after what it writes to stdout. Times differ from run
to run, so a command that prints them takes `--quiet` or is not marked. Needs a system with terminals: not Windows.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"(?<=<!-- run -->\n)```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ .*(?:\n> .*)*", re.MULTILINE)  # "> " is the shell's prompt for what goes on
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLUMNS = 80


def pages() -> list[Path]:
    """Return every page with blocks to run."""
    every = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in every if _BLOCK.search(page.read_text(encoding="utf-8"))]


def refreshed(page: Path) -> str:
    """Return the page's text with what its commands print now."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "here")
        shutil.copytree(ROOT / "examples", folder / "examples")
        environment = _environment(Path(name))

        def run(block: re.Match[str]) -> str:
            shown = (_shown(command, folder, environment) for command in _COMMAND.findall(block[1]))
            return "```console\n" + "".join(shown).rstrip() + "\n```"

        return _BLOCK.sub(run, page.read_text(encoding="utf-8"))


def _environment(scratch: Path) -> dict[str, str]:
    """Make `emnist` the one in this tree, in a home without settings."""
    program = scratch / "bin" / "emnist"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m emnist_cli "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("EMNIST_", "XDG_"))}
    for name in ("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "PYTHONIOENCODING"):
        kept.pop(name, None)
    path = os.pathsep.join([str(program.parent), str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    own = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(scratch), "LC_ALL": "C.UTF-8"}
    return {**kept, **own, "COLUMNS": str(_COLUMNS), "NO_COLOR": "1", "TERM": "xterm-256color"}


def _shown(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Return the command's lines, what they print, and an empty line after it, if it prints anything."""
    printed = _run(re.sub(r"^[$>] ", "", command, flags=re.MULTILINE), folder, environment)
    lines = [line.rstrip() for line in _STYLE.sub("", printed).splitlines()]
    text = "\n".join(lines).strip("\n")
    return f"{command}\n{text}\n\n" if text else f"{command}\n"


def _run(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command in a shell on a terminal of its own; return what it shows, stderr last."""
    import fcntl  # Windows has none of these
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, _COLUMNS, 0, 0))
    with tempfile.TemporaryFile() as errors:
        started = subprocess.Popen(
            ["sh", "-c", command], stdin=theirs, stdout=theirs, stderr=errors, cwd=folder, env=environment
        )
        os.close(theirs)
        shown = _read_all(ours)
        started.wait()
        errors.seek(0)
        return (shown + errors.read()).decode()


def _read_all(terminal: int) -> bytes:
    """Read until nobody writes to the terminal any more."""
    shown = b""
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:  # the end, on Linux
        pass
    finally:
        os.close(terminal)
    return shown


if __name__ == "__main__":
    for place in pages():
        place.write_text(refreshed(place), encoding="utf-8")
