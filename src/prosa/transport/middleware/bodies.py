"""How large a body may be: what says so itself is refused at once, the rest is counted."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prosa.domain.errors import InvalidRequest, TooLarge
from prosa.transport.identity import header
from prosa.transport.operation import Door

LIMIT = 2 * 1024 * 1024
LONGEST = 20
"""Digits of a length that somebody could mean."""


class Bodies:
    """`limit` bytes at most; below the paths in `larger`, as many as it says."""

    def __init__(
        self, app: ASGIApp, door: Door, limit: int = LIMIT, larger: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._door = door
        self._limit = limit
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        length = header(scope, b"content-length")
        if length is None:
            await self._counted(limit, scope, receive, send)
        elif not (length.isascii() and length.isdigit() and len(length) < LONGEST):
            await self._door.refuse(InvalidRequest("Content-Length is not a number."), scope, send)
        elif int(length) > limit:
            await self._door.refuse(TooLarge(limit), scope, send)
        else:
            await self._app(scope, receive, send)

    async def _counted(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        seen = 0

        async def counting() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise TooLarge(limit)
            return message

        await self._app(scope, counting, send)
