"""Worker processes that recognize images for the server, so that no image can crash or block it. Used by `api`.

One process answers HTTP, and these processes do the work. A decoder that crashes or hangs takes one of them with it,
and that process is replaced. The server's limits and metrics stay in one place.
"""

import asyncio
import base64
import functools
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from emnist_cli.core.bundle import Bundle
from emnist_cli.core.config import PredictConfig
from emnist_cli.core.errors import EmnistError, UsageError
from emnist_cli.core.parallel.pool import Pool
from emnist_cli.core.records import Prediction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emnist_cli.core.parallel.worker_main import Work

_CHUNK = 4  # pictures of a request that one process gets at once: others' requests come between


class RequestOptions(NamedTuple):
    """What a request wants to know of its pictures: arguments of `Recognizer.variant`, and `picture`.

    Attributes:
        picture: with each record comes what the network saw.
    """

    top_k: int = PredictConfig.top_k
    charset: str | None = None
    fold_case: bool = False
    min_confidence: float = PredictConfig.min_confidence
    ink: str = PredictConfig.ink
    picture: bool = False


class Job(NamedTuple):
    """One picture file and what is asked of it; without `data` it asks for the model's labels."""

    name: str
    data: bytes | None
    asked: RequestOptions = RequestOptions()


class Answer(NamedTuple):
    """What came of a job.

    Attributes:
        record: as `Prediction.as_dict` gives it, with `picture` if asked for.
        refused: why the question makes no sense for this model; else "".
        labels: of the model, where they were asked for.
    """

    record: dict[str, Any]
    refused: str = ""
    labels: tuple[str, ...] = ()


class WorkerPool:
    """Processes that answer jobs, from an event loop."""

    def __init__(self, model: Bundle, size: int, picture_timeout: float, max_megapixels: int) -> None:
        """Start the processes; they load the model while this one goes on.

        Args:
            model: what answers.
            size: processes.
            picture_timeout: seconds after which a picture is given up.
            max_megapixels: larger pictures are refused.
        """
        make = functools.partial(_make, model, max_megapixels)
        self._pool: Pool[Job, Answer] = Pool(make, size, picture_timeout, _give_up)
        self._started = [self._pool.submit([]) for _ in range(size)]

    def labels(self) -> tuple[str, ...]:
        """Wait for a process to be ready; return the model's answers in the order of its classes.

        Raises:
            ModelError: there is no such model, or it is damaged.
        """
        self._started[0].result()
        return self._pool.submit([Job("", None)]).result()[0].labels

    async def read(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """Return each job's record, in order.

        Raises:
            UsageError: the question makes no sense for this model.
        """
        chunks = [jobs[start : start + _CHUNK] for start in range(0, len(jobs), _CHUNK)]
        done = await asyncio.gather(*(asyncio.wrap_future(self._pool.submit(chunk)) for chunk in chunks))
        answers = [answer for answers in done for answer in answers]
        if refused := next((answer.refused for answer in answers if answer.refused), ""):
            raise UsageError(refused)
        return [answer.record for answer in answers]

    def close(self) -> None:
        """End the processes, whatever they are at."""
        self._pool.close()


def _make(model: Bundle, max_megapixels: int) -> "Work[Job, Answer]":
    """Load a model; return what answers jobs."""
    from emnist_cli.core.classify.recognizer import Recognizer
    from emnist_cli.core.imaging.decode import ignore_pillow_warnings

    recognizer = Recognizer(model, threads=1, max_megapixels=max_megapixels)
    ignore_pillow_warnings()

    @functools.lru_cache(maxsize=64)
    def variant(asked: RequestOptions) -> Recognizer:
        return recognizer.variant(**{key: value for key, value in asked._asdict().items() if key != "picture"})

    return lambda jobs: [_answer(job, recognizer, variant) for job in jobs]


def _answer(job: Job, recognizer: Any, variant: Callable[[RequestOptions], Any]) -> Answer:
    if job.data is None:
        return Answer({}, labels=recognizer.labels)
    try:
        prediction: Prediction = variant(job.asked).predict(job.data)
    except EmnistError as error:
        return Answer({}, str(error))
    record = {**prediction.as_dict(), "path": job.name}
    return Answer(record | ({"picture": data_url(prediction.picture)} if job.asked.picture else {}))


def _give_up(job: Job, reason: str) -> Answer:
    record = Prediction(job.name, "error", error=reason).as_dict()
    return Answer(record | ({"picture": None} if job.asked.picture else {}))


def data_url(picture: "NDArray[np.float32] | None") -> str | None:
    """Return a picture, float32 (h, w) in [0, 1], as a PNG in a data URL; None for none."""
    if picture is None:
        return None
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray((picture * 255 + 0.5).astype("uint8")).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
