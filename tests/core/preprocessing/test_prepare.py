"""Images of all kinds brought into EMNIST's form, in the order in which they came."""

import numpy as np
import pytest

from emnist_cli.core.errors import ImageError
from emnist_cli.core.preprocessing.prepare import ImagePreparer
from tests.handwriting import picture


def test_small_and_large_images_keep_their_order() -> None:
    large, small = picture("7", 1), picture("7", 1, size=(28, 28))
    prepared = ImagePreparer().prepare([large, b"nothing", small, np.zeros((40, 40), np.uint8), small])
    assert [image.pixels is None for image in prepared] == [False, True, False, True, False]
    assert prepared[1].error and not prepared[3].error, "an empty image is no error"
    assert np.array_equal(prepared[2].pixels, prepared[4].pixels)  # type: ignore[arg-type]
    alone = [ImagePreparer().prepare([source])[0].pixels for source in (large, small)]
    assert np.array_equal(prepared[0].pixels, alone[0])  # type: ignore[arg-type]
    assert np.array_equal(prepared[2].pixels, alone[1])  # type: ignore[arg-type]


def test_raw_images_are_only_scaled() -> None:
    raw = np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)
    (image,) = ImagePreparer(raw=True).prepare([raw])
    assert image.pixels is not None and np.allclose(image.pixels, raw / 255)
    (turned,) = ImagePreparer(raw=True, transposed=True).prepare([raw])
    assert turned.pixels is not None and np.allclose(turned.pixels, raw.T / 255)
    with pytest.raises(ImageError, match=r"--raw expects 28x28 pixels\. Received: 30x20"):
        ImagePreparer(raw=True).look(np.ones((20, 30), np.uint8))
