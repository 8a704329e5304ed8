"""Check that damaged images among thousands of good ones cost no other row: each file gets its own.

    python benchmarks/corrupted.py FOLDER [--good 5000] [--bad 500] [--seed 1] [--out DIR] [-- options of predict]

FOLDER holds pictures: `--good` of them are copied under new names, again and again if there are fewer, and `--bad`
damaged ones are put among them. `emnist predict` reads all, then the good ones alone.
Checked: one row a file, in order; a status of the contract; good pictures have the same rows in both runs; stderr
holds messages and nothing else; the exit code is 3 if a picture was an error, else 0. Exit code 1 if a check fails.
"""

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from emnist_cli.core.files.discovery import find_pictures
from emnist_cli.core.records import STATUSES

Rng = np.random.Generator
Damage = Callable[[bytes, bytes, Rng], bytes]
"""Takes a file, another file and a generator; gives the damaged file."""

SIDE = 400
"""Pictures are reduced to this many pixels a side before they are damaged."""

FORMATS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "PNG": (".png", "L", {"format": "PNG"}),
    "JPEG": (".jpg", "RGB", {"format": "JPEG"}),
    "JPEG prog": (".jpeg", "RGB", {"format": "JPEG", "progressive": True}),
    "GIF": (".gif", "P", {"format": "GIF"}),
    "BMP": (".bmp", "RGB", {"format": "BMP"}),
    "TIFF": (".tif", "L", {"format": "TIFF"}),
    "TIFF LZW": (".tif", "RGB", {"format": "TIFF", "compression": "tiff_lzw"}),
    "TIFF zip": (".tiff", "L", {"format": "TIFF", "compression": "tiff_adobe_deflate"}),
    "TIFF G4": (".tif", "1", {"format": "TIFF", "compression": "group4"}),
    "WEBP": (".webp", "RGB", {"format": "WEBP"}),
    "PPM": (".ppm", "RGB", {"format": "PPM"}),
}
"""Format -> suffix, mode and how Pillow saves it."""


def encoded(image: Image.Image, mode: str, options: dict[str, Any]) -> bytes:
    """Return the picture as a file, saved in this mode with these options."""
    file = io.BytesIO()
    image.convert(mode).save(file, **options)
    return file.getvalue()


def flip_bits(data: bytes, other: bytes, rng: Rng) -> bytes:
    """Flip 1 to 200 bits: anywhere, or all of them in the first 64 bytes."""
    out = np.frombuffer(data, np.uint8).copy()
    reach = len(out) if rng.random() < 0.7 else min(64, len(out))
    for _ in range(int(200 ** rng.random())):
        out[rng.integers(reach)] ^= 1 << rng.integers(8)
    return out.tobytes()


def truncate(data: bytes, other: bytes, rng: Rng) -> bytes:
    """Cut it off anywhere, after the first byte at least."""
    return data[: rng.integers(1, len(data))]


def zero_blocks(data: bytes, other: bytes, rng: Rng) -> bytes:
    """Write zeros over one to four blocks of up to 512 bytes, as a bad disk would."""
    out = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        start = int(rng.integers(len(out)))
        block = out[start : start + int(rng.integers(1, 513))]
        out[start : start + len(block)] = bytes(len(block))
    return bytes(out)


def splice(data: bytes, other: bytes, rng: Rng) -> bytes:
    """Join the head of one file and the tail of the other."""
    return data[: rng.integers(1, len(data))] + other[rng.integers(len(other)) :]


def wrong_magic(data: bytes, other: bytes, rng: Rng) -> bytes:
    """Replace the first bytes by those of another format, or by noise."""
    return (other[:8] if rng.random() < 0.5 else rng.bytes(8)) + data[8:]


def magic_and_noise(data: bytes, other: bytes, rng: Rng) -> bytes:
    """Keep a header of 12 to 64 bytes, and go on with noise."""
    return data[: rng.integers(12, 65)] + rng.bytes(int(rng.integers(1, 5000)))


