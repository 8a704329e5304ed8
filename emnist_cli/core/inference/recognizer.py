"""Pictures in, predictions out: the one path that the command line, the Python API and servers share."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emnist_cli.core import bundle
from emnist_cli.core.config import IMAGE_SIZE, PredictConfig
from emnist_cli.core.errors import ImageError, ModelError, UsageError
from emnist_cli.core.inference import grey, images
from emnist_cli.core.inference.files import Found
from emnist_cli.core.inference.pixels import resize
from emnist_cli.core.inference.preprocess import preprocess
from emnist_cli.core.inference.runtime import Runtime
from emnist_cli.core.inference.views import make_view
from emnist_cli.core.labels import parse_charset, split_of_size
from emnist_cli.core.records import Alternative, Prediction

Source = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.generic] | Found
"""A path, a file's content, an open picture, or an array (see `grey.from_array`)."""

_INKS = ("auto", "dark", "light")


class Recognizer:
    """Classifies pictures of single handwritten characters.

    Safe to share between threads.

    Example:
        >>> from emnist_cli import Recognizer
        >>> Recognizer(charset="digits").predict("examples/pencil-7.jpg").label
        '7'

    Attributes:
        model: the bundle in use.
        labels: every answer that is possible with the given charset and case folding.
    """

    def __init__(
        self,
        model: str | Path = bundle.DEFAULT_MODEL,
        *,
        top_k: int = PredictConfig.top_k,
        charset: str | None = None,
        fold_case: bool = False,
        min_confidence: float = PredictConfig.min_confidence,
        ink: str = PredictConfig.ink,
        raw: bool = False,
        transposed: bool = False,
        threads: int | None = None,
        batch_size: int = PredictConfig.batch_size,
    ) -> None:
        """Load a model.

        Args:
            model: name, bundle folder or .tflite file.
            top_k: how many alternatives each prediction names.
            charset: allowed answers, as `labels.parse_charset` takes them; the others are masked and the
                probabilities of the rest sum to 1.
            fold_case: answer both cases of a letter as one.
            min_confidence: in [0, 1]; a less probable best answer is "uncertain".
            ink: "auto", or "dark" or "light" where it is known which side of the picture is ink.
            raw: pictures are 28x28, white ink on black, as EMNIST has them; only scaled to [0, 1].
            transposed: pictures are stored as in EMNIST's files, rows and columns swapped.
            threads: that the network uses for a batch; None for every core.
            batch_size: pictures a batch.

        Raises:
            ModelError: there is no such model, or it is damaged.
            UsageError: an argument that makes no sense.
        """
        if ink not in _INKS:
            raise UsageError(f"--ink: expected one of {', '.join(_INKS)}. Received: {ink!r}")
        _check_range("top_k", top_k, 1, 1000)
        _check_range("batch_size", batch_size, 1, 4096)
        _check_range("threads", 1 if threads is None else threads, 1, 256)
        if not 0 <= min_confidence <= 1:
            raise UsageError(f"min_confidence: expected a number in 0..1. Received: {min_confidence!r}")
        allowed = None if charset is None else parse_charset(charset)
        self.model = bundle.find(model)
        self._runtime = Runtime(self.model.graph, threads, batch_size)
        self._view = make_view(_classes(self.model, self._runtime.class_count), allowed, fold_case)
        self._temperature = self.model.manifest.temperature if self.model.manifest else 1.0
        self.labels = self._view.labels
        self._top_k, self._min_confidence, self._batch_size = top_k, min_confidence, batch_size
        self._ink, self._raw, self._transposed = ink, raw, transposed

    def predict(self, source: Source) -> Prediction:
        """Classify one picture. A picture that cannot be read gives a prediction with status "error"."""
        return next(self.predict_many([source]))

    def predict_many(self, sources: Iterable[Source]) -> Iterator[Prediction]:
        """Classify pictures lazily, in order, a batch at a time."""
        iterator = iter(sources)
        while chunk := list(islice(iterator, self._batch_size)):
            records = [self._prepare(source) for source in chunk]
            pictures = [record.picture for record in records if record.picture is not None]
            answers = iter(self.probabilities(np.stack(pictures)) if pictures else ())
            for record in records:
                yield record if record.picture is None else self._answer(record, next(answers))

    def probabilities(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return calibrated probabilities of pictures already in EMNIST's form.

        Args:
            pictures: float32 (n, 28, 28) in [0, 1], upright, white ink on black.

        Returns:
            float32 (n, len(self.labels)), rows sum to 1.

        Raises:
            UsageError: an array of another shape or type.
        """
        if pictures.ndim != 3 or pictures.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or pictures.dtype != np.float32:
            raise UsageError(f"expected pictures float32 (n, 28, 28). Received: {pictures.dtype} {pictures.shape}")
        return self._view.apply(self._runtime.run(pictures), self._temperature)

    def _prepare(self, source: Source) -> Prediction:
        """Read and preprocess one picture; without a `picture` in the record, the record is final."""
        name = _name(source)
        try:
            decoded = _open(source)
            picture = self._picture(decoded.grey)
        except ImageError as error:
            return Prediction(name, "error", error=str(error))
        except MemoryError:
            return Prediction(name, "error", error="not enough memory to read it")
        return Prediction(name, "empty" if picture is None else "ok", note=decoded.note, picture=picture)

    def _picture(self, shade: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32] | None:
        if self._transposed:
            shade = shade.T
        if not self._raw:
            return preprocess(shade, self._ink)
        if shade.shape != (IMAGE_SIZE, IMAGE_SIZE):
            height, width = shade.shape
            raise ImageError(f"--raw expects {IMAGE_SIZE}x{IMAGE_SIZE} pixels. Received: {width}x{height}")
        return resize(shade, 1) if shade.any() else None

    def _answer(self, record: Prediction, probabilities: NDArray[np.float32]) -> Prediction:
        best = np.argsort(-probabilities, kind="stable")[: self._top_k]
        alternatives = tuple(Alternative(self.labels[i], round(float(probabilities[i]), 4)) for i in best)
        sure = alternatives[0].confidence >= self._min_confidence
        return Prediction(
            record.path,
            "ok" if sure else "uncertain",
            alternatives[0].label if sure else "",
            alternatives[0].confidence,
            alternatives,
            note=record.note,
            picture=record.picture,
        )


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not isinstance(value, int) or not least <= value <= most:
        raise UsageError(f"{name}: expected a whole number in {least}..{most}. Received: {value!r}")


def _name(source: Source) -> str:
    if isinstance(source, Found):
        return source.path
    return os.fsdecode(source) if isinstance(source, str | os.PathLike) else ""


def _open(source: Source) -> grey.Decoded:
    if isinstance(source, Found):
        if source.problem:
            raise source.problem
        source = source.path
    if isinstance(source, str | os.PathLike):
        return images.decode(images.read_bytes(os.fsdecode(source)))
    if isinstance(source, bytes):
        return images.decode(source)
    if isinstance(source, Image.Image):
        return grey.from_image(source)
    return grey.from_array(np.asarray(source))


def _classes(model: bundle.Bundle, count: int) -> tuple[str, ...]:
    """Name a network's outputs: by its manifest, else by how many there are."""
    if model.manifest:
        if len(model.manifest.classes) != count:
            raise ModelError(
                f"{model.graph.parent}: the manifest names {len(model.manifest.classes)} classes, "
                f"the network has {count}; this bundle is damaged"
            )
        return model.manifest.classes
    split = split_of_size(count)
    if split is None:
        raise ModelError(
            f"{model.graph}: cannot name its {count} classes (62, 47, 26 and 10 are EMNIST's); "
            "put it into a bundle folder with a manifest.json"
        )
    return tuple(c.characters for c in split.classes)
