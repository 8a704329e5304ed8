"""Measure size and speed of networks with weights stored in 32, 16 and 8 bits.

    python benchmarks/weights.py [--arch classic default] [--threads 1]

Random weights: neither size nor speed depends on what a network has learned. Medians of 15 runs over 256 pictures in
batches of 64, and of 200 over one picture.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emnist_cli.core.platform.tensorflow import load_tensorflow

load_tensorflow()

from emnist_cli.core.model_export import to_litert  # noqa: E402
from emnist_cli.core.networks import architectures  # noqa: E402
from emnist_cli.core.runtimes.litert import LiteRtRuntime  # noqa: E402

FORMS: tuple[to_litert.Weights, ...] = ("float32", "float16", "int8")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", nargs="+", default=["classic", "default"])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    pictures = np.random.default_rng(0).random((256, 28, 28), np.float32)
    print("network  weights      bytes  in batches, us a picture  alone, us")
    for arch in args.arch:
        network = architectures.build(arch, 62)
        for weights in FORMS:
            with tempfile.TemporaryDirectory() as scratch:
                graph = Path(scratch) / "model.tflite"
                graph.write_bytes(to_litert.to_litert(network, weights))
                runtime = LiteRtRuntime(graph, args.threads)
                many = median(lambda runtime=runtime: runtime.run(pictures), 15) / len(pictures)
                one = median(lambda runtime=runtime: runtime.run(pictures[:1]), 200)
                print(
                    f"{arch:8} {weights:8} {graph.stat().st_size:10,} {many * 1e6:25.1f} {one * 1e6:10.1f}", flush=True
                )


def median(run: Callable[[], object], times: int) -> float:
    """Run once to warm up, then so many times; return the median in seconds."""
    run()
    took = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    return float(np.median(took))


if __name__ == "__main__":
    main()
