"""Imports point one way: app -> commands -> console, output -> core.training -> core.inference -> the core's base."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "emnist_cli"
MODULES = {
    ".".join(("emnist_cli", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in PACKAGE.rglob("*.py")
}
BASE = {f"emnist_cli.core.{name}" for name in ("bundle", "config", "errors", "labels", "records")}


def imported(path: Path) -> set[str]:
    """Every module that a file imports at run time, inside functions too."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def roots(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_one_way(name: str) -> None:
    names = imported(MODULES[name])
    if name in BASE:
        # platformdirs is optional and asked for inside the one function that needs it
        assert roots(names) <= sys.stdlib_module_names | {"emnist_cli", "platformdirs"}
        assert {n for n in names if n.startswith("emnist_cli.")} <= {
            n for n in names for b in BASE if n.startswith(b)
        } | {"emnist_cli.core"}
    if name.startswith("emnist_cli.core"):
        assert not roots(names) & {"typer", "rich", "click"}
        assert not any(n.startswith(("emnist_cli.commands", "emnist_cli.console", "emnist_cli.output")) for n in names)
    if name.startswith("emnist_cli.core.inference"):
        assert not roots(names) & {"tensorflow", "keras", "tensorflow_datasets"}
        assert not any(n.startswith("emnist_cli.core.training") for n in names)
    if name != "emnist_cli.console":
        assert "rich" not in roots(names)
    if not name.startswith("emnist_cli.core.training"):
        assert not roots(names) & {"tensorflow", "keras", "tensorflow_datasets"}


def test_the_test_sees_a_violation(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("def f():\n    from rich import print\n    import tensorflow.lite\n")
    assert roots(imported(planted)) == {"rich", "tensorflow"}
