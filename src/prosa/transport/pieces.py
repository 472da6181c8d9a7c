"""A reply of any length, written piece by piece for as long as its reader stays."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive, Send

from prosa.transport.errors import Headers


async def write_pieces(headers: Headers, pieces: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """An error in `pieces` is passed on: the reply then stays without its end."""
    watch = asyncio.ensure_future(_left(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for piece in pieces:
            if watch.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        watch.cancel()


async def _left(receive: Receive) -> None:
    """Ends when the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
