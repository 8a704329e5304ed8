"""The LiteRT runtime: same answers in any batch, from any thread; a graph that is none is one clear error."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emnist_cli.core import bundle
from emnist_cli.core.errors import ModelError
from emnist_cli.core.platform.cpu import available_cores
from emnist_cli.core.preprocessing.normalize import preprocess
from emnist_cli.core.runtimes.litert import LiteRtRuntime
from tests import golden

GRAPH = bundle.PACKAGED / "starter" / bundle.GRAPH


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.float32]:
    found = [preprocess(golden.gray(c, d)) for c in "0123456789ABCDEFGHabcdefgh" for d in range(3)]
    return np.stack([p for p in found if p is not None])


def test_probabilities(pictures: NDArray[np.float32]) -> None:
    out = LiteRtRuntime(GRAPH).run(pictures)
    assert (out.shape, out.dtype) == ((78, 62), np.float32)
    assert out.min() >= 0
    assert np.allclose(out.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_batches_do_not_matter(pictures: NDArray[np.float32], batch_size: int, threads: int) -> None:
    reference = np.concatenate([LiteRtRuntime(GRAPH).run(picture[None]) for picture in pictures])
    assert np.allclose(LiteRtRuntime(GRAPH, threads, batch_size).run(pictures), reference, atol=1e-5)


def test_nothing_in_nothing_out() -> None:
    assert LiteRtRuntime(GRAPH).run(np.empty((0, 28, 28), np.float32)).shape == (0, 62)


def test_threads_share_a_runtime(pictures: NDArray[np.float32]) -> None:
    runtime = LiteRtRuntime(GRAPH, threads=1)
    reference = runtime.run(pictures)
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(runtime.run, [pictures] * 40):
            assert np.array_equal(answer, reference)


@pytest.mark.parametrize("content", [b"", b"not a graph", GRAPH.read_bytes()[:5000], bytes(2000)])
def test_what_is_no_graph(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a LiteRT graph"):
        LiteRtRuntime(path)


def test_a_graph_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        LiteRtRuntime(tmp_path / "none.tflite")


def test_a_graph_under_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = Path(str(tmp_path / "bad\udcff.tflite"))
    try:
        path.write_bytes(GRAPH.read_bytes())
    except OSError:
        pytest.skip("this file system refuses such names")
    assert LiteRtRuntime(path).class_count == 62


def test_only_one_line_is_silenced() -> None:
    """File descriptor 2 must work before and after the runtime is made."""
    script = (
        "import os; from pathlib import Path; from emnist_cli.core.runtimes.litert import LiteRtRuntime; "
        f"os.write(2, b'before '); LiteRtRuntime(Path({str(GRAPH)!r})); os.write(2, b'after')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr == b"before after"


def test_stderr_survives_threads_that_start_together() -> None:
    script = (
        "import os, threading; from pathlib import Path; from emnist_cli.core.runtimes.litert import LiteRtRuntime; "
        "import numpy as np; z = np.zeros((1, 28, 28), np.float32)\n"
        f"r = LiteRtRuntime(Path({str(GRAPH)!r}))\n"
        "for _ in range(20):\n"
        "    t = [threading.Thread(target=r.run, args=(z,)) for _ in range(8)]\n"
        "    [x.start() for x in t]; [x.join() for x in t]\n"
        "os.write(2, b'heard')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr == b"heard"


def test_cores_are_those_of_this_process() -> None:
    assert available_cores() >= 1
