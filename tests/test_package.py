"""What goes along with the program: the manual page, its own name, its types, and the files that name its version."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from emnist_cli import __version__
from emnist_cli.core.errors import ExitCode
from tests.conftest import REPOSITORY, Emnist

PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
PAGE = REPOSITORY / "man" / "emnist.1"


def test_the_manual_page_is_up_to_date() -> None:
    script = runpy.run_path(str(REPOSITORY / "scripts" / "make_man.py"))
    assert PAGE.read_text(encoding="utf-8") == script["manual"](), "run scripts/make_man.py"
    assert set(script["CODES"]) == set(ExitCode)


def test_the_manual_page_is_laid_out_without_a_warning() -> None:
    if shutil.which("groff") is None:
        pytest.skip("needs groff")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", str(PAGE)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    shown = " ".join(re.sub(r"\x1b\[\d*m|.\x08", "", done.stdout).split())
    for words in ("emnist predict [OPTIONS] PATH...", "--min-confidence P", "Default: starter", "28x28", "130"):
        assert words in shown, words


def test_the_module_calls_itself_by_the_commands_name(shell: Emnist) -> None:
    assert "emnist predict" in shell("predict", "--help").out.splitlines()[1]
    wrong = shell("predict", "--no-such-option")
    assert (wrong.code, wrong.err.startswith("emnist: ")) == (2, True)
    assert "emnist_cli" not in wrong.err and "python" not in wrong.err


@pytest.mark.slow
def test_types_are_seen_from_outside(tmp_path: Path) -> None:
    script = tmp_path / "typed.py"
    script.write_text("from emnist_cli import Recognizer\n\nRecognizer().predict('x.png').label + 1\n")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, str(script)]
    done = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert re.search(r'typed.py:3: error: Unsupported .*\("str.*and "int"\)', done.stdout), done.stdout


def test_the_citation_is_of_this_version() -> None:
    citation = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == __version__  # type: ignore[index]


def test_every_dependency_has_a_lower_bound() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *(entry for group in extras.values() for entry in group)]
    unbounded = [entry for entry in wanted if ">=" not in entry and not entry.startswith("emnist-cli[")]
    assert unbounded == []


def test_the_workflows_test_what_is_supported() -> None:
    supported = {
        classifier.rpartition(" ")[2]
        for classifier in PROJECT["project"]["classifiers"]
        if classifier.startswith("Programming Language :: Python :: 3.")
    }
    workflow = (REPOSITORY / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    matrix = re.search(r"python: \[(.*?)\]", workflow)
    assert matrix is not None
    assert {*re.findall(r'"(.*?)"', matrix[1])} == supported
