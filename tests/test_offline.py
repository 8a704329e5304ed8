"""Every command works where there is no network, and asks for no address: only EMNIST's download does."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer

from emnist_cli.app import app
from emnist_cli.core.data.download import URL
from tests import archives, small_data
from tests.conftest import REPOSITORY
from tests.handwriting import picture

pytestmark = pytest.mark.slow

NAMESPACE = ("unshare", "--user", "--map-root-user", "--net", "--")
"""A network namespace of one's own, in which no interface is up, the loopback neither."""

NOTE = """
import os, sys
def note(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        with open(os.environ["EMNIST_TEST_NOTES"], "a") as file:
            print(event, args[1:] if event in ("socket.connect", "socket.sendto") else args, file=file)
sys.addaudithook(note)
"""
"""Python runs this first in every process, in workers, too; a try that fails in silence is seen as well."""

SERVE = """
import fcntl, socket, struct, sys
from tests.web.running import running
with socket.socket() as any_socket:  # what "ip link set lo up" does
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1))
with running() as server:
    reply = server.upload(("7.png", open(sys.argv[1], "rb").read()))
    print(server.ask("/").status, reply.json[0]["label"])
"""

RUN = """
import json, os, sys
from pathlib import Path
from typer.testing import CliRunner
from emnist_cli.app import app
notes, done = Path(os.environ["EMNIST_TEST_NOTES"]), {}
for name, line in json.load(sys.stdin).items():
    result = CliRunner().invoke(app, line.split())
    done[name] = {"code": result.exit_code, "out": result.stdout, "err": result.stderr, "asked": ""}
    if notes.exists():
        done[name]["asked"] = notes.read_text()
        notes.unlink()
json.dump(done, sys.stdout)
"""
"""All in one process, which starts TensorFlow once."""

COMMANDS = {
    "": "",
    "predict": "predict scans",
    "read": "read {repository}/examples/pages/note.jpg",
    "evaluate": "evaluate --split digits",
    "benchmark": "benchmark --runs 1 --seconds 0.001 --batch 1 --threads 1",
    "labels": "labels --split letters",
    "models": "models",
    "models import": "models import {repository}/tests/fixtures/keras/digits.h5 --out imported-model",
    "train": "train --split digits --arch mnist --epochs 1 --out trained",
    "export": "export --to litert-f16 --out exported.tflite",
    "doctor": "doctor",
    "data import": "data import EMNIST --split digits --data-dir imported",
    "data info": "data info",
    "data show": "data show --split digits --count 3",
    "data verify": "data verify",
    "data export": "data export written --split digits --as png",
    "data download": "data download --split digits --data-dir empty",
}
"""A line for every command there is, that has it do its work."""


@pytest.fixture(scope="module", autouse=True)
def needs_namespaces() -> None:
    """Without namespaces nothing here can be said; EMNIST_TEST_OFFLINE=1 makes that a failure, as CI does."""
    try:
        tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False, timeout=60)
        problem = tried.stderr.strip()
    except OSError as error:
        tried, problem = None, str(error)
    if tried is None or tried.returncode:
        assert not os.environ.get("EMNIST_TEST_OFFLINE"), problem
        pytest.skip(f"needs network namespaces: {problem}")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures and prepared data."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "scans").mkdir()
    for character in "7R":
        picture(character).save(folder / "scans" / f"{character}.png")
    small_data.prepare(folder / "data")
    archives.write_folder(folder / "EMNIST" / "raw", dict(archives.idx_files(archives.small("digits"))))
    (folder / "first").mkdir()
    (folder / "first" / "sitecustomize.py").write_text(NOTE)
    return folder


def run(place: Path, *command: str, stdin: str = "", data: str = "data") -> "subprocess.CompletedProcess[str]":
    """Run Python in a network namespace."""
    env = {
        "PYTHONPATH": f"{place / 'first'}{os.pathsep}{REPOSITORY}",
        "EMNIST_TEST_NOTES": str(place / "notes"),
        "EMNIST_DATA": str(place / data),
        "XDG_DATA_HOME": str(place / "home"),
        "HOME": str(place / "home"),
    }
    return subprocess.run(
        [*NAMESPACE, sys.executable, *command], input=stdin,
        cwd=place, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def done(place: Path) -> dict[str, Any]:
    """What each command did: exit code, stdout, stderr, and addresses that it asked for."""
    lines = {name: line.format(repository=REPOSITORY) for name, line in COMMANDS.items()}
    ended = run(place, "-c", RUN, stdin=json.dumps(lines))
    assert ended.returncode == 0, ended.stderr
    results: dict[str, Any] = json.loads(ended.stdout)
    return results


def commands(group: object, before: str = "") -> Iterator[str]:
    """Every command that does something, as it is typed after emnist."""
    for name, command in getattr(group, "commands", {}).items():
        if getattr(command, "commands", None) is None or name == "models":
            yield f"{before}{name}"
        yield from commands(command, f"{before}{name} ")


def test_there_is_a_line_for_every_command() -> None:
    assert {*commands(typer.main.get_command(app))} == {*COMMANDS, "serve"} - {""}


@pytest.mark.parametrize("name", sorted({*COMMANDS} - {"data download"}))
def test_without_a_network(done: dict[str, Any], name: str) -> None:
    did = done[name]
    assert (did["code"], did["asked"], bool(did["out"] + did["err"])) == (0, "", True), did["err"]


def test_the_download_says_so(done: dict[str, Any]) -> None:
    did = done["data download"]
    assert (did["code"], did["out"]) == (5, "")
    assert re.fullmatch(r"emnist: https://\S+: cannot reach .*emnist data import.*\n", did["err"].splitlines(True)[-1])
    assert "getaddrinfo" in did["asked"], "the test must see who asks"


def test_the_server_needs_only_loopback(place: Path) -> None:
    ended = run(place, "-c", SERVE, str(place / "scans" / "7.png"))
    assert ended.stdout == "200 7\n", ended.stderr


def test_training_on_a_split_that_is_not_there(place: Path) -> None:
    (place / "notes").unlink(missing_ok=True)
    ended = run(place, "-m", "emnist_cli", "train", "--split", "digits", "--out", "never", data="none")
    assert (ended.returncode, ended.stdout) == (5, "")
    assert ended.stderr.count("\n") == 1 and "emnist data import" in ended.stderr, ended.stderr
    assert not (place / "never").exists()
    # It gets what is not there, from where `data download` does.
    assert {*re.findall("'(.*?)'", (place / "notes").read_text())} == {urlsplit(URL).hostname}
