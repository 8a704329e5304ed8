"""`POST /predict` as small EMNIST apps have it, so that their pages can be pointed at this server. Used by `api`.

Flask apps send {"image_data": "data:image/png;base64,..."}, Gradio apps {"image": {"composite": "data:...", ...}},
others the data URL alone. The answer is {"results": [p0, p1, ...]}, probabilities in class order.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, model_validator

from emnist_cli.web.errors import RequestError
from emnist_cli.web.request_body import explain, from_base64
from emnist_cli.web.worker_pool import Job, RequestOptions, WorkerPool


class Sketch(BaseModel):
    """A drawing of Gradio's sketch pad; its other fields, background and layers, are in the composite already."""

    composite: str | None = Field(description="The drawing as a data URL, or in base64.")


class Drawing(BaseModel):
    """What such a page sends, one of the two; other fields are ignored, and so is `image` beside `image_data`."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["image_data"]}, {"required": ["image"]}]})

    image_data: str | None = Field(None, description="An image file as a data URL, or in base64.")
    image: Sketch | None = Field(None, description="A drawing of Gradio's sketch pad.")

    @model_validator(mode="before")
    @classmethod
    def _prefer_image_data(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and fields.get("image_data") is not None:
            return {"image_data": fields["image_data"]}
        return fields


class DataUrl(RootModel[str]):
    """The data URL of an image file, alone in the body."""


class Likeness(BaseModel):
    """A character and its probability."""

    label: str
    confidence: float


class Guess(BaseModel):
    """What such a page gets, and a little more."""

    results: list[float] = Field(description="A probability for each class, in class order; all 0 without ink.")
    label: str = Field(description="The most probable class; empty without ink.")
    top: list[Likeness] = Field(description="The three most probable classes, best first.")


async def guess(body: bytes, pool: WorkerPool, labels: Sequence[str]) -> dict[str, Any]:
    """Answer such a page.

    Args:
        body: its request, whatever content type it names: some name none.
        pool: recognizes the image.
        labels: of the model, in class order.

    Raises:
        RequestError: the request has no image, or one that cannot be read.
    """
    [record] = await pool.read([Job("", _image_of(body), RequestOptions(top_k=len(labels)))])
    if record["status"] == "error":
        raise RequestError(422, record["error"])
    found = {item["label"]: item["confidence"] for item in record["alternatives"]}
    return {
        "results": [found.get(label, 0.0) for label in labels],
        "label": record["label"],
        "top": record["alternatives"][:3],
    }


def _image_of(body: bytes) -> bytes:
    """Return the image file in a request's body.

    Raises:
        RequestError: there is none.
    """
    if body.lstrip().startswith(b"data:"):
        return from_base64(body.strip().decode("utf-8", "replace"), "body")
    try:
        drawing = Drawing.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise RequestError(422, explain(error)) from None
    if drawing.image_data is not None:
        return from_base64(drawing.image_data, "image_data")
    if drawing.image is None:
        raise RequestError(422, "expected image_data or image in JSON, or a data URL alone. Received: neither field")
    if drawing.image.composite is None:
        raise RequestError(422, "image.composite: expected base64 or a data URL of it. Received: null, an empty sketch")
    return from_base64(drawing.image.composite, "image.composite")
