"""Real servers and sockets: nodes that hear of each other, kills and drains, and peers who mean no good."""

import asyncio
import json
import random
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from tests.counts import counts
from tests.engine.conftest import Serve, on
from tests.frames import CONT, PING, TEXT, Deflate, Peer, frame, peer
from tests.postgres import Database
from tests.processes import Client, Process
from tests.provider import Provider
from tests.wire.sockets import Line
from websockets.asyncio.client import connect

pytestmark = pytest.mark.slow

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12"
MB = 1_000_000
MOST_STALLED = 5.0
"""Seconds: the tests themselves make the machine busy."""


@asynccontextmanager
async def watching(url: str, conversation: str) -> AsyncIterator[Line]:
    address = url.replace("http", "ws", 1) + path_of(conversation)
    async with connect(address, proxy=None, open_timeout=20, max_queue=None) as connection:
        yield Line(connection)


def path_of(conversation: str) -> str:
    return f"/api/websocket/conversations/{conversation}"


async def events_of(opened: Line, run: str | None = None) -> list[dict[str, Any]]:
    """The events of one run (None: of the next one told), to its end."""
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1].get("type") not in ("done", "error"):
        message = await opened.hear()
        if "seq" in message and message["runId"] == (run or message["runId"]):
            run = message["runId"]
            heard.append(message)
    assert [event["seq"] for event in heard] == list(range(heard[0]["seq"], heard[0]["seq"] + len(heard)))
    return heard


def words(heard: list[dict[str, Any]]) -> str:
    return "".join(event.get("content", "") for event in heard)


def all_words(number: int) -> str:
    return "".join(f"w{place} " for place in range(number))


@pytest.fixture
async def nodes(serve: Serve, database: Database) -> list[Client]:
    """Two nodes on one Postgres."""
    return [(await serve(**on(database)))[1] for _ in range(2)]


@pytest.mark.alone
async def test_what_happens_on_another_node(nodes: list[Client], provider: Provider) -> None:
    here, there = nodes
    one = await here.conversation("words-40x20")
    async with watching(here.url, one) as left, watching(there.url, one) as right:
        for opened in (left, right):
            assert (await opened.hear())["type"] == "conversation"
        await left.say(type="send", content="x", clientMessageId="m")
        both = await asyncio.gather(events_of(left), events_of(right))
        assert both[0] == both[1]
        assert words(both[0]) == all_words(40)
        async with here.session.patch(
            f"{here.url}/api/conversations/{one}", json={"title": "Outro"}
        ) as answer:
            assert answer.ok
        async with asyncio.timeout(2):
            told = await right.until("conversation")
            while told[-1]["conversation"]["title"] != "Outro":
                told = await right.until("conversation")
        await right.say(type="send", content="y")
        await left.until("run")
        begun = await right.until("start")
        await right.until_words(5)
        asked = time.monotonic()
        await left.say(type="stop", runId=begun[-1]["runId"])
        await asyncio.wait_for(provider.calls[1].left.wait(), 1)
        assert time.monotonic() - asked < 1
        assert (await left.until("done"))[-1]["status"] == "cancelled"
        assert (await right.until("done"))[-1]["status"] == "cancelled"
        await there.session.delete(f"{there.url}/api/conversations/{one}")
        for opened in (left, right):
            heard, code = await opened.end()
            assert (heard[-1], code) == ({"type": "deleted"}, 1000)


@pytest.mark.hostile(54)
async def test_sockets_that_are_cut_at_random_on_two_nodes(nodes: list[Client]) -> None:
    here, there = nodes
    cuts = counts(500, 20)
    while cuts > 0:
        one = await here.conversation("words-60x10")
        original = await here.send(one)
        run = original.start["runId"]

        async def tab(one: str = one, run: str = run) -> list[dict[str, Any]]:
            nonlocal cuts
            got: list[dict[str, Any]] = []
            while not got or got[-1].get("type") != "done":
                async with watching(random.choice((here.url, there.url)), one) as opened:
                    await opened.say(type="follow", runId=run, after=len(got))
                    wanted = len(got) + random.randrange(1, 25)
                    while len(got) < wanted and not (got and got[-1].get("type") == "done"):
                        message = await opened.hear()
                        if "seq" in message and message["seq"] > len(got):
                            assert message["seq"] == len(got) + 1
                            got.append(message)
                    opened.connection.transport.abort()
                cuts -= 1
            return got

        tabs = await asyncio.gather(tab(), tab())
        await original.end()
        plain = [{key: value for key, value in event.items() if key != "runId"} for event in tabs[0][1:]]
        assert tabs[0] == tabs[1]
        assert plain == original.events[1:]