def append_noise(data: bytes, other: bytes, rng: Rng) -> bytes:
    """Go on after the end: with noise, or with the other file."""
    return data + (rng.bytes(int(rng.integers(1, 5000))) if rng.random() < 0.5 else other)


def break_chunks(data: bytes, other: bytes, rng: Rng) -> bytes:
    """PNG: write something else over the length or the checksum of a chunk."""
    at = int(rng.choice([m.start() - 4 for m in re.finditer(rb"IHDR|IDAT|IEND", data)]))
    if rng.random() < 0.5:
        at += 8 + int.from_bytes(data[at : at + 4], "big")
    return data[:at] + rng.bytes(4) + data[at + 4 :]


def break_markers(data: bytes, other: bytes, rng: Rng) -> bytes:
    """JPEG: another kind of segment, a wrong length, or a segment left out, one to three times."""
    out = data
    for _ in range(rng.integers(1, 4)):
        places = [m.start() for m in re.finditer(rb"\xff[\xc0-\xfe]", out)]
        at = int(rng.choice(places)) if places else 0
        length = int.from_bytes(out[at + 2 : at + 4], "big")
        way = rng.integers(3)
        if way == 0:
            out = out[: at + 1] + bytes([rng.integers(0xC0, 0x100)]) + out[at + 2 :]
        else:
            out = out[: at + 2] + rng.bytes(2) + out[at + 4 :] if way == 1 else out[:at] + out[at + 2 + length :]
    return out


DAMAGES: dict[str, tuple[Damage, list[str]]] = {
    "bits flipped": (flip_bits, list(FORMATS)),
    "truncated": (truncate, list(FORMATS)),
    "zeroed blocks": (zero_blocks, list(FORMATS)),
    "spliced": (splice, list(FORMATS)),
    "wrong magic": (wrong_magic, list(FORMATS)),
    "header, then noise": (magic_and_noise, list(FORMATS)),
    "0 bytes": (lambda data, other, rng: b"", list(FORMATS)),
    "noise appended": (append_noise, list(FORMATS)),
    "chunks": (break_chunks, ["PNG"]),
    "markers": (break_markers, ["JPEG", "JPEG prog"]),
}
"""Kind of damage -> what does it, and to which formats."""


