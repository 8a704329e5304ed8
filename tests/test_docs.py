"""What the documents say must be so."""

import csv
import io
import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

from emnist_cli.core import bundle
from tests.conftest import REPOSITORY, Emnist

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = [*sorted((REPOSITORY / "docs").rglob("*.md")), REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md"]


def test_the_command_reference_is_up_to_date() -> None:
    written = runpy.run_path(str(REPOSITORY / "scripts" / "make_cli_docs.py"))["reference"]()
    assert (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8") == written, "run scripts/make_cli_docs.py"


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
    assert len(rows) == len(list((REPOSITORY / "examples").iterdir()))
    assert all(Path(row["path"]).stem.endswith(f"-{row['label']}") for row in rows)


def commands() -> list[str]:
    """The lines of the README that call emnist, without comments and pipes."""
    lines = re.findall(r"^\$ (?:.*\| )?(emnist .*?)(?:\s+#.*| \| .*)?$", README, re.MULTILINE)
    return [line for line in lines if line.split()[1] != "-"]


@pytest.mark.parametrize("line", commands())
def test_the_readmes_commands_run(emnist: Emnist, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = sorted((REPOSITORY / "examples").iterdir())
    for folder in ("scans", "form"):
        (tmp_path / folder).mkdir()
        for path in examples:
            name = path.with_suffix(".tif").name if path.suffix == ".tiff" else path.name
            (tmp_path / folder / name).write_bytes(path.read_bytes())
    (tmp_path / "scan.png").write_bytes(examples[1].read_bytes())
    result = emnist(*shlex.split(line)[1:], stdin=examples[1].read_bytes())
    assert result.code == 0, result
    assert result.out or list(tmp_path.glob("*.csv"))


def test_the_readme_has_ten_commands() -> None:
    assert len(commands()) == 10


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


def test_the_card_has_the_manifests_figures() -> None:
    card = (REPOSITORY / "docs" / "model" / "starter.md").read_text(encoding="utf-8")
    manifest = json.loads((bundle.PACKAGED / "starter" / bundle.MANIFEST).read_text(encoding="utf-8"))
    for metric in manifest["metrics"]:
        assert f"{metric['value']:.4f}" in card, metric
        assert f"{metric['count']:,}" in card, metric
    for source in manifest["data"]:
        assert f"{source['count']:,}" in card, source
