"""A provider that takes one at a time: others wait in turn and are told their place, and too many are refused."""

import asyncio
from pathlib import Path

import pytest
from tests.engine.conftest import Serve
from tests.provider import Provider

SETTINGS = """
[providers.openai]
concurrency = 1
waiting = 2
waiting_each = 2
"""


@pytest.mark.hostile(66)
async def test_places_and_a_full_queue(serve: Serve, provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "prosa.toml").write_text(SETTINGS)
    process, client = await serve()
    one = await client.conversation("words-60x20")
    first = await client.send(one, "1", parentId=None)
    await first.words(1)
    waiting = [await client.send(one, str(number), parentId=None) for number in (2, 3)]
    for place, stream in enumerate(waiting, 1):
        await stream.until(lambda stream=stream: len(stream.events) >= 2)
        assert stream.events[1] == {"type": "queued", "place": place, "seq": 2}
    body = {"conversationId": one, "content": "4", "parentId": None}
    async with client.session.post(f"{client.url}/api/chat/send", json=body) as refused:
        assert (refused.status, (await refused.json())["code"]) == (429, "queue_full")
        assert int(refused.headers["Retry-After"]) >= 1
    assert process.rows("SELECT count(*) FROM runs") == [(3,)], "refused before anything was stored"
    leaver = waiting[0].start["runId"]
    assert (await client.stop(leaver))["status"] == "cancelled"
    await waiting[1].until(lambda: {"type": "queued", "place": 1, "seq": 3} in waiting[1].events)
    ends = await asyncio.gather(*(stream.end() for stream in (first, *waiting)))
    assert [end["status"] for end in ends] == ["completed", "cancelled", "completed"]
    assert len(provider.calls) == 2, "who left the queue was never asked for"
    assert process.rows("SELECT count(*), sum(total_tokens) FROM ai_usage") == [(3, 2 * 72)]
