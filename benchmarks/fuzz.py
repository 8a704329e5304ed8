"""Look for bytes that break the reading of images: `images.decode`, then `preprocess`.

    python benchmarks/fuzz.py [--seconds 300] [--seed 1] [--out fuzz] [--limit 10]
    python benchmarks/fuzz.py --replay FILE...

A finished picture, None and ImageError are what may come of any bytes. All else is a finding: another exception, a
warning that users would see, a crash, more than `--limit` seconds, more than 1 GiB of memory. Each is kept in `--out`:
the bytes as NAME.bin, what came of them as NAME.txt; of one kind only the first, or those that exceed it clearly. Small
files of every format are the start. With atheris installed the search follows the coverage of our code and of Pillow's
Python, else it is blind. It runs in a process of its own, which is begun again after a crash. Exit code 1 if there were
findings. Linux and macOS only.
"""

import argparse
import faulthandler
import hashlib
import importlib.util
import resource
import struct
import subprocess
import sys
import time
import traceback
import warnings
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from corrupted import DAMAGES, FORMATS, encoded
from PIL import Image, ImageDraw

from emnist_cli.core.errors import ImageError

Read = Callable[[bytes], Any]

MEMORY = 2**30
"""Bytes that a file may take beyond what the process had before."""

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

ROTATED = bytes.fromhex("4578696600004d4d002a00000008000101120003000000010006000000000000")
"""EXIF data: the picture is to be turned by 90 degrees."""

RARE: list[tuple[str, dict[str, Any]]] = [
    *[(mode, {"format": "PNG"}) for mode in ("1", "P", "LA", "RGB", "RGBA", "I;16")],
    ("P", {"format": "PNG", "transparency": 0}),
    ("CMYK", {"format": "JPEG"}),
    ("L", {"format": "JPEG", "exif": ROTATED}),
    ("P", {"format": "GIF", "transparency": 0, "interlace": True}),
    *[(mode, {"format": "BMP"}) for mode in ("1", "P", "RGBA")],
    *[(mode, {"format": "TIFF"}) for mode in ("1", "P", "I;16", "F", "I", "CMYK", "RGBA", "YCbCr")],
    *[("1", {"format": "TIFF", "compression": c}) for c in ("tiff_ccitt", "group3", "packbits")],
    *[("RGB", {"format": "TIFF", "compression": c}) for c in ("jpeg", "packbits")],
    ("L", {"format": "TIFF", "big_tiff": True}),
    ("RGBA", {"format": "WEBP", "lossless": True}),
    *[(mode, {"format": "PPM"}) for mode in ("1", "L", "I;16", "F")],
    *[
        ("L", {"format": form, "save_all": True, "append_images": [Image.new("L", (24, 32))]})
        for form in ("PNG", "GIF", "TIFF", "WEBP")
    ],
]
"""Modes and ways to save them that `FORMATS` has not."""


def main() -> None:
    """Search or replay, print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz"))
    parser.add_argument("--limit", type=float, default=10, help="seconds that a file may take")
    parser.add_argument("--replay", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.replay:
        replay(args.replay)
    elif args.inner:
        search(args)
    else:
        sys.exit(1 if supervise(args) else 0)


def supervise(args: argparse.Namespace) -> int:
    """Keep a search going until its time is over; return how many findings lie in the folder."""
    corpus, log = args.out / "corpus", args.out / "log.txt"
    corpus.mkdir(parents=True, exist_ok=True)
    (args.out / "found").mkdir(exist_ok=True)
    for i, data in enumerate(seeds()):
        (corpus / f"seed-{i:02}").write_bytes(data)
    end = time.monotonic() + args.seconds
    while (left := end - time.monotonic()) > 1:
        command = [sys.executable, __file__, "--inner", "--out", str(args.out), "--limit", str(args.limit)]
        command += ["--seconds", str(int(left)), "--seed", str(args.seed)]
        with log.open("wb") as stream:
            code = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, check=False).returncode
        args.seed += 1
        said = log.read_text(errors="replace")[-5000:]
        if code:
            assert (args.out / "current").exists(), said
            data = (args.out / "current").read_bytes()
            keep(args.out, f"died-{hashlib.sha256(data).hexdigest()[:8]}", data, f"exit code {code}\n{said}")
    print(said.strip().splitlines()[-1])
    found = sorted((args.out / "found").glob("*.txt"))
    for path in found:
        print(f"{path.stem}: {path.read_text().splitlines()[0]}")
    return len(found)


def seeds() -> list[bytes]:
    """Make small files: every format, and every mode that is decoded in its own way."""
    image = Image.new("L", (24, 32), 255)
    ImageDraw.Draw(image).line([(5, 6), (18, 6), (11, 27)], fill=0, width=3)
    ways = [(mode, options) for _, mode, options in FORMATS.values()] + RARE
    plain = [b"P2 3 2 9 0 1 2 3 4 5", b"P3 1 2 9 0 1 2 3 4 5", b"P1 3 2 1 0 1 0 0 1"]
    return [encoded(image, mode, options) for mode, options in ways] + plain


def reader(guided: bool) -> Read:
    """Import what is tested, with atheris if the search is to be guided; return what reads a file's bytes."""
    if guided:
        import atheris

    with atheris.instrument_imports(include=["emnist_cli", "PIL"]) if guided else nullcontext():
        images = import_module("emnist_cli.core.imaging.decode")
        preprocess = import_module("emnist_cli.core.preprocessing.normalize").preprocess
        for _, plugin in images.FORMATS.values():
            import_module(f"PIL.{plugin}")
    return lambda data: preprocess(images.decode(data).gray)


