"""Tickets in real processes: two nodes, kills, and ends of the server."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from tests.counts import counts
from tests.engine.conftest import Serve, on
from tests.postgres import Database, ask
from tests.processes import Client, Process
from tests.provider import Provider
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from prosa.transport.identity import Identity

pytestmark = pytest.mark.slow

Node = tuple[Process, Client]
BODY = "A impressora não liga."


class Line:
    """A socket of one ticket; `frames` is what it heard."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []

    async def say(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            self.frames.append(json.loads(await self.connection.recv()))
        return self.frames[-1]

    async def until(self, *kinds: str) -> dict[str, Any]:
        while (await self.hear())["type"] not in kinds:
            pass
        return self.frames[-1]

    @property
    def text(self) -> str:
        return "".join(each.get("content", "") for each in self.frames)


def address(node: Node, ticket: str = "1") -> str:
    return node[0].url.replace("http", "ws", 1) + f"/api/websocket/chat/{ticket}"


@asynccontextmanager
async def line(node: Node, ticket: str = "1") -> AsyncIterator[Line]:
    async with connect(address(node, ticket), proxy=None) as connection:
        yield Line(connection)


async def asked(node: Node, model: str, **more: Any) -> Line:
    async with line(node) as one:
        await one.say(ticketBody=BODY, model=model, **more)
        await one.until("done", "error")
    return one


@pytest.fixture
async def nodes(database: Database, serve: Serve) -> tuple[Node, Node]:
    here, there = await asyncio.gather(*(serve(**on(database)) for _ in range(2)))
    return here, there


async def test_ten_at_once_on_two_nodes_are_one_run(
    nodes: tuple[Node, Node], provider: Provider, database: Database
) -> None:
    """So are those who ask anew at once; the answer is the same for all, and is in the cache of both."""
    for refresh in (False, True):
        heard = await asyncio.gather(
            *(
                asked(node, "words-60x10", refresh=refresh)
                for node in (*nodes, *nodes, *nodes, *nodes, *nodes)
            )
        )
        assert {one.frames[-1]["type"] for one in heard} == {"done"}
        assert len({one.text for one in heard}) == 1
        assert len(heard[0].text.split()) == 60
        assert len({one.frames[0]["runId"] for one in heard}) == 1
        assert len(provider.calls) == 1 + refresh
    for node in nodes:
        again = await asked(node, "words-60x10")
        assert again.frames[0]["response"] == heard[0].text
    for table, count in (
        ("tickets", 1),
        ("conversations", 1),
        ("runs", 2),
        ("ai_usage", 2),
        ("reservations", 0),
    ):
        assert (await ask(database.superuser, f"SELECT count(*) FROM {table}"))[0][0] == count


@pytest.mark.alone
async def test_a_ticket_of_another_node_is_joined_stopped_and_resumed(
    nodes: tuple[Node, Node], provider: Provider
) -> None:
    here, there = nodes
    async with line(here) as one, line(there) as two:
        await one.say(ticketBody=BODY, model="words-1000x20")
        for _ in range(10):
            await one.hear()
        await two.say(ticketBody=BODY)
        while len(two.text) < len(one.text):
            await two.hear()
        place = one.frames[4]
        async with line(there) as three:
            await three.say(resume=place["runId"], after=place["seq"])
            first = await three.hear()
            assert one.text.startswith(
                "".join(each["content"] for each in one.frames[:5]) + first["content"][:1]
            )
            began = time.monotonic()
            await three.say(stop=True)
            await asyncio.gather(*(each.until("done") for each in (one, two, three)))
            assert time.monotonic() - began < 5
    assert provider.calls[0].left.is_set()
    assert one.text == two.text == "".join(each["content"] for each in one.frames[:5]) + three.text
    assert (await there[1].get("/api/tickets/1"))["status"] == "unanswered"


async def test_a_node_that_is_killed_in_mid_answer(nodes: tuple[Node, Node], provider: Provider) -> None:
    """Who listens at the other hears that it was cut short; the next who asks has it answered."""
    here, there = nodes
    async with line(there) as listener:
        async with line(here) as one:
            await one.say(ticketBody=BODY, model="words-1000x20")
            for _ in range(10):
                await one.hear()
            await listener.say(ticketBody=BODY)
            await listener.hear()
            await here[0].kill()
        end = await listener.until("done", "error")
        assert (end["type"], end["code"], end["retryable"]) == ("error", "answer_incomplete", True)
        await listener.say(ticketBody=BODY, model="words-20x1")
        assert (await listener.until("done", "error"))["type"] == "done"
    assert len(provider.calls) == 2
    assert (await there[1].get("/api/tickets/1"))["status"] == "answered"
    again = await asked(there, "words-20x1")
    assert again.frames[0]["type"] == "cached"


@pytest.mark.hostile(55)
async def test_a_kill_in_mid_answer_and_a_restart(serve: Serve, provider: Provider) -> None:
    node = await serve()
    async with line(node) as one:
        await one.say(ticketBody=BODY, model="words-1000x20")
        for _ in range(30):
            await one.hear()
        run = one.frames[0]["runId"]
        await node[0].kill()
    node = await serve()
    async with line(node) as one:
        await one.say(resume=run, after=0)  # what was stored is there, and its end
        assert (await one.until("done", "error"))["code"] == "answer_incomplete"
        assert len(one.text.split()) >= 10
    assert (await node[1].get("/api/tickets/1"))["status"] == "failed"
    again = await asked(node, "words-20x1")
    assert (len(again.text.split()), again.frames[-1]["type"]) == (20, "done")
    assert len(provider.calls) == 2
    assert (await node[1].get("/api/tickets/1"))["status"] == "answered"


@pytest.mark.hostile(56)
async def test_the_server_ends_with_sockets_open(serve: Serve, provider: Provider) -> None:
    """An answer that goes on is told to its end; a new one is refused; then all are closed with 1012."""
    process, client = await serve(PROSA_DRAIN_SECONDS="10")
    node = process, client
    async with line(node, "1") as busy, line(node, "2") as quiet:
        await busy.say(ticketBody=BODY, model="words-200x20")
        await busy.hear()
        process.signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            while True:
                await quiet.say(ticketBody=BODY, model="words-5x1", refresh=True)
                if (await quiet.until("done", "error")).get("code") == "shutting_down":
                    break
        assert quiet.frames[-1]["retryable"]
        assert (await busy.until("done", "error"))["type"] == "done"
        assert len(busy.text.split()) == 200
        for each in (busy, quiet):
            with suppress(ConnectionClosed):
                await each.hear()
            assert each.connection.close_code == 1012
    assert await process.ended(12) == 0
    assert "Traceback" not in process.logged


@pytest.mark.hostile(53)
async def test_who_leaves_is_billed_once_and_the_answer_is_kept(serve: Serve, provider: Provider) -> None:
    node = await serve()
    words = 40
    for heard in (0, 1, words // 2, words):
        async with line(node, str(heard)) as one:
            await one.say(ticketBody=BODY, model=f"words-{words}x5")
            while one.text.count(" ") < heard:
                await one.hear()
            if not heard:  # as soon as it was asked
                await provider.called(f"words-{words}x5")
            one.connection.transport.abort()
        async with asyncio.timeout(10):
            while (found := await node[1].get(f"/api/tickets/{heard}"))["status"] == "answering":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (found["status"], len(found["answer"].split())) == ("answered", words)
    assert len(provider.calls) == 4
    assert node[0].rows("SELECT count(*), count(DISTINCT run_id), min(completion_tokens) FROM ai_usage") == [
        (4, 4, words)
    ]
    assert node[0].rows("SELECT count(*) FROM reservations") == [(0,)]


async def ready(node: Node) -> Node:
    """Once it has answered: it listens before it has loaded all that it takes."""
    await node[1].get("/health")
    return node


SECRET = "a-secret-of-more-than-thirty-two-bytes-for-tests"


@pytest.mark.alone
@pytest.mark.hostile(8)
async def test_bad_credentials_are_not_told_or_logged(serve: Serve) -> None:
    node = await ready(await serve(PROSA_JWT_SECRET=SECRET))
    canary = "canary-of-a-token"
    asked: list[dict[str, Any]] = [
        {"additional_headers": {"Authorization": f"Bearer {canary}"}},
        {"additional_headers": {"Cookie": f"prosa_session={canary}"}, "origin": node[0].url},
        {"subprotocols": ["prosa", f"bearer.{canary}"]},
    ]
    took = []
    for options in asked:
        began = time.perf_counter()
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{address(node)}?token={canary}", proxy=None, **options)
        took.append(time.perf_counter() - began)
        response = refused.value.response
        assert response.status_code == 401
        assert canary not in f"{response.body!r}{response.headers}"
    assert min(took) < 0.25
    async with connect(address(node), proxy=None) as connection:
        await connection.send(json.dumps({"type": "auth", "token": canary}))
        said = await connection.recv()
        assert json.loads(said)["code"] == "not_authenticated"
        assert canary not in str(said)
    assert canary not in node[0].logged


@pytest.mark.alone
@pytest.mark.hostile(66)
async def test_a_flood_of_sockets_that_nobody_has_named(serve: Serve) -> None:
    """They fill their places and no others; who has a token comes in beside them."""
    node = await ready(await serve(PROSA_JWT_SECRET=SECRET))
    token = Identity(SECRET, "x").sign({"sub": "ana", "exp": time.time() + 600})
    bearer = {"Authorization": f"Bearer {token}"}

    async def comes_in() -> float:
        began = time.perf_counter()
        async with connect(
            address(node), proxy=None, additional_headers=bearer, open_timeout=30
        ) as connection:
            await connection.send(json.dumps({"history": True}))
            assert json.loads(await connection.recv())["type"] == "history"
        return time.perf_counter() - began

    async def flood() -> int:
        try:
            async with connect(address(node), proxy=None, open_timeout=30) as connection:
                with suppress(ConnectionClosed):
                    while True:
                        await connection.recv()
                return connection.close_code or 0
        except InvalidStatus as refused:
            return refused.response.status_code

    quiet = [await comes_in() for _ in range(10)]
    floods = [asyncio.create_task(flood()) for _ in range(counts(1000, 400))]
    busy = [await comes_in() for _ in range(20)]
    codes = await asyncio.gather(*floods)
    assert set(codes) <= {429, 4401}
    assert codes.count(4401) >= 256
    print(f"\nA socket and its first answer: {max(quiet) * 1000:.0f} ms at most, ", end="")
    print(f"{sorted(busy)[-2] * 1000:.0f} ms within a flood of {len(codes)}")
    assert (await node[1].session.get(node[0].url + "/health")).status == 200
