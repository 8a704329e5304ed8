"""A network with named classes: arrays in, probabilities out; the recognizer, evaluation and the benchmark share it."""

import copy
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.bundle import DEFAULT_MODEL, Bundle, find_bundle
from emnist_cli.core.classify.label_view import LabelView, make_label_view
from emnist_cli.core.classify.options import name_classes
from emnist_cli.core.config import IMAGE_SIZE, PredictConfig
from emnist_cli.core.errors import UsageError
from emnist_cli.core.runtimes.open_runtime import open_model


class Classifier:
    """A loaded model: a runtime, the classes of its outputs, its temperature, and the labels it may answer.

    Safe to share between threads.

    Attributes:
        model: the bundle in use.
        classes: in order of the network's outputs, the characters each stands for.
        view: how the classes add up to labels.
    """

    def __init__(
        self,
        model: str | Path | Bundle = DEFAULT_MODEL,
        *,
        threads: int | None = None,
        batch_size: int = PredictConfig.batch_size,
        trust: bool = False,
    ) -> None:
        """Load a model.

        Args:
            model: name, bundle folder or model file; or a bundle that has been found.
            threads: that the network uses for a batch; None for every core.
            batch_size: images that go through the network at once.
            trust: run a SavedModel, whose graph can run code and write files; without it, one is refused.

        Raises:
            ModelError: there is no such model, it is damaged, or it is a SavedModel without `trust`.
            MissingError: the runtime for it is not installed.
        """
        self.model = model if isinstance(model, Bundle) else find_bundle(model, trust)
        self._runtime = open_model(self.model, threads, batch_size)
        self.classes = name_classes(self.model, self._runtime.class_count)
        self._temperature = self.model.manifest.temperature if self.model.manifest else 1.0
        self.view = make_label_view(self.classes)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def split(self) -> str | None:
        """The split that the model was trained for, if its manifest says so."""
        return self.model.manifest.split if self.model.manifest else None

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that may be answered, in the order of the columns of `probabilities`."""
        return self.view.labels

    def with_view(self, view: LabelView) -> "Classifier":
        """Return a classifier that answers the labels of `view`; the network is shared."""
        other = copy.copy(self)
        other.view = view
        return other

    def probabilities(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return calibrated probabilities of images in EMNIST's form.

        Args:
            images: float32 (n, 28, 28) in [0, 1], upright, white ink on black.

        Returns:
            float32 (n, len(self.labels)), rows sum to 1.

        Raises:
            UsageError: an array of another shape or type.
        """
        return self.view.apply(self.run(images), self._temperature)

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's own outputs, float32 (n, len(self.classes)): not calibrated, before the label view.

        Args:
            images: as for `probabilities`.

        Raises:
            UsageError: an array of another shape or type.
        """
        if images.ndim != 3 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or images.dtype != np.float32:
            raise UsageError(f"expected pictures float32 (n, 28, 28). Received: {images.dtype} {images.shape}")
        return self._runtime.run(images)
