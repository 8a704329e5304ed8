"""The JSON API: the server's addresses, their requests and their answers. Used by `app`.

`request_body` parses the requests, and `worker_pool` recognizes the images.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field

from emnist_cli import __version__
from emnist_cli.core.bundle import Bundle
from emnist_cli.core.config import ServeConfig
from emnist_cli.core.errors import EmnistError, UsageError
from emnist_cli.core.labels import SPLITS
from emnist_cli.web import flask_compat
from emnist_cli.web.errors import RequestError
from emnist_cli.web.flask_compat import DataUrl, Drawing, Guess, Likeness
from emnist_cli.web.metrics import CONTENT_TYPE, Metrics
from emnist_cli.web.request_body import FormBody, JsonBody, read_request
from emnist_cli.web.server_info import describe
from emnist_cli.web.worker_pool import Job, WorkerPool

Value = TypeVar("Value")


class PredictionRecord(BaseModel):
    """What one picture says, as `emnist predict --format json` gives it."""

    path: str = Field(description="Name of the file; empty for one in JSON.")
    status: Literal["ok", "uncertain", "empty", "error"]
    label: str
    confidence: float | None
    alternatives: list[Likeness]
    error: str
    picture: str | None = Field(None, description="What the network saw, as a PNG; where asked for.")


class Problem(BaseModel):
    """Why there is no answer."""

    error: str = Field(description="One line.")
    records: list[PredictionRecord] = Field([], description="Where no picture could be read: why, for each.")


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request cannot be read"},
    408: {"model": Problem, "description": "It took too long to arrive"},
    413: {"model": Problem, "description": "It is too large"},
    422: {"model": Problem, "description": "It asks for what makes no sense, or no picture of it can be read"},
    429: {"model": Problem, "description": "Too many requests at a time; Retry-After says when to try again"},
    503: {"model": Problem, "description": "The answer takes too long; Retry-After says when to try again"},
}
_UNSUPPORTED: dict[int | str, dict[str, Any]] = {415: {"model": Problem, "description": "Neither a form nor JSON"}}


def _body(kinds: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    content = {kind: {"schema": model.model_json_schema()} for kind, model in kinds.items()}
    return {"requestBody": {"required": True, "content": content}}


_EITHER: dict[str, type[BaseModel]] = {"multipart/form-data": FormBody, "application/json": JsonBody}


def make_router(
    pool: WorkerPool, model: Bundle, labels: tuple[str, ...], config: ServeConfig, metrics: Metrics
) -> APIRouter:
    """Return the API's routes."""
    router = APIRouter()
    known = describe(model, labels)

    async def soon(answer: Awaitable[Value]) -> Value:
        """Wait for an answer, within reason."""
        try:
            return await asyncio.wait_for(answer, config.timeout)
        except TimeoutError:
            text = f"no answer within {config.timeout:g} s; the pictures are too large, or the server is too busy"
            raise RequestError(503, text, retry_after=1) from None
        except UsageError as error:
            raise RequestError(422, str(error).removeprefix("--")) from None
        except EmnistError as error:
            raise RequestError(503, str(error), retry_after=5) from None

    @router.post(
        "/api/predict",
        tags=["pictures"],
        responses={200: {"model": list[PredictionRecord]}, **_PROBLEMS, **_UNSUPPORTED},
        openapi_extra=_body(_EITHER),
    )
    async def predict(request: Request) -> JSONResponse:
        """Tell which character each picture shows: a record for each, in order.

        Of several, those that cannot be read have the status "error"; where none can, the answer is a 422.
        """
        pictures, asked = await read_request(request, config)
        records = await soon(pool.read([Job(picture.name, picture.data, asked) for picture in pictures]))
        for record in records:
            metrics.pictures.labels(record["status"]).inc()
        if all(record["status"] == "error" for record in records):
            raise RequestError(422, records[0]["error"], records=records)
        return JSONResponse(records)

    @router.post(
        "/predict",
        tags=["pictures"],
        responses={200: {"model": Guess}, **_PROBLEMS},
        openapi_extra=_body({"application/json": Drawing, "text/plain": DataUrl}),
    )
    async def guess(request: Request) -> JSONResponse:
        """Answer pages of other EMNIST apps: a probability for each class, in class order."""
        answer = await soon(flask_compat.guess(await request.body(), pool, labels))
        metrics.pictures.labels("ok" if answer["label"] else "empty").inc()
        return JSONResponse(answer)

    @router.get("/api/models", tags=["models"])
    async def models() -> dict[str, Any]:
        """Describe the model that answers, and how much a request may bring."""
        limits = {"files": config.max_files, "bytes": config.max_megabytes * 990_000}  # the form itself takes some
        return {"models": [known], "limits": limits}

    @router.get("/api/labels", tags=["models"])
    async def label_table() -> dict[str, Any]:
        """Tell which class id of which split of EMNIST stands for which character."""
        return {
            "splits": [
                {**split._asdict(), "classes": [c.as_dict() for c in split.classes]} for split in SPLITS.values()
            ]
        }

    @router.get("/healthz", tags=["operation"])
    async def healthz() -> dict[str, str]:
        """Tell that the server is up."""
        return {"status": "ok", "version": __version__, "model": model.name}

    @router.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def figures() -> PlainTextResponse:
        """Give figures for Prometheus."""
        return PlainTextResponse(metrics.text(), media_type=CONTENT_TYPE)

    return router