@pytest.mark.hostile(55)
async def test_a_server_that_is_killed_and_comes_back(serve: Serve) -> None:
    process, client = await serve()
    one = await client.conversation("words-200x20")
    async with watching(client.url, one) as opened:
        await opened.say(type="send", content="x", clientMessageId="m")
        begun = await opened.until("start")
        heard = await opened.until_words(10)
        run = begun[-1]["runId"]
        await process.kill()
        more, code = await opened.end()
        assert code == 1006
        last = [message["seq"] for message in heard + more if "seq" in message][-1]
    _, client = await serve()
    async with watching(client.url, one) as opened:
        await opened.say(type="send", content="x", clientMessageId="m")
        told = await opened.until("run")
        while "clientMessageId" not in told[-1]:
            told += await opened.until("run")
        assert told[-1]["runId"] == run
        await opened.say(type="follow", runId=run, after=last)
        while (message := await opened.hear()).get("seq", 0) <= last:
            pass
        assert message["type"] == "gap"
        assert (await opened.hear())["status"] == "incomplete"


@pytest.mark.alone
@pytest.mark.hostile(56)
async def test_a_server_that_drains(serve: Serve) -> None:
    process, client = await serve(PROSA_DRAIN_SECONDS="8")
    one = await client.conversation("words-50x20")
    idle = await client.conversation("words-1x0")
    async with AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(watching(client.url, one)) for _ in range(5)]
        quiet = [await stack.enter_async_context(watching(client.url, idle)) for _ in range(5)]
        await busy[0].say(type="send", content="x")
        await busy[0].until("start")
        feed = await client.session.get(f"{client.url}/api/conversations/{idle}/events")
        asked = time.monotonic()
        process.signal(signal.SIGTERM)
        await quiet[0].hear()
        while True:
            await quiet[0].say(type="send", content="x")
            told = await quiet[0].hear()
            if told["type"] == "error":
                break
            await quiet[0].until("done")
        assert (told["code"], told["retryable"]) == ("shutting_down", True)
        for opened in busy:
            assert words(await events_of(opened)) in all_words(50)
        for opened in (*busy, *quiet):
            assert (await opened.end())[1] == 1012
        assert await process.ended() == 0
        assert time.monotonic() - asked < 8 + 2
        with suppress(aiohttp.ClientPayloadError):
            assert b'{"type":"conversation"' in await feed.content.read()
        feed.close()
    assert "Traceback" not in process.logged
    assert "CancelledError" not in process.logged


@pytest.fixture
async def server(serve: Serve) -> tuple[Process, Client, str]:
    process, client = await serve()
    return process, client, await client.conversation("words-300x10")


async def _timed(opened: Line) -> tuple[list[dict[str, Any]], float]:
    """An answer to its end, and how long at most nothing came."""
    heard: list[dict[str, Any]] = []
    longest = 0.0
    while not heard or heard[-1].get("type") != "done":
        began = time.monotonic()
        heard.append(await opened.hear())
        longest = max(longest, time.monotonic() - began)
    return heard, longest


@asynccontextmanager
async def unharmed(server: tuple[Process, Client, str], *, most: int = 30 * MB) -> AsyncIterator[None]:
    """Meanwhile somebody else's answer comes word by word, and the server's memory stays bounded."""
    process, client, conversation = server
    async with watching(client.url, conversation) as opened:
        await opened.say(type="send", content="x")
        await opened.until("start")
        before = process.memory()
        rest = asyncio.create_task(_timed(opened))
        yield
        grown = process.memory() - before
        heard, longest = await rest
        assert words(heard) == all_words(300)
    assert grown < most, f"{grown / MB:.0f} MB more"
    assert longest < MOST_STALLED, f"nothing for {longest:.1f} s"


