"""Every form in which people have pictures must come out as the same gray picture."""

import contextlib
import io
import os
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from emnist_cli.core.errors import ImageError
from emnist_cli.core.imaging import decode, grayscale
from tests.handwriting import picture


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def values(gray: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    return gray.astype(np.float32) / (255 if gray.dtype == np.uint8 else 1)


REFERENCE = picture("R", 1)
EXPECTED = values(np.asarray(REFERENCE))


@pytest.mark.parametrize(
    ("form", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("GIF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("PPM", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 80}, 0.1),
        ("JPEG", {"quality": 90}, 0.1),
    ],
)
def test_formats(form: str, options: dict[str, object], tolerance: float) -> None:
    found = decode.decode_image(encoded(REFERENCE, form, **options))
    assert found.note == ""
    assert np.abs(values(found.gray) - EXPECTED).max() <= tolerance


def test_every_format_listed_is_tested() -> None:
    assert {name for name, _ in decode.FORMATS.values()} == {"PNG", "BMP", "GIF", "TIFF", "PPM", "WEBP", "JPEG"}


def with_alpha(mode: str) -> Image.Image:
    """Ink of the reference on a clear canvas."""
    image = Image.new(mode, REFERENCE.size)
    image.putalpha(REFERENCE.point(lambda v: 255 - v))
    return image


def palette_with_transparency() -> Image.Image:
    image = REFERENCE.point(lambda v: 0 if v < 128 else 1).convert("L")
    image = image.convert("P")
    image.putpalette([0, 0, 0, 250, 250, 250])
    image.info["transparency"] = 1
    return image


@pytest.mark.parametrize(
    ("make", "form", "tolerance"),
    [
        (lambda: REFERENCE.convert("1", dither=Image.Dither.NONE), "PNG", 0.51),
        (lambda: REFERENCE.convert("1", dither=Image.Dither.NONE), "TIFF", 0.51),
        (lambda: REFERENCE.convert("LA"), "PNG", 0.01),
        (lambda: with_alpha("LA"), "PNG", 0.01),
        (lambda: REFERENCE.convert("P"), "PNG", 0.01),
        (palette_with_transparency, "PNG", 0.51),
        (lambda: REFERENCE.convert("RGB"), "PNG", 0.01),
        (lambda: REFERENCE.convert("RGBA"), "PNG", 0.01),
        (lambda: with_alpha("RGBA"), "PNG", 0.01),
        (lambda: REFERENCE.convert("CMYK"), "TIFF", 0.02),
        (lambda: REFERENCE.convert("CMYK"), "JPEG", 0.2),
        (lambda: REFERENCE.convert("YCbCr"), "TIFF", 0.02),
        (lambda: REFERENCE.convert("I"), "TIFF", 0.01),
        (lambda: Image.fromarray(np.asarray(REFERENCE, np.uint16) * 257), "PNG", 0.01),
        (lambda: Image.fromarray(np.asarray(REFERENCE, np.uint16) * 257), "TIFF", 0.01),
        (lambda: Image.fromarray(np.asarray(REFERENCE, np.uint16) * 16), "TIFF", 0.02),
        (lambda: Image.fromarray(np.asarray(REFERENCE, np.float32) / 255), "TIFF", 0.01),
        (lambda: Image.fromarray(np.asarray(REFERENCE, np.float32) * 7 - 300), "TIFF", 0.01),
    ],
)
def test_modes(make: Callable[[], Image.Image], form: str, tolerance: float) -> None:
    found = values(decode.decode_image(encoded(make(), form)).gray)
    assert np.abs(found - EXPECTED).max() <= tolerance


def test_white_ink_on_a_clear_canvas_is_laid_on_black() -> None:
    canvas = Image.new("RGBA", REFERENCE.size, (255, 255, 255, 0))
    canvas.putalpha(REFERENCE.point(lambda v: 255 - v))
    assert np.abs(values(decode.decode_image(encoded(canvas, "PNG")).gray) - (1 - EXPECTED)).max() <= 0.01


def test_clear_corners_are_filled_with_the_pictures_own_paper() -> None:
    card = REFERENCE.convert("RGBA")
    alpha = Image.new("L", card.size, 255)
    alpha.paste(0, (0, 0, 30, 30))
    card.putalpha(alpha)
    assert np.abs(values(decode.decode_image(encoded(card, "PNG")).gray) - EXPECTED).max() <= 0.01


@pytest.mark.parametrize(
    "colours", [((255, 255, 0), (255, 255, 255)), ((0, 0, 255), (0, 0, 0)), ((0, 130, 0), (255, 0, 0))]
)
def test_ink_that_differs_from_paper_by_colour_alone(colours: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    ink, paper = (np.array(c, np.float32) for c in colours)
    cover = 1 - EXPECTED[..., None]
    picture = Image.fromarray((paper * (1 - cover) + ink * cover).astype(np.uint8))
    found = values(decode.decode_image(encoded(picture, "PNG")).gray)
    assert abs(np.corrcoef(found.ravel(), EXPECTED.ravel())[0, 1]) > 0.99
    assert np.ptp(found) > 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = REFERENCE if orientation == 1 else REFERENCE.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(values(decode.decode_image(encoded(stored, "PNG", exif=exif)).gray), EXPECTED)


@pytest.mark.parametrize(
    ("form", "unit"), [("GIF", "frames"), ("TIFF", "pages"), ("WEBP", "frames"), ("PNG", "frames")]
)
def test_of_several_frames_the_first_is_read_and_it_is_said(form: str, unit: str) -> None:
    others = [picture("7", 0), picture("8", 0)]
    options = {"lossless": True} if form == "WEBP" else {}
    found = decode.decode_image(encoded(REFERENCE, form, save_all=True, append_images=others, **options))
    assert found.note == f"has 3 {unit}, only the first was read"
    assert np.abs(values(found.gray) - EXPECTED).max() < 0.02


def test_a_large_jpeg_is_decoded_reduced() -> None:
    large = REFERENCE.resize((4000, 3000))
    assert decode.decode_image(encoded(large, "JPEG")).gray.shape == (1500, 2000)
    assert decode.decode_image(encoded(large, "PNG")).gray.shape == (1500, 2000)


def test_an_open_picture_is_as_the_file_has_it() -> None:
    colour = Image.merge("RGB", [REFERENCE, REFERENCE.point(lambda v: v // 2), Image.new("L", REFERENCE.size)])
    with decode.opened(encoded(colour, "PNG")) as (image, note):
        assert (image.mode, note) == ("RGB", "")
        assert np.array_equal(np.asarray(image), np.asarray(colour))
    with decode.opened(encoded(colour.resize((4000, 3000)), "JPEG")) as (image, _):
        assert image.size == (2000, 1500), "decoded at half its size"
    with decode.opened(encoded(REFERENCE, "GIF", save_all=True, append_images=[picture("7", 0)])) as (_, note):
        assert note == "has 2 frames, only the first was read"


def test_what_fails_while_a_picture_is_open_is_an_image_error() -> None:
    with pytest.raises(ImageError, match=r"damaged PNG file \(too bad\)"), decode.opened(encoded(REFERENCE, "PNG")):
        raise ValueError("too bad")
    with pytest.raises(KeyboardInterrupt), decode.opened(encoded(REFERENCE, "PNG")):
        raise KeyboardInterrupt
    with (
        pytest.raises(ImageError, match="the limit is 1;"),
        decode.opened(encoded(REFERENCE.resize((1001, 1000)), "BMP"), 1),
    ):
        pass


def bomb() -> bytes:
    """A PNG of 20000x20000 pixels in a few bytes: header, and no more data than needed to open it."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file (0 bytes)"),
        (b"hello, world\n", "not a picture in a known format (PNG, JPEG, GIF, BMP, WEBP, TIFF, PPM). Received: b"),
        (b"%PDF-1.7 ...", "a PDF; its page as text: emnist read; one character: save it as a PNG first"),
        (b"<svg xmlns='...'>", "an SVG drawing"),
        (b"  <!DOCTYPE html>", "a web page"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"version 2 of this text", "Received: b'version 2 of'"),
        (b"\0\0\0\x20ftypheic", "HEIC"),
        (b"RIFF\0\0\0\0WAVEfmt ", "not a picture"),
        (encoded(REFERENCE, "JPEG")[:2000], "damaged JPEG file"),
        (encoded(REFERENCE, "PNG")[:500], "damaged PNG file"),
        (encoded(REFERENCE, "PNG")[:20], "damaged PNG file"),
        (encoded(REFERENCE, "GIF")[:100], "damaged GIF file"),
        (encoded(REFERENCE, "TIFF")[:3000], "damaged TIFF file"),
        (encoded(REFERENCE, "WEBP")[:300], "damaged WEBP file"),
        (encoded(REFERENCE, "BMP")[:300], "damaged BMP file"),
        (encoded(REFERENCE, "PPM")[:300], "damaged PPM file"),
        (b"P5 0 0 255\n", "damaged PPM file"),
        (bomb(), "20000x20000 pixels are 400 megapixels, the limit is 128; reduce the picture"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_said_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(ImageError) as caught:
        decode.decode_image(data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


SAMPLES = [encoded(REFERENCE.resize((40, 40)), form) for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM", "WEBP")]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8), st.floats(0, 1))
def test_damage_gives_a_picture_or_an_image_error(data: bytes, changes: list[tuple[float, int]], cut: float) -> None:
    content = bytearray(data)
    for where, value in changes:
        content[int(where * (len(content) - 1))] = value
    if cut < 0.5:
        del content[int(cut * 2 * len(content)) :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow comments on what it finds; the command line silences it
        try:
            gray = decode.decode_image(bytes(content), max_megapixels=1).gray
        except ImageError as error:
            assert str(error)
        else:
            assert gray.ndim == 2
            assert 0 <= values(gray).min() <= values(gray).max() <= 1


@pytest.mark.parametrize(
    "array",
    [
        np.asarray(REFERENCE),
        np.asarray(REFERENCE)[..., None],
        np.asarray(REFERENCE, np.int64),
        np.asarray(REFERENCE, np.uint16) * 257,
        np.asarray(REFERENCE, np.float32) / 255,
        np.asarray(REFERENCE, np.float64) / 255,
        np.asarray(REFERENCE.convert("RGB")),
        np.asarray(REFERENCE.convert("RGB"), np.float32) / 255,
        np.asarray(REFERENCE.convert("RGBA")),
        np.asarray(REFERENCE) > 127,
    ],
)  # fmt: skip
def test_arrays(array: NDArray[np.generic]) -> None:
    found = values(grayscale.from_array(array).gray)
    assert np.abs(found - EXPECTED).max() <= (0.51 if array.dtype == bool else 0.01)


@pytest.mark.parametrize("shape", [(), (5,), (5, 5, 2), (5, 5, 5), (0, 5), (2, 2, 2, 2)])
def test_arrays_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="Received"):
        grayscale.from_array(np.zeros(shape))


def test_arrays_of_another_type_are_refused() -> None:
    with pytest.raises(ImageError, match="expected an array"):
        grayscale.from_array(np.array([["a"]]))


@pytest.mark.parametrize("low", [0.0, 0.3, 0.6, -0.05])
def test_floats_may_overshoot_a_little(low: float) -> None:
    found = grayscale.from_array((low + (1.03 - low) * EXPECTED).astype(np.float32)).gray
    assert found.max() == 1
    assert np.corrcoef(found.ravel(), EXPECTED.ravel())[0, 1] > 0.999


def closed() -> Image.Image:
    image = Image.new("L", (5, 5))
    image.close()
    return image


@pytest.mark.parametrize(
    "make",
    [
        lambda: Image.new("L", (0, 0)),
        lambda: Image.new("RGB", (0, 5)),
        lambda: Image.open(io.BytesIO(encoded(REFERENCE, "PNG")[:800])),
        closed,
    ],
)
def test_open_pictures_that_cannot_be_had(make: Callable[[], Image.Image]) -> None:
    with pytest.raises(ImageError):
        grayscale.from_image(make())


def test_premultiplied_alpha() -> None:
    assert grayscale.from_image(with_alpha("LA").convert("La")).gray.shape == (200, 200)


def test_a_file_of_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(decode.MAX_BYTES + 1)  # sparse: takes no space
    with pytest.raises(ImageError, match="more than 512 MiB"):
        decode.read_bytes(huge)


def test_libtiff_is_kept_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(encoded(REFERENCE.convert("1"), "TIFF", compression="group3"))
    for i in range(40, len(content) - 200, 7):
        content[i] ^= 0x5A
    with contextlib.suppress(ImageError):
        decode.decode_image(bytes(content))
    assert capfd.readouterr().err == ""


def test_numbers_whose_difference_overflows() -> None:
    """A damaged PFM can hold any float; found by fuzzing."""
    numbers = np.full((40, 40), 1.0, np.float32)
    numbers[0, 0], numbers[9, 9] = -3e38, 3e38
    shade = grayscale.from_array(numbers).gray
    assert np.isfinite(shade).all()
    assert (shade.min(), shade.max()) == (0, 1)


def test_numbers_that_are_none_do_not_spread() -> None:
    array = EXPECTED.copy()
    array[3, 3], array[4, 4] = np.nan, np.inf
    assert np.isfinite(grayscale.from_array(array).gray).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "nothing.png", "no such file or folder"),
        (lambda folder: folder, "cannot be read"),
        (lambda folder: Path(os.devnull), "a device"),
        (lambda folder: f"{folder}/a\0b.png", "cannot be read"),
        (lambda folder: folder / ("x" * 300), "cannot be read"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        decode.read_bytes(make(tmp_path))


def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(ImageError, match=r"cannot be read|no such file"):
        decode.read_bytes(tmp_path / "loop.png")
