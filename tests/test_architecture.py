"""The map of the package: imports point one way, nothing has two definitions, every module says what it is for."""

import ast
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "emnist_cli"
MODULES = {
    ".".join(("emnist_cli", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in PACKAGE.rglob("*.py")
}
BASE = {
    f"emnist_cli.core.{name}"
    for name in (
        *("atomic_file", "bundle", "byte_escapes", "config", "errors", "exported_models", "labels", "manifest"),
        *("page_records", "records"),
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


CORE = [
    ("doctor", "benchmark"),
    ("training",),
    ("model_import",),
    ("model_export",),
    ("networks",),
    ("evaluation",),
    ("data",),
    ("pages",),
    ("cluster", "artifacts"),
    ("parallel",),
    ("classify",),
    ("preprocessing",),
    ("runtimes", "imaging", "files"),
    ("bundle",),
    ("exported_models",),
    ("manifest",),
    ("page_records",),
    ("labels", "records", "config"),
    ("platform", "atomic_file", "byte_escapes", "errors"),
]

LAYERS = [
    ("emnist_cli.__main__",),
    ("emnist_cli.app",),
    ("emnist_cli.commands",),
    ("emnist_cli.cli", "emnist_cli.console", "emnist_cli.web"),
    ("emnist_cli.output",),
    *(tuple(f"emnist_cli.core.{name}" for name in names) for names in CORE),
]
"""From the top down; a module may import its own layer and those below."""

TENSORFLOW = (
    "emnist_cli.core.training",
    "emnist_cli.core.model_export",
    "emnist_cli.core.model_import",
    "emnist_cli.core.networks",
    "emnist_cli.core.data.builder",
    "emnist_cli.core.data.dataset",
    "emnist_cli.core.runtimes.keras",  # runs exported models, wherever a runtime is made
    "emnist_cli.core.runtimes.channels_last",  # rewrites networks that are to be run, once TensorFlow has been imported
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


def test_imports_point_one_way() -> None:
    found = {name: violations(name, path) for name, path in MODULES.items()}
    assert {name: names for name, names in found.items() if names} == {}
    unplaced = [name for name, path in MODULES.items() if layer(name) is None and path.name != "__init__.py"]
    assert unplaced == [], "a new module needs its layer"


def test_every_module_says_what_it_is_for() -> None:
    for name, path in MODULES.items():
        first = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]
        assert first.endswith("."), f"{name}: the first line of the docstring is a sentence. Received: {first!r}"


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


def defined() -> dict[str, list[str]]:
    """Where each name is defined: classes and type aliases of the package, and the core's public functions."""
    found: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        if path.name == "options.py" and module.startswith("emnist_cli.commands."):
            continue  # each command's options are called as the command line calls them
        for node in ast.parse(path.read_text()).body:
            name = name_of_definition(node, module.startswith("emnist_cli.core."))
            if name:
                found.setdefault(name, []).append(module)
    return found


def name_of_definition(node: ast.stmt, in_core: bool) -> str | None:
    if isinstance(node, ast.ClassDef):
        return node.name
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name if in_core and not node.name.startswith("_") else None
    target = (
        node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
    )
    if not isinstance(target, ast.Name):
        return None
    word = target.id.lstrip("_")  # an alias is written like a class, a constant in capitals
    return target.id if word[:1].isupper() and any(c.islower() for c in word) else None


def test_no_name_is_defined_twice() -> None:
    assert {name: modules for name, modules in defined().items() if len(modules) > 1} == {}


def test_no_two_modules_of_the_core_share_a_name() -> None:
    core = [path for path in (PACKAGE / "core").rglob("*.py") if path.name != "__init__.py"]
    names = Counter([path.stem for path in core])
    assert [name for name, count in names.items() if count > 1] == []


def test_no_module_imports_itself_through_others() -> None:
    graph = {
        name: {found for found in imported(path) if found in MODULES and found != name}
        for name, path in MODULES.items()
        if path.name != "__init__.py"
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, with the circle


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("class Page: pass", "Page"),
        ("class _Page: pass", "_Page"),
        ("Box = tuple[int, int]", "Box"),
        ("Box: TypeAlias = tuple[int, int]", "Box"),
        ("def read(): pass", "read"),
        ("def _read(): pass", None),
        ("LIMIT = 3", None),
    ],
)
def test_what_counts_as_a_name(line: str, name: str | None) -> None:
    assert name_of_definition(ast.parse(line).body[0], in_core=True) == name