@asynccontextmanager
async def bad(server: tuple[Process, Client, str], *headers: str) -> AsyncIterator[Peer]:
    _, client, conversation = server
    async with peer(client.url, path_of(conversation), *headers) as one:
        assert one.status == 101
        yield one


@pytest.mark.alone
@pytest.mark.hostile(24)
async def test_messages_of_50_mb(server: tuple[Process, Client, str]) -> None:
    data = b"x" * (50 * MB)
    whole = frame(TEXT, data)
    pieces = [frame(CONT, data[:65_536], fin=False)] * 763
    pieces[0] = frame(TEXT, data[:65_536], fin=False)
    async with unharmed(server):
        for written in (whole, b"".join(pieces)):
            async with bad(server) as one:
                one.write(written)
                with suppress(ConnectionError):
                    await one.writer.drain()
                assert await one.end() in (1009, None)  # who still writes may see nothing but the end


@pytest.mark.alone
@pytest.mark.hostile(24)
async def test_bombs(server: tuple[Process, Client, str]) -> None:
    packed = Deflate().pack(b" " * (50 * MB))
    async with unharmed(server):
        for _ in range(10):
            async with bad(server, DEFLATE) as one:
                assert await one.write(frame(TEXT, packed, reserved=4)).end() == 1009


@pytest.mark.alone
@pytest.mark.parametrize("payload", [b"", b"x"], ids=["nothing", "a byte"])
async def test_pieces_without_end(server: tuple[Process, Client, str], payload: bytes) -> None:
    piece = frame(CONT, payload, fin=False)
    async with unharmed(server), bad(server) as one:
        one.write(frame(TEXT, b"x", fin=False))
        with suppress(ConnectionError):
            for _ in range(150):
                one.write(piece * 10_000)
                await one.writer.drain()
        assert await one.end() in (1009, None)


@pytest.mark.alone
async def test_pings_of_one_who_does_not_read(server: tuple[Process, Client, str]) -> None:
    ping = frame(PING, b"x" * 125)
    async with unharmed(server), bad(server) as one:
        one.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(50):
            one.write(ping * 1_000)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await one.writer.drain()


@pytest.mark.hostile(58)
async def test_sockets_that_do_not_read_cost_no_memory(serve: Serve) -> None:
    process, client = await serve()
    number = 90
    long, other = await client.conversation("words-100000x0"), await client.conversation("words-50x20")
    host, port = process.url.removeprefix("http://").split(":")
    request = (
        f"GET {path_of(long)} HTTP/1.1\r\nhost: {host}\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n"
    )
    stuck = []
    for _ in range(number):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect((host, int(port)))
        reader.sendall(request.encode())
        stuck.append(reader)
        await asyncio.sleep(0)
    try:
        before = process.memory()
        stream = await client.send(long)
        live = await client.send(other)
        assert (await live.end(60))["status"] == "completed"
        assert (await stream.end(60))["status"] == "completed"
        grown = process.memory() - before
    finally:
        for reader in stuck:
            reader.close()
    assert stream.text.count(" ") == 100_000
    # As with streams: the answer is held once (about 15 MB), a socket costs its tasks and its buffers.
    assert grown < 60 * MB + number * 400_000, f"{grown / number:.0f} bytes for each socket"


@pytest.mark.alone
@pytest.mark.hostile(66)
async def test_a_flood_of_sockets_of_one_user(serve: Serve) -> None:
    _, client = await serve()
    one = await client.conversation("words-100x10")
    stream = await client.send(one)
    async with AsyncExitStack() as stack:
        codes: list[int] = []

        async def flood() -> None:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                opened = await stack.enter_async_context(peer(client.url, path_of(one)))
                if json.loads(await opened.said()).get("code") == "too_many_sockets":
                    codes.append(await opened.end() or 0)

        for _ in range(counts(4, 1)):  # who is refused is waited for, so they come in few waves
            await asyncio.gather(*(flood() for _ in range(counts(250, 300))))
        assert set(codes) == {4429}
        assert len(codes) == counts(1000, 300) - 100
        assert (await stream.end(30))["status"] == "completed"
