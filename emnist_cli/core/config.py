"""Every default of the product, once. Options, library and training script all take them from here."""

from dataclasses import dataclass

IMAGE_SIZE = 28
"""Pixels a side of the picture that every model here takes."""


@dataclass(frozen=True)
class PredictConfig:
    """How pictures are classified.

    Attributes:
        top_k: how many alternatives a result names, the best one included.
        min_confidence: a best probability below this makes the result `uncertain`; 0 never does.
        ink: "auto" finds out whether ink is darker or lighter than paper; "dark" and "light" say so.
        batch_size: pictures that go through the network at once when there are many.
        max_megapixels: larger pictures are refused; guards against decompression bombs.
    """

    top_k: int = 3
    min_confidence: float = 0.0
    ink: str = "auto"
    batch_size: int = 64
    max_megapixels: int = 128


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained; written into the bundle's manifest.

    Attributes:
        arch: name of the architecture in `core/training/model.py`.
        epochs: passes over the training pictures.
        batch_size: pictures a step.
        learning_rate: Adam's, at the start of the cosine schedule.
        augment: draw every picture anew each epoch (`core/training/augment.py`).
        seed: of weights, order and augmentation.
    """

    arch: str = "classic"
    epochs: int = 20
    batch_size: int = 128
    learning_rate: float = 1e-3
    augment: bool = True
    seed: int = 1
