"""Read images with PP-OCRv6 small, which the package rapidocr brings; `compare.py` and `read_pages.py` use this.

    pip install rapidocr onnxruntime
    python benchmarks/rapid_ocr.py [--no-detection] IMAGE...

Prints the text of each image as one JSON string per line: the pieces that RapidOCR finds, in its order. The classifier
that turns upside-down lines is off (`use_cls=False`). With `--no-detection` the whole image is taken for one
line of text. The wheel of rapidocr holds the weights, so nothing is downloaded.
"""

import argparse
import json
from functools import cache
from pathlib import Path
from typing import Any


def read(image: Path | bytes, detect: bool = True, layout: bool = False) -> str:
    """Return the text of an image, "" where RapidOCR finds none.

    The pieces of text stand in the order in which RapidOCR returns them; with layout, in lines as its `to_markdown`
    puts them together.
    """
    result = engine()(image, use_det=detect, use_cls=False)
    if not result.txts:
        return ""
    return result.to_markdown() if layout else "\n".join(result.txts)


@cache
def engine() -> Any:
    """Load the weights, once; the size and version are named, since RapidOCR's default changes with its version."""
    from rapidocr import ModelType, OCRVersion, RapidOCR

    params: dict[str, Any] = {"Global.log_level": "critical"}
    for step in ("Det", "Rec"):
        params |= {f"{step}.model_type": ModelType.SMALL, f"{step}.ocr_version": OCRVersion.PPOCRV6}
    return RapidOCR(params=params)


def main() -> None:
    """Print the text of each image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    parser.add_argument("--no-detection", action="store_true")
    asked = parser.parse_args()
    for image in asked.images:
        print(json.dumps(read(image, detect=not asked.no_detection)))


if __name__ == "__main__":
    main()
