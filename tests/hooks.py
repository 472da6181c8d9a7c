"""Somebody who is told of alerts: an address on loopback that keeps what it gets."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

SECRET = "a secret of the webhook's"


class Hook:
    """Answers with `statuses`, one after the other, then with 204; each call is kept with its headers."""

    def __init__(self, statuses: Iterable[int] = ()) -> None:
        self.url = ""
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self._statuses = iter(statuses)
        self._more = asyncio.Condition()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Hook"]:
        app = web.Application()
        app.router.add_post("/hook", self._heard)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def until(self, number: int) -> list[dict[str, Any]]:
        """Waits for so many calls; what they told."""
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(lambda: len(self.calls) >= number)
        return self.told

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.calls]

    async def _heard(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        async with self._more:
            self.calls.append((headers, body))
            self._more.notify_all()
        return web.Response(status=next(self._statuses, 204))


def signed(headers: dict[str, str], body: bytes) -> bool:
    """As a receiver checks it, by the guide."""
    said = f"{headers['x-prosa-timestamp']}.".encode() + body
    expected = "v1=" + hmac.new(SECRET.encode(), said, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, headers["x-prosa-signature"])
