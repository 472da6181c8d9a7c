"""`WS /api/websocket/chat/{ticketId}`: seed 004's frames, and what it hoped for."""

from typing import Any

import pytest
from tests.wire.house import House
from tests.wire.sockets import line

CACHED = "Resposta em cache - ticket já foi processado anteriormente"
PATH = "/api/websocket/chat/"


@pytest.fixture
async def desk(listening: House) -> House:
    return listening


def text(frames: list[dict[str, Any]]) -> str:
    return "".join(frame["content"] for frame in frames if frame["type"] == "stream")


async def asked(house: House, ticket: str, body: str = "A impressora não liga.", user: str | None = None,
                **more: Any) -> list[dict[str, Any]]:  # fmt: skip
    """What a socket hears that asks and leaves."""
    async with line(house, PATH + ticket, user) as one:
        await one.say(ticketBody=body, **more)
        return await one.until("done", "error")


async def test_an_answer_and_the_same_again_from_the_cache(desk: House) -> None:
    desk.script = ["Ligue ", "o cabo", " à tomada.\n", 'É "só" isso 👍🏽']
    frames = await asked(desk, "123")
    assert {frame["type"] for frame in frames[:-1]} == {"stream"}
    assert text(frames) == 'Ligue o cabo à tomada.\nÉ "só" isso 👍🏽'
    assert frames[-1]["type"] == "done"
    for body in ("A impressora não liga.", "outro texto"):
        assert await asked(desk, "123", body) == [
            {"type": "cached", "response": text(frames), "message": CACHED}, {"type": "done"},
        ]  # fmt: skip
    assert len(desk.calls) == 1


async def test_frames_tell_their_run_and_place(desk: House) -> None:
    desk.script = ["a", "b"]
    frames = await asked(desk, "1")
    ticket = (await desk.get("/api/tickets/1")).json()
    assert {frame["runId"] for frame in frames} == {ticket["runId"]}
    places = [frame["seq"] for frame in frames]
    assert places == sorted(set(places))
