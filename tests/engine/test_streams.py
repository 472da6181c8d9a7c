"""Real servers and streams: leaving, coming back, stopping, asking twice, reading slowly."""

import asyncio
import contextlib
import json
import random
import socket
import time

import pytest
from tests.counts import counts
from tests.engine.conftest import Serve, on
from tests.processes import Client, Process
from tests.provider import Provider

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    return {} if request.param == "sqlite" else on(request.getfixturevalue("database"))


@pytest.fixture
async def server(settings: dict[str, str], serve: Serve) -> tuple[Process, Client]:
    return await serve(**settings)


def settled(process: Process, runs: int) -> None:
    """Nothing is held or goes on, and the ledger has one entry for each run."""
    assert process.rows("SELECT count(*) FROM reservations") == [(0,)]
    assert process.rows("SELECT count(*) FROM runs WHERE ended_at IS NULL") == [(0,)]
    assert process.rows("SELECT count(*), count(DISTINCT run_id) FROM ai_usage") == [(runs, runs)]


@pytest.mark.hostile(54)
async def test_two_readers_who_come_back_at_random(server: tuple[Process, Client]) -> None:
    _, client = server
    resumes = counts(200, 20)
    while resumes > 0:
        conversation = await client.conversation("words-60x10")
        original = await client.send(conversation)
        run = original.start["runId"]

        async def tab(run: str = run) -> list[bytes]:
            """Reads a while, hangs up, comes back with the last id, to the end."""
            nonlocal resumes
            got: list[bytes] = []
            while True:
                stream = await client.follow(run, len(got))
                wanted = random.randrange(1, 25)
                await stream.until(lambda s=stream, w=wanted: s.over or len(s.lines) >= w)
                await stream.leave()
                lines, ids = stream.lines, stream.ids
                whole = min(len(lines), len(ids))
                assert ids[:whole] == list(range(len(got) + 1, len(got) + whole + 1))
                got += lines[:whole]
                resumes -= 1
                if got and got[-1].startswith(b'{"type":"done"'):
                    return got

        tabs = await asyncio.gather(tab(), tab())
        await original.end()
        assert tabs[0] == tabs[1] == original.lines
        again = await client.follow(run)
        await again.end()
        assert again.lines == original.lines
        assert (await client.follow(run, len(original.lines))).status == 204
        assert original.text == "".join(f"w{place} " for place in range(60))


@pytest.mark.hostile(60)
async def test_twenty_equal_posts_at_once(server: tuple[Process, Client], provider: Provider) -> None:
    _, client = server
    conversation = await client.conversation("words-20x5")
    streams = await asyncio.gather(*(client.send(conversation, clientMessageId="same") for _ in range(20)))
    for stream in streams:
        await stream.end()
    assert {stream.status for stream in streams} == {200}
    assert len({b"\n".join(stream.lines) for stream in streams}) == 1
    assert len(provider.calls) == 1
    await client.post(
        "/api/chat/send",
        {"conversationId": conversation, "content": "Other", "clientMessageId": "same"},
        status=422,
    )


@pytest.mark.hostile(53)
@pytest.mark.parametrize("words", [0, 1, 10, 20])
async def test_who_leaves_leaves_a_run_that_goes_on(serve: Serve, provider: Provider, words: int) -> None:
    process, client = await serve()
    conversation = await client.conversation("words-20x10")
    stream = await client.send(conversation)
    await stream.words(words)
    await stream.leave()
    start = stream.start
    assert (await client.until_ended(start["runId"]))["status"] == "completed"
    message = await client.message(conversation, start["messageId"])
    assert (message["content"], message["status"]) == ("".join(f"w{n} " for n in range(20)), "completed")
    assert len(provider.calls) == 1
    assert process.rows("SELECT completion_tokens, estimated FROM ai_usage") == [(20, 0)]
    settled(process, 1)


@pytest.mark.hostile(53)
async def test_who_leaves_before_the_first_byte(serve: Serve, provider: Provider) -> None:
    process, client = await serve()
    conversation = await client.conversation("words-20x5")
    body = json.dumps({"conversationId": conversation, "content": "Hello"}).encode()
    host, port = process.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /api/chat/send HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    writer.transport.abort()
    async with asyncio.timeout(10):
        while not process.rows("SELECT 1 FROM runs WHERE ended_at IS NOT NULL"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    assert process.rows("SELECT status FROM runs") == [("completed",)]
    assert len(provider.calls) == 1
    settled(process, 1)


@pytest.mark.alone
async def test_a_stop_reaches_the_provider_within_a_second(
    server: tuple[Process, Client], provider: Provider
) -> None:
    _, client = server
    conversation = await client.conversation("words-500x20")
    stream = await client.send(conversation)
    await stream.words(5)
    begun = time.monotonic()
    stopped = await client.stop(stream.start["runId"])
    await asyncio.wait_for(provider.calls[0].left.wait(), 1)
    assert time.monotonic() - begun < 1
    assert (stopped["status"], stopped["reason"]) == ("cancelled", "stopped")
    assert (await stream.end())["status"] == "cancelled"
    message = await client.message(conversation, stream.start["messageId"])
    assert (message["content"], message["status"]) == (stream.text, "incomplete")
    assert stopped["usage"]["completionTokens"] > 0


@pytest.mark.hostile(58)
async def test_readers_who_do_not_read_cost_no_memory(serve: Serve, provider: Provider) -> None:
    process, client = await serve()
    number = counts(1_000, 100)
    conversation = await client.conversation("words-100000x0")
    other = await client.conversation("words-50x20")
    stream = await client.send(conversation)
    host, port = process.url.removeprefix("http://").split(":")
    run = stream.start["runId"]
    before = process.memory()
    stuck = []
    for place in range(number):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect((host, int(port)))
        reader.sendall(f"GET /api/chat/runs/{run}/events HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        stuck.append(reader)
        if place % 25 == 0:
            await asyncio.sleep(0)
    try:
        live = await client.send(other)
        for reader in stuck[: number // 2]:
            reader.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                reader.recv(1)
        assert (await live.end(60))["status"] == "completed"
        assert (await stream.end(60))["status"] == "completed"
        grown = process.memory() - before
    finally:
        for reader in stuck:
            reader.close()
    assert stream.text.count(" ") == 100_000
    # The answer itself is held once (about 15 MB); a reader costs its task, its frames and its buffers.
    assert grown < 60_000_000 + number * 400_000, f"{grown / number:.0f} bytes for each reader"
