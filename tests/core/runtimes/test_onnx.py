"""ONNX Runtime gives LiteRT's answers, in any batch and from any thread; a file that is no model is one clear error."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from emnist_cli.core import bundle
from emnist_cli.core.errors import MissingError, ModelError
from emnist_cli.core.preprocessing.normalize import preprocess
from emnist_cli.core.runtimes.litert import LiteRtRuntime
from emnist_cli.core.runtimes.onnx import OnnxRuntime
from emnist_cli.core.runtimes.open_runtime import open_runtime
from tests import golden


@pytest.fixture
def graph(starter_onnx: Path) -> Path:
    """The starter as ONNX."""
    return starter_onnx


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.float32]:
    found = [preprocess(golden.gray(c, d)) for c in "0123456789ABCDEFGHabcdefgh" for d in range(3)]
    return np.stack([p for p in found if p is not None])


def model(path: Path, shape: list[object], out: list[object], kind: int = TensorProto.FLOAT, outputs: int = 1) -> Path:
    """A model that does nothing but have these shapes."""
    flat = helper.make_node("Flatten", ["x"], ["y0"])
    more = [helper.make_node("Identity", ["y0"], [f"y{i}"]) for i in range(1, outputs)]
    made = helper.make_graph(
        [flat, *more], "a test", [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(f"y{i}", kind, out) for i in range(outputs)],
    )  # fmt: skip
    onnx.save(helper.make_model(made, ir_version=8, opset_imports=[helper.make_opsetid("", 15)]), path)
    return path


@pytest.mark.slow
def test_it_answers_as_litert_does(graph: Path, pictures: NDArray[np.float32]) -> None:
    ours, theirs = OnnxRuntime(graph).run(pictures), LiteRtRuntime(bundle.find_bundle().graph).run(pictures)
    assert (ours.shape, ours.dtype) == ((78, 62), np.float32)
    assert np.allclose(ours.sum(axis=1), 1, atol=1e-5)
    assert np.abs(ours - theirs).max() < 0.05, "the starter computes in 8 bits"
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("batch_size", "threads"), [(7, 2), (100, 1)])
def test_batches_do_not_matter(graph: Path, pictures: NDArray[np.float32], batch_size: int, threads: int) -> None:
    runtime = OnnxRuntime(graph)
    reference = np.concatenate([runtime.run(picture[None]) for picture in pictures])
    assert np.allclose(OnnxRuntime(graph, threads, batch_size).run(pictures), reference, atol=1e-5)


@pytest.mark.slow
def test_nothing_in_nothing_out(graph: Path) -> None:
    assert OnnxRuntime(graph).run(np.empty((0, 28, 28), np.float32)).shape == (0, 62)


@pytest.mark.slow
def test_threads_share_a_runtime(graph: Path, pictures: NDArray[np.float32]) -> None:
    runtime = OnnxRuntime(graph, threads=1)
    reference = runtime.run(pictures)
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(runtime.run, [pictures] * 16):
            assert np.array_equal(answer, reference)


@pytest.mark.slow
def test_the_suffix_chooses_the_runtime(graph: Path) -> None:
    assert isinstance(open_runtime(graph, 1, 8), OnnxRuntime)
    assert isinstance(open_runtime(bundle.find_bundle().graph, 1, 8), LiteRtRuntime)


@pytest.mark.parametrize("content", [b"", b"not a model", bytes(2000)])
def test_what_is_no_model(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.onnx: not an ONNX model that can be run \("):
        OnnxRuntime(tmp_path / "bad.onnx")


@pytest.mark.slow
def test_a_model_that_is_cut_off(graph: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.onnx").write_bytes(graph.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="not an ONNX model"):
        OnnxRuntime(tmp_path / "cut.onnx")


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        OnnxRuntime(tmp_path / "none.onnx")


@pytest.mark.parametrize(
    ("shape", "out", "kind"),
    [
        (["n", 32, 32, 1], ["n", 1024], TensorProto.FLOAT),
        (["n", 1, 28, 28], ["n", 784], TensorProto.FLOAT),
        (["n", 28, 28, 1], ["n", 784], TensorProto.DOUBLE),
    ],
)
def test_a_model_of_something_else(shape: list[object], out: list[object], kind: int, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected float32 tensors \(n, 28, 28, 1\) -> \(n, classes\). Received: "):
        OnnxRuntime(model(tmp_path / "other.onnx", shape, out, kind))


def test_two_outputs(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected float32 tensors"):
        OnnxRuntime(model(tmp_path / "two.onnx", ["n", 28, 28, 1], ["n", 784], outputs=2))


def test_a_batch_of_one_cannot_be_resized(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes 1 pictures at a time; export it with a dynamic batch"):
        OnnxRuntime(model(tmp_path / "one.onnx", [1, 28, 28, 1], [1, 784]))


@pytest.mark.slow
def test_where_onnxruntime_is_not_installed(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingError, match="onnxruntime is not installed; run: pip install onnxruntime"):
        OnnxRuntime(graph)


@pytest.mark.slow
def test_a_model_under_a_name_that_is_not_utf8(graph: Path, tmp_path: Path) -> None:
    path = Path(str(tmp_path / "bad\udcff.onnx"))
    try:
        path.write_bytes(graph.read_bytes())
    except OSError:
        pytest.skip("this file system refuses such names")
    assert OnnxRuntime(path).class_count == 62
