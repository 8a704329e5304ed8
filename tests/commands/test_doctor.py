"""`emnist doctor` and the overview: what a new user meets first."""

import json
import re
import shlex
import shutil
from importlib import metadata
from pathlib import Path

import pytest
import typer

from emnist_cli.app import app
from emnist_cli.cli.overview import COMMANDS, EXAMPLES
from emnist_cli.core import bundle, doctor
from tests import small_data
from tests.conftest import REPOSITORY, Emnist
from tests.terminal import run_on_terminal
from tests.test_startup import run

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own


def checks(out: str) -> dict[str, dict[str, str]]:
    return {check["check"]: check for check in json.loads(out)}


def test_a_whole_installation_is_well(emnist: Emnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    small_data.prepare(data, "digits", "0123456789")
    monkeypatch.setenv("EMNIST_DATA", str(data))
    result = emnist("doctor", "-f", "json", "-q")
    assert (result.code, result.err) == (0, "")
    found = checks(result.out)
    assert found["model starter"]["state"] == "ok"
    assert "62 classes" in found["model starter"]["found"]
    assert found["EMNIST"]["found"] == f"digits, in {data}"
    assert f"tensorflow {metadata.version('tensorflow')}" in found["training and scoring"]["found"]
    assert f"pillow {metadata.version('pillow')}" in found["reading pictures"]["found"]
    assert found["GPU"]["state"] in ("ok", "note")
    assert found["settings"]["found"] == f"EMNIST_DATA={data}; NO_COLOR=1"
    assert "problem" not in {check["state"] for check in found.values()}


def test_what_is_missing_comes_with_what_to_do(emnist: Emnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = metadata.version

    def version(name: str) -> str:
        if name in ("tensorflow", "fastapi"):
            raise metadata.PackageNotFoundError
        return "2.0.1" if name == "typer" else "0.1" if name == "numpy" else there(name)

    monkeypatch.setattr(doctor, "version", version)
    result = emnist("doctor", "-f", "json", "--data-dir", tmp_path / "none")
    found = checks(result.out)
    assert found["training and scoring"]["state"] == "missing"
    assert found["training and scoring"]["advice"] == "pip install tensorflow; to read pictures it is not needed"
    assert found["EMNIST"]["advice"] == "emnist data download"
    assert "fastapi is not installed" in found["extra 'serve'"]["found"]
    assert found["extra 'serve'"]["advice"] == "for emnist serve: pip install 'emnist-cli[serve]'"
    assert found["reading pictures"]["state"] == "problem"
    assert "numpy must be" in found["reading pictures"]["found"]
    assert found["reading pictures"]["advice"].startswith("pip install 'numpy>=")
    assert result.code == 1, "pictures could not be read so"


def test_damaged_models_are_found(emnist: Emnist, monkeypatch: pytest.MonkeyPatch) -> None:
    own = bundle.user_folder()
    assert own
    shutil.copytree(bundle.PACKAGED / "starter", own / "mine")
    with (own / "mine" / bundle.GRAPH).open("ab") as graph:
        graph.write(b"x")
    monkeypatch.setenv("EMNIST_MODEL", str(own / "mine"))
    result = emnist("doctor", "-f", "json")
    found = checks(result.out)
    assert result.code == 1
    assert "model.tflite is damaged" in found["your models"]["found"]
    assert str(own) in found["your models"]["advice"]
    assert "model.tflite is damaged" in found[f"model {own / 'mine'}"]["found"]


def test_it_works_where_only_pictures_are_read() -> None:
    absent = (
        "tensorflow",
        "keras",
        "tensorflow_datasets",
        "sklearn",
        "scipy",
        "matplotlib",
        "platformdirs",
        "requests",
    )
    code, out, err = run(["doctor", "-f", "json", "--data-dir", "nowhere"], absent)
    assert code == 0, err
    assert checks(out)["your models"]["advice"] == "pip install platformdirs"


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 140])
def test_the_table_fits_the_terminal(columns: int) -> None:
    code, shown = run_on_terminal(columns, "doctor", "-q")
    plain = shown.replace("\r", "")
    assert code == 0
    assert "emnist data download" in " ".join(plain.split())
    assert max(len(line) for line in re.sub(r"\x1b\[[\d;]*m", "", plain).splitlines()) <= columns


def test_the_overview_names_every_command(emnist: Emnist) -> None:
    result = emnist()
    assert (result.code, result.err) == (0, "")
    named = [name for group in COMMANDS.values() for name in group]
    group = typer.main.get_command(app)
    assert sorted(named) == sorted([*group.commands, "COMMAND --help"])  # type: ignore[attr-defined]
    assert all(line in result.out for line in EXAMPLES)
    assert len(EXAMPLES) == 3


def test_the_overview_on_a_terminal_fits_and_is_the_same_text(emnist: Emnist) -> None:
    code, shown = run_on_terminal(80)
    assert code == 0
    assert "\x1b[" in shown
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", shown).splitlines()]
    assert max(map(len, lines)) <= 80
    assert all(name in shown for group in COMMANDS.values() for name in group)
    assert len(lines) < 40


def test_the_overviews_examples_run(emnist: Emnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(REPOSITORY / "examples" / "chalk-R.png", "picture.png")
    shutil.copy(REPOSITORY / "examples" / "pages" / "note.jpg", "page.jpg")
    shutil.copytree(REPOSITORY / "examples", "scans")
    for line in EXAMPLES:
        assert emnist(*shlex.split(line)[1:]).code == 0, line
    assert Path("results.csv").read_text().count("\n") == 7
