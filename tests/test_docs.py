"""What the documents say must be so."""

import ast
import csv
import io
import json
import re
import runpy
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from emnist_cli.app import app
from emnist_cli.core import bundle
from emnist_cli.core.labels import SPLITS
from tests import archives, small_data
from tests.conftest import REPOSITORY, Emnist

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
TOP = [REPOSITORY / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES = [*sorted((REPOSITORY / "docs").rglob("*.md")), *TOP]


def test_the_command_reference_is_up_to_date() -> None:
    written = runpy.run_path(str(REPOSITORY / "scripts" / "make_cli_docs.py"))["reference"]()
    assert (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8") == written, "run scripts/make_cli_docs.py"


def test_nothing_of_the_help_is_taken_for_markup() -> None:
    every = with_children(typer.main.get_command(app))
    texts = [thing.help or "" for command in every for thing in (command, *command.params) if hasattr(thing, "help")]
    assert len(texts) > 100
    assert [text for text in texts if re.search(r"\[[a-z]", text)] == [], "it would be swallowed on a terminal"


def with_children(command: Any) -> list[Any]:
    return [command, *(found for child in getattr(command, "commands", {}).values() for found in with_children(child))]


def test_the_readmes_table_is_what_the_command_prints(emnist: Emnist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("COLUMNS", "80")
    printed = emnist("predict", "examples/", "-f", "table")
    assert printed.code == 0
    shown = README.split("```text\n")[1].split("```")[0]
    assert [line.rstrip() for line in shown.splitlines()] == [
        line.rstrip() for line in printed.out.splitlines() if line.strip()
    ]


def test_every_example_is_read_right(emnist: Emnist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    rows = list(csv.DictReader(io.StringIO(emnist("predict", "examples", "-f", "csv").out)))
    assert len(rows) == len(list((REPOSITORY / "examples").glob("*.*")))
    assert all(Path(row["path"]).stem.endswith(f"-{row['label']}") for row in rows)


def commands(heading: str) -> list[str]:
    """The lines of a section of the README that call emnist, without comments and pipes."""
    section = README.split(f"## {heading}")[1].split("\n## ")[0]
    return re.findall(r"^\$ (?:.*\| )?(emnist .*?)(?:\s+#.*| \| .*)?$", section, re.MULTILINE)


USEFUL, TRAINING = "Ten useful lines", "Training and scoring"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everything that the README's commands name."""
    monkeypatch.chdir(tmp_path)
    examples = sorted((REPOSITORY / "examples").glob("*.*"))
    table = ["file,label"]
    for folder in ("scans", "form", "mine"):
        (tmp_path / folder).mkdir()
        for path in examples:
            name = path.with_suffix(".tif").name if path.suffix == ".tiff" else path.name
            (tmp_path / folder / name).write_bytes(path.read_bytes())
            table.append(f"{name},{path.stem[-1]}")
        (tmp_path / folder / "labels.csv").write_text("\n".join(table[: len(examples) + 1]) + "\n")
    (tmp_path / "scan.png").write_bytes(examples[1].read_bytes())
    return tmp_path


@pytest.mark.parametrize("line", commands(USEFUL))
def test_the_readmes_commands_run(emnist: Emnist, line: str, workplace: Path) -> None:
    result = emnist(*shlex.split(line)[1:], stdin=(workplace / "scan.png").read_bytes())
    assert result.code == 0, result
    assert result.out or list(workplace.glob("*.csv"))


def test_the_readme_has_ten_useful_lines() -> None:
    assert len(commands(USEFUL)) == 10


@pytest.fixture(scope="module")
def two_splits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the splits that the README names."""
    folder = tmp_path_factory.mktemp("splits") / "data"
    for split in ("balanced", "letters"):
        small_data.prepare(folder, split, "".join(c.label for c in SPLITS[split].classes))
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # TensorFlow's own
@pytest.mark.parametrize("line", commands(TRAINING))
def test_the_readmes_commands_on_training_run(
    emnist: Emnist, line: str, workplace: Path, two_splits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMNIST_DATA", str(two_splits))
    archives.write_folder(workplace / "EMNIST" / "raw", dict(archives.idx_files(archives.small("digits"))))
    result = emnist(*shlex.split(line)[1:], *(["--epochs", 1] if line.startswith("emnist train") else []))
    assert result.code == 0, result


@pytest.mark.parametrize("page", [REPOSITORY / "README.md", REPOSITORY / "docs" / "python.md"], ids=lambda p: p.name)
def test_python_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    space: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(block, space)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def texts_of_the_code() -> str:
    """Every text in the package, what is put into it as "..."."""
    found: list[str] = []
    for path in (REPOSITORY / "emnist_cli").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(v.value) if isinstance(v, ast.Constant) else "..." for v in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def test_messages_in_troubleshooting_are_those_of_the_program() -> None:
    page = (REPOSITORY / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|.*\|.*\|$", page, re.MULTILINE)
    rows = [row for row in rows if re.search(r"exit \d|^`[^`]*`$", row)]
    texts = texts_of_the_code()
    messages = {message for row in rows for message in re.findall("`(.*?)`", row)}
    assert len(messages) > 50
    of_others = {"emnist: command not found", "No such option: ...", "No such command ..."}  # the shell's, Typer's
    parts = {part.strip() for message in messages - of_others for part in message.split("...")}
    assert {part for part in parts if part not in texts} == set()


@pytest.mark.parametrize(
    ("copy", "original"),
    [("preprocess.png", "tests/golden/preprocess.png"), ("icon.svg", "emnist_cli/web/static/favicon.svg")],
)
def test_pictures_of_the_site_are_those_of_the_program(copy: str, original: str) -> None:
    assert (REPOSITORY / "docs" / "pictures" / copy).read_bytes() == (REPOSITORY / original).read_bytes()


def test_the_card_has_the_manifests_figures() -> None:
    card = (REPOSITORY / "docs" / "model" / "starter.md").read_text(encoding="utf-8")
    manifest = json.loads((bundle.PACKAGED / "starter" / bundle.MANIFEST).read_text(encoding="utf-8"))
    for metric in manifest["metrics"]:
        assert f"{metric['value']:.4f}" in card, metric
        assert f"{metric['count']:,}" in card, metric
    for source in manifest["data"]:
        assert f"{source['count']:,}" in card, source


def test_the_page_reads_as_the_readme_says(emnist: Emnist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    said = README.split("$ emnist read examples/pages/note.jpg\n")[1].split("```")[0]
    assert emnist("read", "examples/pages/note.jpg").out == said


def test_the_container_has_what_serving_needs() -> None:
    extra = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]["serve"]
    needed = {re.split("[>;]", requirement)[0].strip() for requirement in extra}
    for file in ("Dockerfile", ".ci/run"):
        commands = (REPOSITORY / file).read_text().replace("\\\n", " ").replace("&&", "\n").splitlines()
        assert any("install" in command and needed <= set(command.split()) for command in commands), file