def main() -> None:
    """Make the folders, run twice, check, print."""
    argv = sys.argv[1:]
    end = argv.index("--") if "--" in argv else len(argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--good", type=int, default=5000)
    parser.add_argument("--bad", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="make the folders here, and leave them")
    args = parser.parse_args(argv[:end])
    sources = [Path(found.path) for found in find_pictures([str(args.folder)], recursive=True) if not found.problem]
    assert sources, f"no pictures in {args.folder}"
    with tempfile.TemporaryDirectory(prefix="emnist-") as scratch:
        out = args.out or Path(scratch)
        damaged = make(out, sources, args.good, args.bad, np.random.default_rng(args.seed))
        problems = check(out, damaged, argv[end + 1 :])
    print("".join(f"FAILED: {problem}\n" for problem in problems), end="")
    sys.exit(1 if problems else 0)


def make(out: Path, sources: list[Path], good: int, bad: int, rng: Rng) -> dict[str, tuple[str, str]]:
    """Fill out/all and out/good; return the kind of damage and the format of each damaged file, by its name."""
    for folder in (out / "all", out / "good"):
        folder.mkdir(parents=True)
    ways = [(kind, form) for kind, (_, forms) in DAMAGES.items() for form in forms]
    whole = iter(np.resize(rng.permutation(len(sources)), good).tolist())
    broken = iter(np.resize(rng.permutation(len(ways)), bad).tolist())
    damaged: dict[str, tuple[str, str]] = {}
    for i, is_good in enumerate(rng.permutation([True] * good + [False] * bad)):
        if is_good:
            source = sources[next(whole)]
            for folder in (out / "all", out / "good"):
                shutil.copyfile(source, folder / f"{i:07}{source.suffix}")
            continue
        kind, form = ways[next(broken)]
        name = f"{i:07}{FORMATS[form][0]}"
        data, other = (encoded(some(sources, rng), *FORMATS[f][1:]) for f in (form, rng.choice(list(FORMATS))))
        (out / "all" / name).write_bytes(DAMAGES[kind][0](data, other, rng))
        damaged[name] = (kind, form)
    return damaged


def some(sources: list[Path], rng: Rng) -> Image.Image:
    """Open one of the pictures, reduced, dark on white where it is clear."""
    with Image.open(sources[rng.integers(len(sources))]) as image:
        small = image.convert("RGBA")
    small.thumbnail((SIDE, SIDE))
    return Image.alpha_composite(Image.new("RGBA", small.size, "gray"), small).convert("RGB")


def check(out: Path, damaged: dict[str, tuple[str, str]], options: list[str]) -> list[str]:
    """Run both and print what came; return what is not as it must be."""
    rows, problems = run(out / "all", out / "all.jsonl", options)
    alone, more = run(out / "good", out / "good.jsonl", options)
    problems += more
    report([(*damaged[row["name"]], row["status"], row["error"]) for row in rows if row["name"] in damaged])
    good = {row["name"]: row for row in rows if row["name"] not in damaged}
    differing = [row["name"] for row in alone if row != good.get(row["name"])]
    if differing:
        problems.append(f"{len(differing)} good pictures have another row than alone, the first {differing[0]}")
    return problems


def run(folder: Path, output: Path, options: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Read a folder with the command; return the rows, with the file's name for its path, and what was wrong."""
    command = [sys.executable, "-m", "emnist_cli", "predict", str(folder), "-o", str(output), *options]
    start = time.perf_counter()
    done = subprocess.run(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    took = time.perf_counter() - start
    problems = []
    rows = [json.loads(line) for line in output.read_text().splitlines()] if output.exists() else []
    for row in rows:
        row["name"] = os.path.basename(row.pop("path"))  # noqa: PTH119
    if [row["name"] for row in rows] != sorted(path.name for path in folder.iterdir()):
        problems.append(f"{folder.name}: the rows are not the files, each once and in order")
    counts = Counter(row["status"] for row in rows)
    if unknown := counts.keys() - set(STATUSES):
        problems.append(f"{folder.name}: status {unknown}")
    said = done.stderr.decode(errors="replace").splitlines()
    if done.returncode != (3 if counts["error"] else 0):
        problems.append(f"{folder.name}: exit code {done.returncode} with {counts['error']} errors: {said[-1:]}")
    if strange := [line for line in said if not line.startswith("emnist: ")]:
        problems.append(f"{folder.name}: {len(strange)} lines on stderr that are no messages: {strange[:3]}")
    print(f"{folder.name}: {len(rows):,} rows in {took:.1f} s, {dict(counts)}, exit code {done.returncode}", flush=True)
    return rows, problems


def report(found: list[tuple[str, str, str, str]]) -> None:
    """Print what came of each kind of damage in each format, and the most common errors."""
    print("\nanswered/empty/error, by damage and format")
    print(" " * 19 + "".join(f"{form:>10}" for form in FORMATS))
    for kind in DAMAGES:
        line = f"{kind:19}"
        for form in FORMATS:
            counts = Counter(status for k, f, status, _ in found if (k, f) == (kind, form))
            cell = f"{counts['ok'] + counts['uncertain']}/{counts['empty']}/{counts['error']}" if counts else "-"
            line += f"{cell:>10}"
        print(line)
    print("\nmost common errors, # for numbers")
    texts = Counter(re.sub(r"b'.*'|b\".*\"|\d[\d,]*", "#", error) for *_, error in found if error)
    for text, count in texts.most_common(10):
        print(f"{count:6} {text}")


if __name__ == "__main__":
    main()
