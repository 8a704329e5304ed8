"""Say which programs to compare with are installed; for `compare.py` and `read_pages.py`."""

import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

TESSERACT = "Tesseract"
PADDLE = "PP-OCRv6 small"
INSTALL = {TESSERACT: "apt-get install tesseract-ocr", PADDLE: "pip install rapidocr onnxruntime"}


def installed() -> list[str]:
    """Return the names of the programs that are installed, and print their versions."""
    versions = {TESSERACT: tesseract_version(), PADDLE: paddle_version()}
    for name, found in versions.items():
        if found:
            print(f"{name}: {found}")
        else:
            print(f"{name} is not installed and is left out: {INSTALL[name]}", file=sys.stderr)
    return [name for name, found in versions.items() if found]


def tesseract_version() -> str | None:
    """Return Tesseract's version, None where it is not installed."""
    if not shutil.which("tesseract"):
        return None
    done = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).splitlines()[0]


def paddle_version() -> str | None:
    """Return the versions of the packages that run PP-OCRv6, None where one is missing."""
    try:
        return ", ".join(f"{package} {version(package)}" for package in ("rapidocr", "onnxruntime"))
    except PackageNotFoundError:
        return None
