"""Programs that the benchmarks compare with: one is missing, another answers in ways that need care."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RAPIDOCR = '''
from types import SimpleNamespace

ModelType = SimpleNamespace(SMALL="small")
OCRVersion = SimpleNamespace(PPOCRV6="PP-OCRv6")


class RapidOCR:
    """Finds no text by detection; without it, reads a Chinese character before the letter."""

    def __init__(self, params):
        assert params["Rec.model_type"] == params["Det.model_type"] == "small"

    def __call__(self, image, use_det, use_cls):
        assert not use_cls
        return SimpleNamespace(txts=None if use_det else ("\\u4e86R",))
'''


def test_compare_leaves_out_a_missing_program_and_takes_the_first_letter_of_another(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(f"file,label\n{ROOT / 'examples' / 'chalk-R.png'},R\n", encoding="utf-8")
    (tmp_path / "rapidocr.py").write_text(RAPIDOCR, encoding="utf-8")
    for package in ("rapidocr", "onnxruntime"):
        metadata = tmp_path / f"{package}-1.0.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    env = {**os.environ, "PATH": str(tmp_path), "PYTHONPATH": path}
    command = [sys.executable, str(ROOT / "benchmarks" / "compare.py"), str(tmp_path), "--rounds", "1"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "Tesseract is not installed and is left out: apt-get install tesseract-ocr\n"
    right = {row[:24].strip(): "62 classes 1.0000" in row for row in map(str.strip, done.stdout.splitlines()[3:])}
    assert right == {
        "emnist predict": True,
        "the same, one process": True,
        "PP-OCRv6 small": False,
        "the same, no detection": True,
    }
