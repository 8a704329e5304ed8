"""ASGI middleware that limits the size, time and number of requests, so one client cannot block others. Used by `app`.

The body of a request is read here completely, within a size and a time. The number of requests answered at a time is
limited first, so memory is bounded: at most `max_requests` bodies of `max_megabytes` are ever held. Nothing is
written to disk.
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emnist_cli.core.config import ServeConfig
from emnist_cli.web.errors import RequestError


class Limits:
    """Refuses bodies that are too large or too slow, and requests that are too many at a time."""

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        """Wrap `app`."""
        self._app, self._config, self._busy = app, config, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if it may."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        try:
            if self._busy >= self._config.max_requests:
                raise RequestError(
                    429, f"{self._busy} requests are being answered, which is the limit; try again", retry_after=1
                )
            self._busy += 1
            try:
                body = await self._read(scope, receive)
                await self._app(scope, _replay(body, receive), send)
            finally:
                self._busy -= 1
        except RequestError as error:
            response = error.response()
            response.headers["Connection"] = "close"  # what is still to come of the body is not waited for
            await response(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        limit = self._config.max_megabytes * 1_000_000
        length = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = RequestError(
            413, f"the request is larger than {self._config.max_megabytes} MB; send fewer pictures"
        )
        if length.isdigit() and int(length) > limit:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self._config.timeout):
                async for part in _parts(receive):
                    body += part
                    if len(body) > limit:
                        raise too_large
        except TimeoutError:
            raise RequestError(408, f"the request took longer than {self._config.timeout:g} s to arrive") from None
        return bytes(body)


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the connection was closed before the request was complete")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give a body that has been read once more, then what `receive` gives."""
    waiting = [body]

    async def again() -> Message:
        return {"type": "http.request", "body": waiting.pop(), "more_body": False} if waiting else await receive()

    return again
