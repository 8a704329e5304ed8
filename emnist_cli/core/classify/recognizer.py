"""Turn images into predictions: the one path that the command line, the Python API and the server share."""

import copy
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core import bundle
from emnist_cli.core.classify.classifier import Classifier
from emnist_cli.core.classify.label_view import make_label_view
from emnist_cli.core.classify.options import RecognizerOptions, check_range
from emnist_cli.core.config import PredictConfig
from emnist_cli.core.imaging.inputs import ImageSource
from emnist_cli.core.labels import parse_charset
from emnist_cli.core.preprocessing.prepare import GrayImage, ImagePreparer, PreparedImage
from emnist_cli.core.records import Alternative, Prediction


class RecognizerChanges(TypedDict, total=False):
    """What `Recognizer.variant` can change; the arguments of `Recognizer` of the same names."""

    top_k: int
    charset: str | None
    fold_case: bool
    min_confidence: float
    ink: str


class Recognizer:
    """Classifies pictures of single handwritten characters.

    Safe to share between threads.

    Examples:
        >>> from emnist_cli import Recognizer
        >>> Recognizer(charset="digits").predict("examples/pencil-7.jpg").label
        '7'
    """

    def __init__(
        self,
        model: str | Path | bundle.Bundle = bundle.DEFAULT_MODEL,
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
        max_megapixels: int = PredictConfig.max_megapixels,
        trust: bool = False,
    ) -> None:
        """Load a model.

        Args:
            model: name, bundle folder or model file; or one that `bundle.find_bundle` has found.
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
            max_megapixels: picture files that have more are refused.
            trust: run a SavedModel, whose graph can run code and write files; else it is refused.

        Raises:
            ModelError: there is no such model, it is damaged, or it is a SavedModel without `trust`.
            UsageError: an argument that makes no sense.
        """
        options = RecognizerOptions(top_k, charset, fold_case, min_confidence, ink)
        options.check()
        check_range("batch_size", batch_size, 1, 4096)
        check_range("threads", 1 if threads is None else threads, 1, 256)
        check_range("max_megapixels", max_megapixels, 1, 1_000_000)
        self._preparer = ImagePreparer(ink, raw, transposed, max_megapixels)
        self._batch_size = batch_size
        self._classifier = Classifier(model, threads=threads, batch_size=batch_size, trust=trust)
        self._set(options)

    def variant(self, **changes: Unpack[RecognizerChanges]) -> "Recognizer":
        """Return a recognizer with some options changed; the network is shared, so it costs next to nothing.

        Args:
            changes: any of `top_k`, `charset`, `fold_case`, `min_confidence` and `ink`; the others stay as they are.

        Raises:
            UsageError: an argument that makes no sense.
        """
        other = copy.copy(self)
        other._set(self._options._replace(**changes))
        return other

    def _set(self, options: RecognizerOptions) -> None:
        options.check()
        classes = self._classifier.classes
        allowed = None if options.charset is None else parse_charset(options.charset, "".join(classes))
        self._classifier = self._classifier.with_view(make_label_view(classes, allowed, options.fold_case))
        self._preparer = self._preparer._replace(ink=options.ink)
        self._options = options

    @property
    def model(self) -> bundle.Bundle:
        """The bundle in use."""
        return self._classifier.model

    @property
    def labels(self) -> tuple[str, ...]:
        """Every answer that is possible with the given charset and case folding."""
        return self._classifier.labels

    def predict(self, source: ImageSource) -> Prediction:
        """Classify one picture. A picture that cannot be read gives a prediction with status "error"."""
        return next(self.predict_many([source]))

    def predict_many(self, sources: Iterable[ImageSource], keep_pictures: bool = True) -> Iterator[Prediction]:
        """Classify pictures lazily, in order, a batch at a time, in this process.

        Args:
            sources: the pictures.
            keep_pictures: with each prediction comes its `picture`.
        """
        iterator = iter(sources)
        while prepared := self._preparer.prepare(islice(iterator, self._batch_size)):
            pixels = [image.pixels for image in prepared if image.pixels is not None]
            answers = self._answers(self.probabilities(np.stack(pixels))) if pixels else iter(())
            for image in prepared:
                yield self._finish(image, next(answers) if image.pixels is not None else (), keep_pictures)

    def probabilities(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return calibrated probabilities of pictures already in EMNIST's form.

        Args:
            pictures: float32 (n, 28, 28) in [0, 1], upright, white ink on black.

        Returns:
            float32 (n, len(self.labels)), rows sum to 1.

        Raises:
            UsageError: an array of another shape or type.
        """
        return self._classifier.probabilities(pictures)

    def look(self, shade: GrayImage) -> NDArray[np.float32] | None:
        """Return what the network sees of a grayscale image, float32 (28, 28) in [0, 1]; None without ink.

        Raises:
            ImageError: it cannot be preprocessed.
        """
        return self._preparer.look(shade)

    def _answers(self, probabilities: NDArray[np.float32]) -> Iterator[tuple[Alternative, ...]]:
        """Yield each row's best answers; all rows are sorted at once, which a few numbers each would not pay for."""
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, : self._options.top_k]
        confidences = np.take_along_axis(probabilities, best, axis=1).tolist()
        for row, values in zip(best.tolist(), confidences, strict=True):
            yield tuple(Alternative(self.labels[i], round(p, 4)) for i, p in zip(row, values, strict=True))

    def _finish(self, image: PreparedImage, alternatives: tuple[Alternative, ...], keep_pictures: bool) -> Prediction:
        if image.error:
            return Prediction(image.path, "error", error=image.error)
        if not alternatives:
            return Prediction(image.path, "empty", note=image.note)
        label, confidence = alternatives[0]
        sure = confidence >= self._options.min_confidence
        return Prediction(
            image.path,
            "ok" if sure else "uncertain",
            label if sure else "",
            confidence,
            alternatives,
            note=image.note,
            picture=image.pixels if keep_pictures else None,
        )
