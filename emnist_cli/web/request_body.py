"""Parses a request's body, a form with files or JSON, into images and options. Used by `api` and `flask_compat`."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from emnist_cli.core.config import PredictConfig, ServeConfig
from emnist_cli.core.errors import UsageError
from emnist_cli.core.labels import parse_charset
from emnist_cli.web.errors import RequestError
from emnist_cli.web.worker_pool import RequestOptions

_DATA_URL = re.compile(r"data:[\w.+/-]*(;[\w.+=-]+)*;base64,", re.ASCII)


_YES_OR_NO = ("fold_case", "picture")
_TRUTHS = {"true": True, "false": False}


class Options(BaseModel):
    """What may be asked; the defaults are those of the command line."""

    model_config = ConfigDict(extra="forbid")

    top_k: int = Field(PredictConfig.top_k, ge=1, le=1000, description="How many alternatives each record names.")
    charset: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="Allowed answers, as --charset takes them: digits, letters, 0-9A-F.",
    )
    fold_case: StrictBool = Field(False, description="Answer both cases of a letter as one.")
    min_confidence: float = Field(
        PredictConfig.min_confidence, ge=0, le=1, description='Less sure answers are "uncertain".'
    )
    ink: str = Field(
        PredictConfig.ink, pattern="^(auto|dark|light)$", description="Whether ink is darker or lighter than paper."
    )
    picture: StrictBool = Field(False, description="With each record comes `picture`, the 28x28 that the network saw.")


class JsonBody(Options):
    """A request in JSON: one `image`, or several `images`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["image"]}, {"required": ["images"]}]})

    image: str | None = Field(None, description="A picture file in base64, or a data URL.")
    images: list[str] | None = Field(None, description="Several of them.")


class FormBody(Options):
    """A request as a form: one or more `files`, and options."""

    files: list[bytes] = Field(json_schema_extra={"items": {"type": "string", "format": "binary"}}, min_length=1)


class Picture(NamedTuple):
    """A picture file as a request brought it."""

    name: str
    data: bytes


async def read_request(request: Request, config: ServeConfig) -> tuple[list[Picture], RequestOptions]:
    """Return a request's pictures and what is asked of them.

    Raises:
        RequestError: it is not such a request.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        pictures, asked = await _read_form(request, config)
    elif kind == "application/json" or not kind:
        pictures, asked = _read_json(await request.body())
    else:
        raise RequestError(
            415, f"expected multipart/form-data with files, or application/json. Received: {kind[:100]!r}"
        )
    if not 1 <= len(pictures) <= config.max_files:
        raise RequestError(422, f"expected 1 to {config.max_files} pictures a request. Received: {len(pictures)}")
    return pictures, asked


async def _read_form(request: Request, config: ServeConfig) -> tuple[list[Picture], RequestOptions]:
    limit = config.max_megabytes * 1_000_000
    parser = MultiPartParser(
        request.headers, request.stream(), max_files=config.max_files, max_fields=20, max_part_size=10_000
    )
    parser.spool_max_size = limit  # no picture goes to disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise RequestError(400, f"the form cannot be read: {error.message}") from None
    except (UnicodeDecodeError, LookupError, KeyError, ValueError) as error:
        raise RequestError(400, f"the form cannot be read: {type(error).__name__}") from None
    try:
        return await _pictures_of(form), _asked(_texts(form))
    finally:
        await form.close()


async def _pictures_of(form: FormData) -> list[Picture]:
    uploads = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
    if strangers := {name for name, _ in uploads} - {"files"}:
        raise RequestError(422, f"expected files in fields called files. Received: {sorted(strangers)[0][:100]!r}")
    return [Picture(upload.filename or "", await upload.read()) for _, upload in uploads]


def _texts(form: FormData) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            if name in found:
                raise RequestError(422, f"{name[:100]}: given twice")
            found[name] = value
    return found


def _read_json(body: bytes) -> tuple[list[Picture], RequestOptions]:
    try:
        asked = JsonBody.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise RequestError(_status(error), explain(error)) from None
    if (asked.image is None) == (asked.images is None):
        raise RequestError(422, "expected either image or images")
    texts = [asked.image] if asked.image is not None else asked.images or []
    options = asked.model_dump(exclude={"image", "images"})
    return [Picture("", from_base64(text, "image")) for text in texts], _checked(options)


def _asked(texts: Mapping[str, str]) -> RequestOptions:
    truths = {name: _TRUTHS[text] for name, text in texts.items() if name in _YES_OR_NO and text in _TRUTHS}
    try:
        return _checked(Options.model_validate({**texts, **truths}).model_dump())
    except ValidationError as error:
        raise RequestError(422, explain(error)) from None


def _checked(options: dict[str, Any]) -> RequestOptions:
    try:
        if options["charset"] is not None:
            parse_charset(options["charset"])
    except UsageError as error:
        raise RequestError(422, str(error).removeprefix("--")) from None
    return RequestOptions(**options)


def from_base64(text: str, field: str) -> bytes:
    """Return the bytes of a data URL or of bare base64.

    Args:
        text: either.
        field: of the request that it stood in.

    Raises:
        RequestError: it is neither; another URL is never fetched.
    """
    head = _DATA_URL.match(text)
    try:
        return base64.b64decode("".join(text[head.end() if head else 0 :].split()), validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(422, f"{field}: expected base64 or a data URL of it. Received: {text[:40]!r}") from None


def _status(error: ValidationError) -> int:
    return 400 if error.errors()[0]["type"] == "json_invalid" else 422


def explain(error: ValidationError) -> str:
    """Say the first thing that is wrong in one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"])) or "body"
    received = "" if first["type"] in ("missing", "json_invalid") else f". Received: {first['input']!r:.60}"
    return f"{where[:100]}: {first['msg'][:200]}{received}"
