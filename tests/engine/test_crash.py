"""Kills at random moments: what was said stays, what went on ends, and the books balance."""

import asyncio
import random
import sqlite3
import time

import pytest
from tests.counts import counts
from tests.engine.conftest import Serve
from tests.processes import Client, Process, Stream
from tests.provider import Provider

from prosa.services.context.window import estimate

pytestmark = pytest.mark.slow

LOSS = 0.25
"""Seconds of an answer that a crash may take at most."""


@pytest.mark.alone
@pytest.mark.hostile(55)
@pytest.mark.hostile(63)
async def test_kills_at_random_moments(serve: Serve, provider: Provider) -> None:
    kills = counts(50, 5)
    process, client = await serve()
    runs, losses, recoveries = 0, [], []
    for kill in range(kills):
        conversations = [await client.conversation("words-400x20") for _ in range(3)]
        streams = [await client.send(each, f"Question {kill}") for each in conversations]
        await asyncio.sleep(random.uniform(0.0, 1.2))
        if kill % 2:
            asking = [
                asyncio.create_task(client.send(conversations[0], "x", parentId=None)) for _ in range(5)
            ]
            await asyncio.sleep(random.uniform(0, 0.03))
        else:
            asking = [asyncio.create_task(client.stop(streams[0].start["runId"]))]
            await asyncio.sleep(random.uniform(0, 0.01))
        killed = asyncio.get_running_loop().time()
        await process.kill()
        for each in await asyncio.gather(*asking, return_exceptions=True):
            if isinstance(each, Stream):
                await each.leave()
        for stream in streams:
            await stream.end()
        begun = time.monotonic()
        process, client = await serve()
        for conversation, stream in zip(conversations, streams, strict=True):
            ended = await client.until_ended(stream.start["runId"])
            recoveries.append(time.monotonic() - begun)
            assert ended["status"] in ("incomplete", "cancelled")
            losses.append(await _kept(client, conversation, stream, killed))
        messages = await client.get(f"/api/conversations/{conversations[1]}/messages")
        assert [each["content"] for each in messages["items"]][:1] == [f"Question {kill}"]
        runs = process.rows("SELECT count(*) FROM runs")[0][0]
        assert runs >= 3 * (kill + 1)
        _balanced(process, runs)
    assert max(recoveries) <= 10
    print(f"\n{kills} kills: lost at most {max(losses) * 1000:.0f} ms of text, ", end="")
    print(f"ended at most {max(recoveries):.2f} s after the restart")


async def _kept(client: Client, conversation: str, stream: Stream, killed: float) -> float:
    """Proves that nothing older than `LOSS` was lost; how old the oldest lost word was, in seconds."""
    message = await client.message(conversation, stream.start["messageId"])
    kept = message["content"]
    assert message["status"] == "incomplete"
    assert kept.startswith(stream.text_before(killed - LOSS))
    assert stream.text.startswith(kept) or kept.startswith(stream.text)
    seen = len(stream.lines)
    if stream.events[-1].get("type") == "done":  # its stop was quicker than the kill
        assert (kept, (await client.follow(stream.start["runId"], seen)).status) == (stream.text, 204)
        return 0.0
    rest = await client.follow(stream.start["runId"], seen)
    await rest.end()
    assert [event["type"] for event in rest.events[-2:]] == ["gap", "done"]
    assert rest.events[-2]["messageId"] == stream.start["messageId"]
    assert rest.ids == sorted(set(rest.ids))
    assert min(rest.ids) > seen
    if rest.text:
        assert stream.text + rest.text == kept
    lost = [
        killed - at
        for place, at in enumerate(stream.times)
        if len("".join(event.get("content", "") for event in stream.events[: place + 1])) > len(kept)
    ]
    return max(lost, default=0.0)


def _balanced(process: Process, runs: int) -> None:
    connection = sqlite3.connect(process.database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
    assert process.rows("SELECT count(*) FROM runs WHERE ended_at IS NULL") == [(0,)]
    assert process.rows("SELECT count(*) FROM messages WHERE status = 'in_progress'") == [(0,)]
    assert process.rows("SELECT count(*) FROM reservations") == [(0,)]
    assert process.rows("SELECT count(*), count(DISTINCT run_id) FROM ai_usage") == [(runs, runs)]


@pytest.mark.hostile(60)
async def test_the_same_key_after_a_crash_is_the_same_run(serve: Serve, provider: Provider) -> None:
    process, client = await serve()
    conversation = await client.conversation("words-400x20")
    stream = await client.send(conversation, clientMessageId="same")
    await stream.words(5)
    await process.kill()
    await stream.end()
    process, client = await serve()
    again = await client.send(conversation, clientMessageId="same")
    end = await again.end()
    assert again.start == stream.start
    assert (end["type"], end["status"], end["reason"]) == ("done", "incomplete", "crash")
    assert len(provider.calls) == 1  # never silently repeated
    _balanced(process, 1)


@pytest.mark.hostile(53)
async def test_an_answer_without_a_run_is_charged_for_what_it_took(serve: Serve, provider: Provider) -> None:
    """What its process had noted, by the next start at once; nothing is held any more."""
    process, client = await serve()
    model = "words-400x5"
    body = {"model": f"openai/{model}", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    noted = "SELECT tokens, json_extract(taken, '$.usage.completionTokens') FROM reservations"
    async with client.session.post(f"{client.url}/v1/chat/completions", json=body), asyncio.timeout(10):
        while not (found := process.rows(noted)) or (found[0][1] or 0) < 20:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await process.kill()
    [(held, least)] = process.rows(noted)
    said = provider.of(model)[0].said
    process, _ = await serve()
    async with asyncio.timeout(10):
        while process.rows("SELECT 1 FROM reservations"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    [(taken, prompt, estimated)] = process.rows(
        "SELECT completion_tokens, prompt_tokens, estimated FROM ai_usage"
    )
    assert least <= taken <= estimate("w000 " * said)
    assert (prompt, estimated) == (estimate("Hello"), 1)
    assert prompt + taken <= held
