"""A SavedModel is a program: every command refuses it without --trust, and runs it with, also in other processes."""

import csv
import io
import pickle
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own

import tensorflow as tf  # noqa: E402

from emnist_cli.core.classify.classifier import Classifier  # noqa: E402
from emnist_cli.core.classify.recognizer import Recognizer  # noqa: E402
from emnist_cli.core.errors import ModelError  # noqa: E402
from emnist_cli.core.files.discovery import ImageRef  # noqa: E402
from tests.conftest import Emnist  # noqa: E402
from tests.handwriting import picture  # noqa: E402

COMMANDS = (
    ("predict", "{pictures}/1.png", "--model", "{model}"),
    ("predict", "{pictures}", "--output", "{out}.csv", "--model", "{model}/saved_model.pb"),
    ("read", "{pictures}/1.png", "--model", "{model}"),
    ("evaluate", "--folder", "{pictures}", "--model", "{model}"),
    ("benchmark", "--model", "{model}"),
    ("export", "--to", "onnx", "--out", "{out}.onnx", "--model", "{model}"),
    ("serve", "--port", "0", "--model", "{model}"),
    ("models", "import", "{model}", "--out", "{out}"),
    ("train", "--folder", "{pictures}", "--from", "{model}", "--out", "{out}"),
)


class Program(tf.Module):  # type: ignore[misc]
    """A classifier of digits that writes a file whenever it is run."""

    def __init__(self, marker: Path) -> None:
        super().__init__()
        self._marker = str(marker)
        self._weights = tf.Variable(np.random.default_rng(1).normal(size=(784, 10)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32)])  # type: ignore[untyped-decorator]
    def serve(self, pictures: tf.Tensor) -> tf.Tensor:
        tf.io.write_file(self._marker, "it ran")
        return tf.nn.softmax(tf.reshape(pictures, (-1, 784)) @ self._weights)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    module = Program(folder / "marker")
    tf.saved_model.save(module, str(folder / "model"), signatures={"serving_default": module.serve})
    return folder / "model"


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for digit in "123":
        picture(digit, 1).save(folder / f"{digit}.png")
    (folder / "labels.csv").write_text("file,label\n1.png,1\n2.png,2\n3.png,3\n")
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_runs_it_unasked(
    command: tuple[str, ...], program: Path, shown: Path, emnist: Emnist, tmp_path: Path
) -> None:
    marker = program.with_name("marker")
    marker.unlink(missing_ok=True)
    places = {"model": program, "pictures": shown, "out": tmp_path / "out"}
    result = emnist(*(word.format(**places) for word in command))
    assert (result.code, result.out) == (4, ""), result
    assert result.err == (
        f"emnist: {program}: a SavedModel is a program, whose graph can run code and write files; if you trust whoever "
        "made it, add --trust (in Python trust=True)\n"
    )
    assert not marker.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_no_python_runs_it_unasked(program: Path) -> None:
    for make in (Recognizer, Classifier):
        with pytest.raises(ModelError, match=r"whose graph can run code and write files; .*trust=True"):
            make(program)
        assert len(make(program, trust=True).labels if make is Recognizer else make(program, trust=True).classes) == 10


@pytest.mark.slow
def test_with_trust_it_is_run_by_worker_processes(program: Path, shown: Path, emnist: Emnist, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    program.with_name("marker").unlink(missing_ok=True)
    result = emnist("predict", shown, "--model", program, "--trust", "--workers", 1, "--output", out)
    assert result.code == 0, result
    assert program.with_name("marker").read_text() == "it ran"
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    recognizer = Recognizer(program, trust=True)
    expected = [recognizer.predict(shown / f"{digit}.png").label for digit in "123"]
    assert [row["label"] for row in rows] == expected
    scored = emnist("evaluate", "--folder", shown, "--model", program, "--trust")
    assert scored.code == 0, scored


@pytest.mark.slow
def test_with_trust_it_is_run_by_ray_workers(program: Path, shown: Path, tmp_path: Path) -> None:
    from emnist_cli.core.cluster.actor import Reader, describe_actor
    from emnist_cli.core.cluster.arrow import make_block, read_rows

    shutil.copytree(program, tmp_path / "model")
    expected = Recognizer(program, trust=True).predict(shown / "1.png").label
    arguments = pickle.dumps(describe_actor({"model": str(tmp_path / "model"), "trust": True}, 120))
    shutil.rmtree(tmp_path / "model")
    with closing(Reader(*pickle.loads(arguments))) as reader:
        rows = list(read_rows(reader(make_block([ImageRef(str(shown / "1.png"))]))))
    assert [row.label for row in rows] == [expected]
