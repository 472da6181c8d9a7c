"""A caller's requests begin one after the other, so that nobody waits behind a thousand of another's."""

import asyncio
from collections import deque
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class Turns:
    """One request of each caller begins in a round of the event loop, and in the same round everybody else
    is served. `whose` tells callers apart."""

    def __init__(self, app: ASGIApp, whose: Callable[[Scope], str]) -> None:
        self._app = app
        self._whose = whose
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whose = self._whose(scope)
        line = self._lines.get(whose)
        if line is None:
            self._lines[whose] = deque()
            self._soon(whose)
        else:
            turn = asyncio.get_running_loop().create_future()
            line.append(turn)
            await turn
        await self._app(scope, receive, send)

    def _soon(self, whose: str) -> None:
        asyncio.get_running_loop().call_soon(self._next, whose)

    def _next(self, whose: str) -> None:
        line = self._lines[whose]
        if not line:
            del self._lines[whose]
            return
        turn = line.popleft()
        if not turn.done():  # it is where who waited was cancelled
            turn.set_result(None)
        self._soon(whose)
