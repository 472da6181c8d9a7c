"""Which web pages may call: our own, those that the operator allows, and in local mode any on localhost."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prosa.domain.errors import OriginRefused
from prosa.transport.errors import Headers
from prosa.transport.identity import header
from prosa.transport.operation import Door, respond

_LOCALHOST = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_METHODS = b"GET, POST, PUT, PATCH, DELETE"
_HEADERS = b"authorization, content-type, idempotency-key, last-event-id, accept-language"
_EXPOSED = b"x-conversation-id, retry-after, content-disposition, x-total-conversations"


class Origins:
    """Refuses requests that bear a foreign `Origin`, answers preflights, and adds the CORS headers."""

    def __init__(self, app: ASGIApp, door: Door, allowed: frozenset[str], *, local: bool) -> None:
        self._app = app
        self._door = door
        self._allowed = allowed
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = header(scope, b"origin")
        if origin is None:
            await self._app(scope, receive, send)
        elif not self._may(origin, scope):
            await self._door.refuse(OriginRefused(), scope, send)
        elif scope.get("method") == "OPTIONS" and header(scope, b"access-control-request-method"):
            await respond(send, 204, [*self._cors(origin), *_preflight(scope)], b"")
        else:
            await self._app(scope, receive, self._adding(self._cors(origin), send))

    def _may(self, origin: str, scope: Scope) -> bool:
        if origin in self._allowed or (self._local and _LOCALHOST.fullmatch(origin)):
            return True
        scheme, _, rest = origin.partition("://")
        return scheme in ("http", "https") and rest == header(scope, b"host")

    def _cors(self, origin: str) -> Headers:
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", _EXPOSED),
            (b"vary", b"Origin"),
        ]

    def _adding(self, headers: Headers, send: Send) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        return with_headers


def _preflight(scope: Scope) -> Headers:
    """A page that may call may send what headers it likes: official clients have dozens of their own."""
    wanted = header(scope, b"access-control-request-headers")
    return [
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", wanted.encode("latin-1") if wanted else _HEADERS),
        (b"access-control-max-age", b"600"),
    ]
