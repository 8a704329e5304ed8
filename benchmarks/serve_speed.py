"""Measure how fast `emnist serve` answers, beside a small Flask app with Keras; needs wrk and flask.

python benchmarks/serve_speed.py [PICTURE] [--seconds 10] [--rounds 3] [--workers N]

Both get the same picture, by default a drawing of 280x280 pixels, on one connection and on 32, in turns. wrk runs on
the same machine, so its share of the processor is missing from both.
"""

import argparse
import base64
import io
import json
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw

FIGURES = {"median": r"50%\s+([\d.]+)(us|ms|s)", "p99": r"99%\s+([\d.]+)(us|ms|s)"}
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def drawing() -> bytes:
    """An R of 280x280 pixels, as a page would send it."""
    image = Image.new("RGBA", (280, 280), "white")
    pen = ImageDraw.Draw(image)
    for points in ([(90, 220), (92, 60), (170, 64), (185, 100), (160, 135), (95, 140)], [(120, 140), (190, 222)]):
        pen.line(points, fill="black", width=16, joint="curve")
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def request(data: bytes, classic: bool) -> tuple[str, bytes]:
    """Content type and body: what our page sends, or what the small apps' pages do."""
    if classic:
        url = "data:image/png;base64," + base64.b64encode(data).decode()
        return "application/json", json.dumps({"image_data": url}).encode()
    part = b'Content-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    return "multipart/form-data; boundary=XX", b"--XX\r\n" + part + data + b"\r\n--XX--\r\n"


@contextmanager
def ours(workers: list[str], data: bytes) -> Iterator[str]:
    """Run `emnist serve`; print how long it takes to its first answer."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "emnist_cli", "serve", "--port", "0", *workers]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        address = process.stderr.readline().split()[3]
        ask(address + "/api/predict", *request(data, classic=False))
        print(f"emnist serve: {time.perf_counter() - started:.2f} s from its start to its first answer")
        yield address
        process.send_signal(signal.SIGINT)


@contextmanager
def theirs(data: bytes, port: int = 8299) -> Iterator[str]:
    """Run the Flask app."""
    started = time.perf_counter()
    command = [sys.executable, str(Path(__file__).parent / "flask_keras.py"), str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        while True:
            try:
                ask(address + "/predict", *request(data, classic=True))
                break
            except OSError:
                time.sleep(0.2)
        print(f"Flask and Keras: {time.perf_counter() - started:.2f} s")
        yield address
        process.kill()


def ask(url: str, kind: str, body: bytes) -> None:
    """Send one request and wait for its answer."""
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": kind}), timeout=30) as reply:
        reply.read()


def load(url: str, kind: str, body: bytes, connections: int, seconds: int) -> dict[str, float]:
    """Return what wrk measures: milliseconds, and requests a second."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body").write_bytes(body)
        script = Path(folder) / "post.lua"
        script.write_text(
            f'local file = io.open("{folder}/body", "rb")\nwrk.body = file:read("*a")\nwrk.method = "POST"\n'
            f'wrk.headers["Content-Type"] = "{kind}"\n'
        )
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "20s",
            "--latency",
            "-s",
            script,
            url,
        ]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(text)
    found = {name: re.search(pattern, text) for name, pattern in FIGURES.items()}
    times = {name: float(match[1]) * MILLISECONDS[match[2]] for name, match in found.items() if match}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert rate
    return {**times, "rate": float(rate[1])}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path, nargs="?")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers")
    args = parser.parse_args()
    data = args.picture.read_bytes() if args.picture else drawing()
    workers = ["--workers", args.workers] if args.workers else []
    with ours(workers, data) as here, theirs(data) as there:
        asked = {
            "emnist serve, /api/predict": (here + "/api/predict", *request(data, classic=False)),
            "emnist serve, /predict": (here + "/predict", *request(data, classic=True)),
            "Flask and Keras": (there + "/predict", *request(data, classic=True)),
        }
        for connections in (1, 32):
            rounds = [
                {name: load(*what, connections, args.seconds) for name, what in asked.items()}
                for _ in range(args.rounds)
            ]
            for name in asked:
                report(f"{connections:3} connections  {name:28}", [figures[name] for figures in rounds])


def report(what: str, rounds: list[dict[str, float]]) -> None:
    """Print the median of several rounds, and how far the rates are apart."""
    median = {key: statistics.median(figures[key] for figures in rounds) for key in rounds[0]}
    rates = sorted(figures["rate"] for figures in rounds)
    print(
        f"{what} median {median['median']:7.1f} ms  p99 {median['p99']:7.1f} ms  {median['rate']:6.1f} requests/s "
        f"({rates[0]:.1f} to {rates[-1]:.1f})"
    )


if __name__ == "__main__":
    main()
