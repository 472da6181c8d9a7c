"""The way out: SIGTERM drains, a second signal hurries, and whoever does not read holds nobody up."""

import asyncio
import json
import signal
import socket
import time

import pytest
from tests.engine.conftest import Serve
from tests.processes import Client, Process
from tests.provider import Provider

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.hostile(56)]


def quiet(process: Process) -> None:
    """The log tells of no failure, and of no task that was torn off."""
    assert "CancelledError" not in process.logged
    assert "Traceback" not in process.logged
    for line in process.logged.splitlines():
        assert not line.startswith(("ERROR", "WARNING")), process.logged
        if line.startswith("{"):
            assert json.loads(line)["level"] == "info", process.logged


async def draining(client: Client) -> None:
    """Waits until the process says that it takes no new runs."""
    async with asyncio.timeout(10):
        while True:
            async with client.session.get(client.url + "/ready") as answer:
                if answer.status == 503:
                    assert (await answer.json())["code"] == "shutting_down"
                    return


def settled(process: Process, runs: int) -> None:
    assert process.rows("SELECT count(*) FROM runs WHERE ended_at IS NULL") == [(0,)]
    assert process.rows("SELECT count(*) FROM reservations") == [(0,)]
    assert process.rows("SELECT count(*) FROM ai_usage") == [(runs,)]


async def test_running_answers_finish_or_end_and_new_ones_are_refused(
    serve: Serve, provider: Provider
) -> None:
    process, client = await serve(PROSA_DRAIN_SECONDS="3")
    short = [await client.send(await client.conversation("words-50x20")) for _ in range(10)]
    long = [await client.send(await client.conversation("words-2000x20")) for _ in range(10)]
    other = await client.conversation("words-5x0")
    begun = time.monotonic()
    process.signal(signal.SIGTERM)
    await draining(client)
    body = {"conversationId": other, "content": "Hello"}
    async with client.session.post(client.url + "/api/chat/send", json=body) as refused:
        assert refused.status == 503
        assert int(refused.headers["retry-after"]) > 0
        assert (await refused.json())["code"] == "shutting_down"
    ends = await asyncio.gather(*(stream.end() for stream in short))
    assert {(end["status"], end["reason"]) for end in ends} == {("completed", "stop")}
    assert await process.ended(10) == 0
    assert time.monotonic() - begun < 3 + 2
    ends = await asyncio.gather(*(stream.end() for stream in long))
    assert {(end["status"], end["reason"]) for end in ends} == {("incomplete", "shutdown")}
    stored = dict(process.rows("SELECT id, content FROM messages WHERE role = 'assistant'"))
    assert all(stored[stream.start["messageId"]] == stream.text for stream in (*short, *long))
    settled(process, 20)
    quiet(process)


async def test_nothing_to_wait_for(serve: Serve) -> None:
    process, client = await serve()
    await client.get("/api/conversations")
    begun = time.monotonic()
    process.signal(signal.SIGTERM)
    assert await process.ended(10) == 0
    assert time.monotonic() - begun < 2
    quiet(process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_cuts_it_short(serve: Serve, number: int) -> None:
    process, client = await serve(PROSA_DRAIN_SECONDS="60")
    streams = [await client.send(await client.conversation("words-2000x20")) for _ in range(5)]
    process.signal(number)
    await draining(client)
    assert (await client.run(streams[0].start["runId"]))["status"] == "in_progress"
    begun = time.monotonic()
    process.signal(number)
    assert await process.ended(10) == 0
    assert time.monotonic() - begun < 5  # and not 60: most of it is the interpreter's end on a busy machine
    ends = await asyncio.gather(*(stream.end() for stream in streams))
    assert {(end["status"], end["reason"]) for end in ends} == {("incomplete", "shutdown")}
    settled(process, 5)
    quiet(process)


async def test_readers_who_do_not_read_hold_nobody_up(serve: Serve) -> None:
    process, client = await serve(PROSA_DRAIN_SECONDS="1")
    stream = await client.send(await client.conversation("words-60000x0"))
    run = stream.start["runId"]
    host, port = process.url.removeprefix("http://").split(":")
    stuck = []
    for _ in range(5):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect((host, int(port)))
        reader.sendall(f"GET /api/chat/runs/{run}/events HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        stuck.append(reader)
    try:
        await stream.end()
        begun = time.monotonic()
        process.signal(signal.SIGTERM)
        assert await process.ended(10) == 0
        assert time.monotonic() - begun < 1 + 2
    finally:
        for reader in stuck:
            reader.close()
    assert "Traceback" not in process.logged
    settled(process, 1)
