"""Imports point one way: app -> commands -> console, output -> core.training -> core.evaluation -> core.data ->
core.inference -> the core's base."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "emnist_cli"
MODULES = {
    ".".join(("emnist_cli", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in PACKAGE.rglob("*.py")
}
BASE = {
    f"emnist_cli.core.{name}"
    for name in (
        *("bundle", "config", "errors", "exports", "folders", "interrupts", "labels", "manifest", "page_records"),
        "records",
    )
}


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


LAYERS = [
    ("emnist_cli.__main__",),
    ("emnist_cli.app",),
    ("emnist_cli.commands",),
    ("emnist_cli.console", "emnist_cli.web"),
    ("emnist_cli.output.resumable",),
    ("emnist_cli.output.resume_rows",),
    ("emnist_cli.output.hocr", "emnist_cli.cli.usage"),
    ("emnist_cli.output.formats",),
    ("emnist_cli.core.benchmark", "emnist_cli.core.doctor"),
    ("emnist_cli.core.training",),
    ("emnist_cli.core.evaluation",),
    ("emnist_cli.core.data",),
    ("emnist_cli.core.reading",),
    ("emnist_cli.core.inference",),
    ("emnist_cli.core.bundle",),
    ("emnist_cli.core.exported_models",),
    ("emnist_cli.core.manifest",),
    ("emnist_cli.core.page_records",),
    ("emnist_cli.core.labels", "emnist_cli.core.records", "emnist_cli.core.config"),
    ("emnist_cli.core.errors", "emnist_cli.core.folders", "emnist_cli.core.platform.interrupts"),
]
"""From the top down; a module may import its own layer and those below."""

TENSORFLOW = (
    "emnist_cli.core.training",
    "emnist_cli.core.data",
    "emnist_cli.core.runtimes.keras",  # runs exported models, wherever a runtime is made
    "emnist_cli.core.platform.tensorflow",
)
"""Who may import TensorFlow."""


def layer(name: str) -> int | None:
    """The layer of a module, or of a name imported from one."""
    return next(
        (i for i, members in enumerate(LAYERS) if any(name == m or name.startswith(f"{m}.") for m in members)), None
    )


def violations(name: str, path: Path) -> list[str]:
    names = imported(path)
    own = layer(name)
    found = [n for n in names if own is not None and (other := layer(n)) is not None and other < own]
    if name in BASE:
        # platformdirs is optional and asked for inside the one function that needs it
        found += roots(names) - sys.stdlib_module_names - {"emnist_cli", "platformdirs"}
    if name.startswith("emnist_cli.core"):
        found += roots(names) & {"typer", "rich", "click"}
    if not name.startswith("emnist_cli.console"):
        found += roots(names) & {"rich"}
    if not name.startswith(TENSORFLOW):
        found += roots(names) & {"tensorflow", "keras", "tensorflow_datasets"}
    return found


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_one_way(name: str) -> None:
    assert violations(name, MODULES[name]) == []
    assert layer(name) is not None or MODULES[name].name == "__init__.py", "a new module needs its layer"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("emnist_cli.output.formats", "from emnist_cli.commands import predict"),
        ("emnist_cli.console.tables", "from emnist_cli import app"),
        ("emnist_cli.core.classify.label_view", "from emnist_cli.core.networks.architectures import build"),
        ("emnist_cli.core.classify.label_view", "import tensorflow.lite"),
        ("emnist_cli.core.evaluation.metrics", "import keras"),
        ("emnist_cli.core.data.dataset", "from emnist_cli.core.networks import architectures"),
        ("emnist_cli.core.bundle", "import numpy as np"),
        ("emnist_cli.core.labels", "from emnist_cli.core.bundle import find_bundle"),
        ("emnist_cli.commands.predict", "from rich.table import Table"),
        ("emnist_cli.core.files.discovery", "import typer"),
    ],
)
def test_a_planted_violation_is_seen(name: str, line: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(f"def f():\n    {line}\n")
    assert violations(name, planted)
