"""`POST /predict` as small EMNIST drawing apps define it, so their pages can use this server; `api` adds the route.

They send {"image_data": "data:image/png;base64,..."} and expect {"results": [p0, p1, ...]}, probabilities in class
order.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from emnist_cli.web.errors import RequestError
from emnist_cli.web.forms import explain, from_base64
from emnist_cli.web.worker_pool import Asked, Crew, Job


class Drawing(BaseModel):
    """What such a page sends; other fields of it are left alone."""

    image_data: str = Field(description="A picture file as a data URL, or in base64.")


class Likeness(BaseModel):
    """A character and its probability."""

    label: str
    confidence: float


class Guess(BaseModel):
    """What such a page gets, and a little more."""

    results: list[float] = Field(description="A probability for each class, in class order; all 0 without ink.")
    label: str = Field(description="The most probable class; empty without ink.")
    top: list[Likeness] = Field(description="The three most probable classes, best first.")


async def guess(body: bytes, crew: Crew, labels: Sequence[str]) -> dict[str, Any]:
    """Answer such a page.

    Args:
        body: its request, whatever content type it names: some name none.
        crew: who reads the picture.
        labels: of the model, in class order.

    Raises:
        RequestError: the request has no picture, or one that cannot be read.
    """
    try:
        drawing = Drawing.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise RequestError(422, explain(error)) from None
    [record] = await crew.read([Job("", from_base64(drawing.image_data, "image_data"), Asked(top_k=len(labels)))])
    if record["status"] == "error":
        raise RequestError(422, record["error"])
    found = {item["label"]: item["confidence"] for item in record["alternatives"]}
    return {
        "results": [found.get(label, 0.0) for label in labels],
        "label": record["label"],
        "top": record["alternatives"][:3],
    }
