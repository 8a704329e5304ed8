"""Show what `emnist predict` makes of over twenty odd inputs: one process each, its row, exit code and time.

    python benchmarks/odd_inputs.py

Every input is made here, in a temporary folder. What is shown is what a user in a pipe would see.
"""

import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

COMMAND = [sys.executable, "-m", "emnist_cli", "predict", "--format", "jsonl"]


def seven(mode: str = "L", size: int = 200) -> Image.Image:
    """Draw a 7 with a broad pen."""
    image = Image.new("L", (size, size), 255)
    path = [(0.3 * size, 0.25 * size), (0.7 * size, 0.25 * size), (0.45 * size, 0.8 * size)]
    ImageDraw.Draw(image).line(path, fill=0, width=max(2, size // 14), joint="curve")
    return image.convert(mode)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """Return the picture as a file's bytes."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def bomb(side: int) -> bytes:
    """A real PNG of side x side white pixels, which compresses to almost nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + b"\xff" * (side // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def flipped(data: bytes) -> bytes:
    """Flip bits all over the second half."""
    out = bytearray(data)
    for i in range(len(out) // 2, len(out), 37):
        out[i] ^= 0x55
    return bytes(out)


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "0-byte file": ("empty.png", lambda: b""),
    "text renamed .png": ("text.png", lambda: b"just some text\n" * 20),
    "truncated JPEG": ("cut.jpg", lambda: encoded(seven("RGB"), "JPEG")[:2500]),
    "truncated PNG": ("cut.png", lambda: encoded(seven(), "PNG")[:600]),
    "JPEG with flipped bits": ("flipped.jpg", lambda: flipped(encoded(seven("RGB"), "JPEG"))),
    "PNG named .jpg": ("really-png.jpg", lambda: encoded(seven(), "PNG")),
    "1x1 pixel": ("one.png", lambda: encoded(Image.new("L", (1, 1), 0), "PNG")),
    "20000x20000 bomb": ("bomb.png", lambda: bomb(20000)),
    "1x20000 strip": ("strip.png", lambda: encoded(Image.new("L", (1, 20000), 255), "PNG")),
    "CMYK TIFF": ("cmyk.tif", lambda: encoded(seven("CMYK"), "TIFF")),
    "CMYK JPEG": ("cmyk.jpg", lambda: encoded(seven("CMYK"), "JPEG")),
    "16-bit gray PNG": ("deep.png", lambda: encoded(Image.fromarray(np.asarray(seven(), np.uint16) * 257), "PNG")),
    "float TIFF": ("float.tif", lambda: encoded(Image.fromarray(np.asarray(seven(), np.float32) / 255), "TIFF")),
    "1-bit fax TIFF": ("fax.tif", lambda: encoded(seven("1"), "TIFF", compression="group4")),
    "3-page TIFF": ("pages.tif", lambda: encoded(seven(), "TIFF", save_all=True, append_images=[seven(), seven()])),
    "animated GIF": ("moving.gif", lambda: encoded(seven(), "GIF", save_all=True, append_images=[seven("L", 199)])),
    "clear PNG, no ink": ("clear.png", lambda: encoded(Image.new("RGBA", (80, 80), (0, 0, 0, 0)), "PNG")),
    "black on clear PNG": ("ink.png", lambda: encoded(on_clear(), "PNG")),
    "blank page": ("blank.jpg", lambda: encoded(Image.new("RGB", (800, 600), (240, 236, 220)), "JPEG")),
    "PDF": ("page.pdf", lambda: b"%PDF-1.4\n%...."),
    "HEIC": ("phone.heic", lambda: b"\0\0\0\x20ftypheic" + bytes(50)),
    "EPS": ("drawing.eps", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"),
    "EXIF rotated JPEG": ("turned.jpg", lambda: turned()),
}


def on_clear() -> Image.Image:
    """Black ink on a transparent canvas."""
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    image.putalpha(seven().point(lambda v: 255 - v))
    return image


def turned() -> bytes:
    """A picture stored on its side, with the EXIF tag that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(seven().transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)


def main() -> None:
    """Make every input, run the command on it, print what came."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, (file, make) in FILES.items():
            (folder / file).write_bytes(make())
            show(what, [str(folder / file)])
        good = encoded(seven(), "PNG")
        (folder / "secret.png").write_bytes(good)
        (folder / "secret.png").chmod(0)
        show_unreadable(folder / "secret.png")
        (folder / "loop.png").symlink_to("loop.png")
        show("symlink loop", [str(folder / "loop.png")])
        (folder / "gone.png").symlink_to("nowhere.png")
        show("broken symlink", [str(folder / "gone.png")])
        (folder / "empty folder" / "inner").mkdir(parents=True)
        (folder / "empty folder" / "up").symlink_to(folder)
        show("folder without pictures", [str(folder / "empty folder")])
        show("same, --recursive, linked to itself", [str(folder / "empty folder"), "--recursive"])
        odd = os.fsencode(folder) + b"/caf\xe9 7.png"
        Path(os.fsdecode(odd)).write_bytes(good)
        show("non-UTF-8 file name", [os.fsdecode(odd)])
        (folder / "a\nb\x1b[31m.png").write_bytes(good)
        show("line break and escape in the name", [str(folder / "a\nb\x1b[31m.png")])
        (folder / "[1].png").write_bytes(good)
        show("name that looks like a pattern", [str(folder / "[1].png")])
        show("pattern that matches nothing", [str(folder / "*.nothing")])
        show("missing file", [str(folder / "missing.png")])
        show("name of 300 characters", [str(folder / ("x" * 300))])
        show("device", ["/dev/zero"])
        show("stdin, nothing there", ["-"])
        show("stdin, a picture", ["-"], stdin=good)
        show("pipe (process substitution)", ["/dev/fd/0"], stdin=good)


def show_unreadable(path: Path) -> None:
    """Read a file without permission; root, who may read everything, steps down for the moment, in this process."""
    from emnist_cli import Recognizer

    recognizer, root = Recognizer(), hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        found = recognizer.predict(path)
    finally:
        if root:
            os.seteuid(0)
    print(f"{'unreadable file':36} (in-process)  {found.status:7} {found.error}")


def show(what: str, paths: list[str], stdin: bytes = b"") -> None:
    """Run the command and print its row."""
    start = time.perf_counter()
    command = [*COMMAND, *map(os.fsencode, paths)]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)
    took = time.perf_counter() - start
    row = json.loads(done.stdout)
    answer = f"{row['label']} {row['confidence']}" if row["label"] else row["error"]
    note = done.stderr.decode().strip()
    if note:
        answer += f"   | stderr: {note.rsplit('/', 1)[-1]}"
    print(f"{what:36} exit {done.returncode}  {row['status']:7} {answer}  ({took:.2f} s)")


if __name__ == "__main__":
    main()