def search(args: argparse.Namespace) -> None:
    """Try files until the time is over."""
    guided = importlib.util.find_spec("atheris") is not None
    faulthandler.enable()
    attempt = Attempt(args.out, args.limit, reader(guided))
    if not guided:
        blind(attempt, args)
        return
    import atheris

    flags = [f"-max_total_time={args.seconds}", f"-seed={args.seed}", "-max_len=4000", "-rss_limit_mb=0"]
    flags += [f"-handle_{signal}=0" for signal in ("segv", "bus", "abrt", "ill", "fpe")]  # faulthandler tells more
    atheris.Setup([sys.argv[0], str(args.out / "corpus"), *flags], attempt)
    atheris.Fuzz()


def blind(attempt: "Attempt", args: argparse.Namespace) -> None:
    """Damage the small files in the ways that suit every format, one to three at a time."""
    rng = np.random.default_rng(args.seed)
    files, ways = seeds(), [damage for damage, forms in DAMAGES.values() if len(forms) == len(FORMATS)]
    end, count = time.monotonic() + args.seconds, 0
    while time.monotonic() < end:
        data = files[rng.integers(len(files))]
        for _ in range(rng.integers(1, 4)):
            if len(data) > 1:
                data = ways[rng.integers(len(ways))](data, files[rng.integers(len(files))], rng)
        attempt(data)
        count += 1
    print(f"{count:,} files tried, without guidance")


class Attempt:
    """Reads files and keeps those whose reading goes wrong."""

    def __init__(self, out: Path, limit: float, read: Read) -> None:
        """Take the folder for findings, the seconds that a file may take, and what reads it."""
        self._out, self._limit, self._read = out, limit, read
        self._seconds, self._peak = limit, peak_memory() + MEMORY
        self._said: list[tuple[str, str]] = []
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module="PIL")  # as `emnist predict` has it
        warnings.showwarning = lambda message, category, file, line, *rest: self._said.append(
            (f"{category.__name__}-{Path(file).stem}-{line}", str(message))
        )

    def __call__(self, data: bytes) -> None:
        """Read one file; the process ends if that takes far too long."""
        data = mended(data)
        (self._out / "current").write_bytes(data)
        faulthandler.dump_traceback_later(6 * self._limit, exit=True)
        start = time.perf_counter()
        try:
            result = self._read(data)
            if result is not None and not (result.shape == (28, 28) and ((result >= 0) & (result <= 1)).all()):
                keep(self._out, "no-picture", data, f"{result.dtype} {result.shape}, {result.min()}..{result.max()}")
        except ImageError:
            pass
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            name = f"{type(error).__name__}-{Path(place.filename).stem}-{place.lineno}"
            keep(self._out, name, data, f"{error!r}\n{traceback.format_exc()}")
        seconds = time.perf_counter() - start
        faulthandler.cancel_dump_traceback_later()
        while self._said:
            name, message = self._said.pop()
            keep(self._out, name, data, message)
        if seconds > self._seconds:
            self._seconds = 1.1 * seconds
            keep(self._out, f"slow-{seconds:.0f}s", data, f"{seconds:.1f} s")
        if (peak := peak_memory()) > self._peak:
            self._peak = int(1.1 * peak)
            keep(self._out, f"memory-{peak >> 20}MiB", data, f"{peak / 2**20:,.0f} MiB, {seconds:.1f} s")


def keep(out: Path, name: str, data: bytes, what: str) -> None:
    """Write a finding, if there is none of that name."""
    path = out / "found" / name
    if not path.with_suffix(".bin").exists():
        path.with_suffix(".bin").write_bytes(data)
        path.with_suffix(".txt").write_text(what)


def mended(data: bytes) -> bytes:
    """Give a PNG right lengths and checksums, which chance hardly finds, where its last bit says so."""
    if not data.startswith(PNG_MAGIC) or data[-1] & 1:
        return data
    out, at = PNG_MAGIC, len(PNG_MAGIC)
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        at += 12 + length
    return out


def peak_memory() -> int:
    """Return the most bytes that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def replay(paths: list[Path]) -> None:
    """Read files again and print what comes of them; an exception is left to be seen."""
    read = reader(guided=False)
    for path in paths:
        before, start = peak_memory(), time.perf_counter()
        try:
            result = read(path.read_bytes())
            what = "no ink" if result is None else "read"
        except ImageError as error:
            what = f"ImageError: {error}"
        print(f"{path.name}: {what}, {time.perf_counter() - start:.2f} s, {peak_memory() - before >> 20:,} MiB more")


if __name__ == "__main__":
    main()
