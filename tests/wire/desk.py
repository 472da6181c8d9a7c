"""A desk in a test: sockets of tickets, what is asked at them, and what is heard."""

import asyncio
from typing import Any
from urllib.parse import quote

from tests.wire.house import House
from tests.wire.sockets import Line, line

CACHED = "Resposta em cache - ticket já foi processado anteriormente"
PATH = "/api/websocket/chat/"
BODY = "A impressora não liga."
ENDS = ("done", "error")


def text(frames: list[dict[str, Any]]) -> str:
    return "".join(frame["content"] for frame in frames if frame["type"] == "stream")


async def ask(one: Line, body: str = BODY, **more: Any) -> list[dict[str, Any]]:
    await one.say(ticketBody=body, **more)
    return await one.until(*ENDS)


async def asked(house: House, ticket: str, body: str = BODY, **more: Any) -> list[dict[str, Any]]:
    """What a socket hears that asks and leaves."""
    async with line(house, PATH + quote(ticket, safe="")) as one:
        return await ask(one, body, **more)


async def begun(house: House, one: Line, **more: Any) -> dict[str, Any]:
    """The first frame of an answer that a gate holds up."""
    await one.say(ticketBody=BODY, **more)
    return await one.hear()


async def called(house: House, times: int) -> None:
    """Waits until the model was asked as often."""
    async with asyncio.timeout(10):
        while len(house.calls) < times:  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0.005)


async def ticket(house: House, name: str = "1") -> dict[str, Any]:
    return (await house.get(f"/api/tickets/{quote(name, safe='')}")).json()
