"""Without tokens, only this machine's own names are answered: a page elsewhere can't rebind a name to us."""

from starlette.types import ASGIApp, Receive, Scope, Send

from prosa.domain.errors import HostRefused
from prosa.transport.identity import header
from prosa.transport.operation import Door

LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Hosts:
    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if hostname(header(scope, b"host") or "") in LOCAL:
            await self._app(scope, receive, send)
        else:
            await self._door.refuse(HostRefused(), scope, send)


def hostname(host: str) -> str:
    """`host` without its port."""
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdigit() else host.lower()
