"""A process reads the file of a model once, whatever it does with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from emnist_cli.core import bundle
from tests.handwriting import picture

COUNT = """
import sys
model, *arguments = sys.argv[1:]
opened = []
sys.addaudithook(lambda event, values: event == "open" and str(values[0]) == model and opened.append(values))
from emnist_cli.app import app
try:
    app(arguments)
except SystemExit as end:
    print(end.code, len(opened))
"""


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize(
    "command",
    [
        ("predict", "1/a.png", "--output", "out.csv", "--contact-sheet", "sheet.png"),
        ("evaluate", "--folder", ".", "--output", "out.json"),
        ("read", "1/a.png", "--output", "out.txt"),
    ],
)
def test_once(command: tuple[str, ...], bare: bool, tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    picture("1", 1).save(tmp_path / "1" / "a.png")
    graph = bundle.find_bundle().graph
    model = "starter"
    if bare:
        model = str(tmp_path / "mine.tflite")
        Path(model).write_bytes(graph.read_bytes())
        graph = Path(model)
    done = subprocess.run(
        [sys.executable, "-c", COUNT, graph, *command, "--quiet", "--model", model],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["0", "1"], done.stderr
