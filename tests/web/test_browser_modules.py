"""The other JavaScript of an exported page against the Python that it is a port of: files, filters, views."""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, Page

from emnist_cli.core.classify.label_view import make_label_view
from emnist_cli.core.errors import UsageError
from emnist_cli.core.labels import SPLITS, parse_charset
from emnist_cli.core.preprocessing.components import find_components
from tests.conftest import REPOSITORY
from tests.handwriting import picture
from tests.web.scripts import ROUNDING, UNPACK, compare_file, encoded, look_there, opened


@pytest.fixture(scope="module")
def modules(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(browser, tmp_path_factory.mktemp("modules")) as page:
        yield page


@pytest.mark.slow
def test_resampling_is_pillows(modules: Page) -> None:
    random = np.random.default_rng(1)
    filters = {"BOX": Image.Resampling.BOX, "BILINEAR": Image.Resampling.BILINEAR, "BICUBIC": Image.Resampling.BICUBIC}
    sizes = [((37, 53), (20, 11)), ((20, 11), (53, 37)), ((64, 64), (64, 24)), ((1, 9), (3, 3)), ((200, 3), (7, 1))]
    for (name, how), (before, after) in itertools.product(filters.items(), sizes):
        for array in (random.integers(0, 256, before, np.uint8), random.random(before, np.float32)):
            expected = np.asarray(Image.fromarray(array).resize(after[::-1], how))
            kind = "Uint8Array" if array.dtype == np.uint8 else "Float32Array"
            found = modules.evaluate(
                f"""async ([picture, height, width]) => {{
                  {UNPACK}
                  const {{ resample, {name} }} = await import("./browser/resample.js");
                  return [...resample(unpack(picture, {kind}), width, height, {name}).data];
                }}""",
                [encoded(array), *after],
            )
            # Which direction Pillow scales first depends on its version and the shape; bytes are rounded in between.
            most = 1 if array.dtype == np.uint8 else 1e-6
            assert np.abs(np.array(found).reshape(after) - expected).max() <= most


@pytest.mark.slow
def test_the_blur_is_pillows_to_the_bit(modules: Page) -> None:
    gray = np.random.default_rng(2).integers(0, 256, (31, 47), np.uint8)
    for sigma in (0, 0.4, 1.5, 4):
        expected = np.asarray(Image.fromarray(gray).filter(ImageFilter.GaussianBlur(sigma)))
        found = modules.evaluate(
            f"""async ([picture, sigma]) => {{
              {UNPACK}
              const {{ gaussianBlur }} = await import("./browser/resample.js");
              return [...gaussianBlur(unpack(picture), sigma).data];
            }}""",
            [encoded(gray), sigma],
        )
        assert np.array_equal(np.array(found).reshape(gray.shape), expected)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.45, 0.6, 1.0])
def test_components(modules: Page, share: float) -> None:
    mask = np.random.default_rng(4).random((40, 61)) < share
    parts = find_components(mask)
    found = modules.evaluate(
        f"""async (mask) => {{
          {UNPACK}
          const {{ findComponents, paint }} = await import("./browser/components.js");
          const parts = findComponents(unpack(mask));
          return parts.map((p, i) => [p.area, p.top, p.left, p.bottom, p.right, [...paint([p], mask).data].indexOf(1)]);
        }}""",
        encoded(mask.astype(np.uint8)),
    )
    firsts = [int((parts.labels.ravel() == i + 1).argmax()) for i in range(len(parts.area))]
    expected = [[int(a), *map(int, box), first] for a, box, first in zip(parts.area, parts.boxes, firsts, strict=True)]
    assert found == expected


def file(image: Image.Image, form: str = "PNG", **how: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **how)
    return stream.getvalue()


