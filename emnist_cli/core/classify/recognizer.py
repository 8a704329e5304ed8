"""Turn images into predictions: the one path that the command line, the Python API and the server share."""

import copy
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core import bundle
from emnist_cli.core.classify.label_view import make_label_view
from emnist_cli.core.classify.options import RecognizerOptions, check_range, name_classes
from emnist_cli.core.config import IMAGE_SIZE, PredictConfig
from emnist_cli.core.errors import ImageError, UsageError
from emnist_cli.core.imaging import grayscale
from emnist_cli.core.imaging.inputs import ImageSource, decode_input, name_of_input
from emnist_cli.core.imaging.ops import resize
from emnist_cli.core.labels import parse_charset
from emnist_cli.core.preprocessing.normalize import preprocess, preprocess_many
from emnist_cli.core.records import Alternative, Prediction
from emnist_cli.core.runtimes.litert import open_runtime

GrayImage = NDArray[np.uint8] | NDArray[np.float32]
"""A gray picture as `gray` makes it."""


class Recognizer:
    """Classifies pictures of single handwritten characters.

    Safe to share between threads.

    Examples:
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
        max_megapixels: int = PredictConfig.max_megapixels,
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
            max_megapixels: picture files that have more are refused.

        Raises:
            ModelError: there is no such model, or it is damaged.
            UsageError: an argument that makes no sense.
        """
        answers = RecognizerOptions(top_k, charset, fold_case, min_confidence, ink)
        answers.check()
        check_range("batch_size", batch_size, 1, 4096)
        check_range("threads", 1 if threads is None else threads, 1, 256)
        check_range("max_megapixels", max_megapixels, 1, 1_000_000)
        self.model = bundle.find_bundle(model)
        self._runtime = open_runtime(self.model.graph, threads, batch_size)
        self._classes = name_classes(self.model, self._runtime.class_count)
        self._temperature = self.model.manifest.temperature if self.model.manifest else 1.0
        self._batch_size, self._max_megapixels = batch_size, max_megapixels
        self._raw, self._transposed = raw, transposed
        self._set(answers)

    def variant(
        self,
        *,
        top_k: int = PredictConfig.top_k,
        charset: str | None = None,
        fold_case: bool = False,
        min_confidence: float = PredictConfig.min_confidence,
        ink: str = PredictConfig.ink,
    ) -> "Recognizer":
        """Return a recognizer that answers otherwise; the network is shared, so it costs next to nothing.

        Raises:
            UsageError: an argument that makes no sense.
        """
        other = copy.copy(self)
        other._set(RecognizerOptions(top_k, charset, fold_case, min_confidence, ink))
        return other

    def _set(self, answers: RecognizerOptions) -> None:
        answers.check()
        allowed = None if answers.charset is None else parse_charset(answers.charset)
        self._view = make_label_view(self._classes, allowed, answers.fold_case)
        self.labels = self._view.labels
        self._how = answers

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
        while records := self._prepare(islice(iterator, self._batch_size)):
            pictures = [record.picture for record in records if record.picture is not None]
            answers = self._answers(self.probabilities(np.stack(pictures))) if pictures else iter(())
            for record in records:
                yield record if record.picture is None else self._finish(record, next(answers), keep_pictures)

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

    def _prepare(self, sources: Iterable[ImageSource]) -> list[Prediction]:
        """Read and preprocess pictures, each before the next is asked for; a record without a `picture` is final."""
        records: dict[int, Prediction] = {}
        small: dict[int, tuple[ImageSource, grayscale.Decoded]] = {}
        for i, source in enumerate(sources):
            decoded = decode_input(source, self._max_megapixels)
            if isinstance(decoded, ImageError):
                records[i] = Prediction(name_of_input(source), "error", error=str(decoded))
            elif decoded.gray.shape == (IMAGE_SIZE, IMAGE_SIZE):
                small[i] = source, decoded  # all at once is ten times as fast; larger ones would take too much memory
            else:
                records[i] = _record(source, decoded, self._pictures([decoded.gray])[0])
        pictures = self._pictures([decoded.gray for _, decoded in small.values()])
        for (i, (source, decoded)), picture in zip(small.items(), pictures, strict=True):
            records[i] = _record(source, decoded, picture)
        return [records[i] for i in sorted(records)]

    def look(self, shade: GrayImage) -> NDArray[np.float32] | None:
        """Return what the network sees of a gray picture, float32 (28, 28) in [0, 1]; None without ink.

        Raises:
            ImageError: it cannot be preprocessed.
        """
        picture = self._pictures([shade])[0]
        if isinstance(picture, ImageError):
            raise picture
        return picture

    def _pictures(self, shades: list[GrayImage]) -> list[NDArray[np.float32] | ImageError | None]:
        """Bring pictures into EMNIST's form; what fails on one of them must not cost the others."""
        if self._transposed:
            shades = [shade.T for shade in shades]
        if self._raw:
            return [_as_it_is(shade) for shade in shades]
        try:
            return [*preprocess_many(shades, self._how.ink)]
        except Exception:
            return [self._preprocess(shade) for shade in shades]

    def _preprocess(self, shade: GrayImage) -> NDArray[np.float32] | ImageError | None:
        try:
            return preprocess(shade, self._how.ink)
        except MemoryError:
            return ImageError("not enough memory to read it")
        except Exception as error:
            return ImageError(f"cannot be preprocessed ({type(error).__name__}: {error}); please report it")

    def _answers(self, probabilities: NDArray[np.float32]) -> Iterator[tuple[Alternative, ...]]:
        """Yield each row's best answers; all rows are sorted at once, which a few numbers each would not pay for."""
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, : self._how.top_k]
        confidences = np.take_along_axis(probabilities, best, axis=1).tolist()
        for row, values in zip(best.tolist(), confidences, strict=True):
            yield tuple(Alternative(self.labels[i], round(p, 4)) for i, p in zip(row, values, strict=True))

    def _finish(self, record: Prediction, alternatives: tuple[Alternative, ...], keep_picture: bool) -> Prediction:
        label, confidence = alternatives[0]
        sure = confidence >= self._how.min_confidence
        return Prediction(
            record.path,
            "ok" if sure else "uncertain",
            label if sure else "",
            confidence,
            alternatives,
            note=record.note,
            picture=record.picture if keep_picture else None,
        )


def _as_it_is(shade: GrayImage) -> NDArray[np.float32] | ImageError | None:
    if shade.shape != (IMAGE_SIZE, IMAGE_SIZE):
        height, width = shade.shape
        return ImageError(f"--raw expects {IMAGE_SIZE}x{IMAGE_SIZE} pixels. Received: {width}x{height}")
    return resize(shade, 1) if shade.any() else None


def _record(
    source: ImageSource, decoded: grayscale.Decoded, picture: NDArray[np.float32] | ImageError | None
) -> Prediction:
    if isinstance(picture, ImageError):
        return Prediction(name_of_input(source), "error", error=str(picture))
    return Prediction(name_of_input(source), "empty" if picture is None else "ok", note=decoded.note, picture=picture)
