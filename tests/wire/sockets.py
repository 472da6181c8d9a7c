"""Sockets for tests: a client of the real server, and what it hears."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.wire.house import LIMIT, House
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


class Line:
    """One socket: `say` and `hear` JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            return json.loads(await self.connection.recv())

    async def until(self, *kinds: str) -> list[dict[str, Any]]:
        """What comes, up to the first message of one of these types."""
        heard = [await self.hear()]
        while heard[-1].get("type") not in kinds:
            heard.append(await self.hear())
        return heard

    async def until_words(self, number: int) -> list[dict[str, Any]]:
        """What comes, up to so many words of an answer."""
        heard: list[dict[str, Any]] = []
        while sum(message.get("content", "").count(" ") for message in heard) < number:
            heard.append(await self.hear())
        return heard

    async def end(self) -> tuple[list[dict[str, Any]], int]:
        """What still comes, and the close code."""
        heard = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                heard.append(await self.hear())
        code = self.connection.close_code
        assert code is not None
        return heard, code


@contextlib.asynccontextmanager
async def line(house: House, path: str, user: str | None = None, **options: Any) -> AsyncIterator[Line]:
    """A socket of `user` (None: with no token), where the house listens."""
    headers = dict(options.pop("headers", {}))
    if user is not None:
        headers["Authorization"] = f"Bearer {house.token(user, **options.pop('claims', {}))}"
    address = house.base_url.replace("http", "ws", 1) + path
    if "host_said" in options:
        port = int(house.base_url.rpartition(":")[2])
        address = f"ws://{options.pop('host_said')}:{port}{path}"
        options |= {"host": "127.0.0.1", "port": port}
    async with connect(address, additional_headers=headers, proxy=None, **options) as connection:
        yield Line(connection)