def rotated(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # stands on its left side
    return file(image.rotate(90, expand=True), "JPEG", quality=95, exif=exif.tobytes())


def coloured(paper: tuple[int, ...], ink: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    blank = Image.new(mode, (200, 200), paper)
    blank.paste(Image.new(mode, (200, 200), ink), mask=picture("R").point(lambda v: 255 - v))
    return blank


FILES = {
    "yellow on white": lambda: file(coloured((255, 255, 255), (255, 240, 0))),
    "blue on black": lambda: file(coloured((0, 0, 0), (0, 0, 120))),
    "dark on clear": lambda: file(coloured((0, 0, 0, 0), (20, 20, 60, 255), "RGBA")),
    "white on clear": lambda: file(coloured((0, 0, 0, 0), (255, 255, 255, 255), "RGBA")),
    "palette": lambda: file(coloured((250, 240, 220), (60, 20, 20)).quantize(8)),
    "black and white": lambda: file(picture("R").convert("1")),
    "gif": lambda: file(picture("R"), "GIF"),
    "bmp": lambda: file(picture("R"), "BMP"),
    "webp": lambda: file(picture("R").convert("RGB"), "WEBP", lossless=True),
    "turned by EXIF": lambda: rotated(picture("R", size=(160, 240))),
    "large": lambda: file(picture("R", size=(3300, 2500), pen=0.03)),
    "large JPEG": lambda: file(picture("R", size=(3300, 3400), pen=0.03), "JPEG"),
}
"""Files of which Pillow and the browser should make the same."""


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_files(modules: Page, name: str) -> None:
    difference = compare_file(modules, FILES[name]())
    # JPEG decoders differ by a level here and there; reduced while it is decoded, a JPEG is not the same picture.
    most = 0.1 if name == "large JPEG" else 0.02 if name == "turned by EXIF" else ROUNDING
    assert difference.max() < most


@pytest.mark.parametrize("name", ["blue-ink-A.jpg", "canvas-b.png", "chalk-R.png", "pencil-7.jpg", "tiny-e.png"])
def test_the_examples(modules: Page, name: str) -> None:
    assert compare_file(modules, (REPOSITORY / "examples" / name).read_bytes()).max() < 0.02


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file (0 bytes)"),
        (b"hello, world, this is no picture", 'Received: "hello, world"'),
        ((REPOSITORY / "examples" / "scan-5.tiff").read_bytes(), "a TIFF picture, which a browser does not read"),
        (b"P5 2 2 255 \0\1\2\3", "a PPM, PGM, PBM or PFM picture"),
        (b"%PDF-1.7 and so on", "a PDF; save its page as a PNG first"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "an HEIC, AVIF or video file"),
        (b"RIFF\0\0\0\0WAVEfmt and so on", "not a picture in a known format"),
        ((REPOSITORY / "examples" / "chalk-R.png").read_bytes()[:60], "damaged PNG file"),
    ],
)
def test_what_cannot_be_read_is_explained(modules: Page, data: bytes, reason: str) -> None:
    assert reason in look_there(modules, data)


@pytest.mark.parametrize("split", ["byclass", "balanced", "letters", "digits"])
@pytest.mark.parametrize(("charset", "fold"), [("", False), ("", True), ("0-9A-F", False), ("lower,digits", True)])
def test_views(modules: Page, split: str, charset: str, fold: bool) -> None:
    classes = [c.characters for c in SPLITS[split].classes]
    view = make_label_view(classes, parse_charset(charset) if charset else None, fold)
    probabilities = np.random.default_rng(5).dirichlet(np.full(len(classes), 0.1)).astype(np.float32)
    found = modules.evaluate(
        """async ([classes, charset, fold, probabilities]) => {
          const [{ parseCharset }, { applyView, makeView }] = await Promise.all(
            ["labels", "label_view"].map((name) => import(`./browser/${name}.js`)));
          const view = makeView(classes, charset ? parseCharset(charset) : null, fold);
          return [view.labels, applyView(view, probabilities, 0.9)];
        }""",
        [classes, charset, fold, probabilities.tolist()],
    )
    assert tuple(found[0]) == view.labels
    assert np.allclose(found[1], view.apply(probabilities[None], 0.9)[0], atol=1e-6)


@pytest.mark.parametrize(
    "charset",
    [
        "digits", "digits,upper", "0-9A-F", "F-A", "abc!", "-", "a-", "A-CO", "digits,x", ",", "\u00e4", "x", "dig",
        "digit", "Digit", "DIGIT", "d\u00efgits", "ltters", "letter", "lowr", "upperr", "alum", "tiger", "lower,upp",
    ],
)  # fmt: skip
def test_charsets(modules: Page, charset: str) -> None:
    try:
        expected: Any = sorted(parse_charset(charset))
    except UsageError as error:
        expected = str(error).removeprefix("--")
    found = modules.evaluate(
        """async (charset) => {
          const { parseCharset } = await import("./browser/labels.js");
          try { return [...parseCharset(charset)].sort(); } catch (error) { return error.message; }
        }""",
        charset,
    )
    assert found == expected


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize(("kind", "least_equal"), [("tablet", 1.0), ("photos", 0.9), ("canvas", 1.0)])
def test_real_scans(modules: Page, data: Path, kind: str, least_equal: float) -> None:
    """What the network sees is the same but for rounding; JPEG decoders differ here and there."""
    paths = sorted((data / "scans" / kind).glob("*.[jp][pn]g"))[::60][:40]
    largest = np.array([compare_file(modules, path.read_bytes()).max() for path in paths])
    assert len(largest) > 8
    assert (largest < ROUNDING).mean() >= least_equal
    assert largest.max() < 0.2
