"""Every default of the program, defined once, for the command line options, the library and the training script."""

from dataclasses import dataclass

IMAGE_SIZE = 28
"""Pixels a side of the picture that every model here takes."""


@dataclass(frozen=True)
class NormalizeConfig:
    """EMNIST's format of a character, and how ink is brought into it; `emnist export --to web` hands this to its page.

    Attributes:
        image_size: pixels a side of the finished image.
        box: longer side of the ink in it; 28 less EMNIST's border of 2 pixels either side.
        stroke: range of stroke widths, in finished pixels, that is left alone; measured on EMNIST, see
            docs/preprocessing.md.
        canvas: longer side of the ink in pixels while strokes are thickened or thinned.
        blur: standard deviation in canvas pixels; EMNIST's 1 in 128 pixels, plus its scanner's own.
        trace: density, of 1, above which a pixel counts as part of the ink's box.
    """

    image_size: int = IMAGE_SIZE
    box: int = 24
    stroke: tuple[float, float] = (1.8, 4.6)
    canvas: int = 4 * 24
    blur: float = 1.5
    trace: float = 0.08


@dataclass(frozen=True)
class PredictConfig:
    """How pictures are classified.

    Attributes:
        top_k: how many alternatives a result names, the best one included.
        min_confidence: a best probability below this makes the result `uncertain`; 0 never does.
        ink: "auto" finds out whether ink is darker or lighter than paper; "dark" and "light" say so.
        batch_size: pictures that go through the network at once when there are many.
        max_megapixels: larger pictures are refused; guards against decompression bombs.
        timeout: seconds after which a file among others is given up.
        sheet_size: results that a contact sheet shows.
    """

    top_k: int = 3
    min_confidence: float = 0.0
    ink: str = "auto"
    batch_size: int = 64
    max_megapixels: int = 128
    timeout: float = 60.0
    sheet_size: int = 60


@dataclass(frozen=True)
class ServeConfig:
    """How the server guards itself.

    Attributes:
        host: address that it listens on; this one is reached from the same machine only.
        port: of the address; 0 for any that is free.
        max_megabytes: a larger request body is refused.
        max_files: pictures a request may bring.
        max_requests: that are answered at a time; more are told to come again.
        max_megapixels: larger pictures are refused.
        timeout: seconds that a request may take to arrive, and its answer to be found.
        picture_timeout: seconds after which one picture is given up; half of that, for an answer to be in time.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    max_megabytes: int = 10
    max_files: int = 32
    max_requests: int = 64
    max_megapixels: int = 64
    timeout: float = 20.0
    picture_timeout: float = 10.0


ARCHITECTURES = ("default", "classic", "compact", "twolayer", "mnist", "lenet5", "vgg5")
"""The values of `--arch`: the functions of `core/networks/architectures.py`, listed here so that no
TensorFlow is needed to list them."""


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained; written into the bundle's manifest and into every checkpoint.

    Attributes:
        arch: name of the architecture in `core/networks/architectures.py`.
        epochs: passes over the training pictures.
        batch_size: pictures a step, over all devices and workers together.
        learning_rate: Adam's, at the start of the cosine schedule.
        augment: draw every picture anew each epoch (`core/networks/augmentation.py`).
        seed: of weights, order, held-out pictures and augmentation.
        validation: the part of the training pictures that is held out to choose the best epoch by; 0 for none.
        patience: stop after so many epochs without a better one; 0 never does.
        limit: train on so many pictures, drawn at random; 0 for all.
        mixed_precision: compute in 16 bits where the machine is faster at it; weights stay float32.
    """

    arch: str = "default"
    epochs: int = 20
    batch_size: int = 128
    learning_rate: float = 2e-3
    augment: bool = True
    seed: int = 1
    validation: float = 0.1
    patience: int = 0
    limit: int = 0
    mixed_precision: bool = False


@dataclass(frozen=True)
class EvaluateConfig:
    """How a model is scored.

    Attributes:
        part: the half of a split that is scored.
        bins: of equal width, that the calibration error is summed over.
        coverages: shares of the pictures at which the rejection curve is listed.
        mistakes: how many of the most confident wrong answers are kept.
        chunk_size: pictures that are held as float32 at once.
    """

    part: str = "test"
    bins: int = 15
    coverages: tuple[float, ...] = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
    mistakes: int = 40
    chunk_size: int = 4096


@dataclass(frozen=True)
class ReadConfig:
    """How pages are read; what is not here is as for single pictures.

    Attributes:
        timeout: seconds after which a page among others is given up.
        dpi: pixels an inch that a page of a PDF is drawn with.
        megapixels: that such a page is drawn with at most.
    """

    timeout: float = 120.0
    dpi: int = 200
    megapixels: int = 24


PIXEL_RANGES = ("0..1", "0..255", "-1..1")
"""What `models import --pixels` takes: values of paper and ink that a network was trained on, where ink is white."""
