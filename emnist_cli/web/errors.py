"""The error that the server answers a request with: a status code and one line. Used by every module of the API."""

from collections.abc import Mapping

from starlette.responses import JSONResponse


class RequestError(Exception):
    """A request that is answered with an error.

    Attributes:
        status: HTTP status code.
        headers: of the answer.
        content: what the answer says besides `error`.
    """

    def __init__(self, status: int, text: str, retry_after: int | None = None, **content: object) -> None:
        """Say in `text` what is wrong; `retry_after` is in seconds."""
        super().__init__(text)
        self.status, self.content = status, content
        self.headers: Mapping[str, str] = {} if retry_after is None else {"Retry-After": str(retry_after)}

    def response(self) -> JSONResponse:
        """Return the answer: {"error": one line}."""
        return JSONResponse({"error": str(self), **self.content}, self.status, self.headers)
