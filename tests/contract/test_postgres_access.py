"""Two nodes on one Postgres: what one decides about who may call, the other heeds within moments."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, literal, select
from tests.postgres import Database, ask
from tests.wire.house import SECRET, House, furnished
from tests.wire.sockets import line

from prosa.adapters.store.postgres.store import PostgresStore
from prosa.adapters.store.statement import Ask, Plan, Statement
from prosa.domain.principal import ADMIN, Principal
from prosa.services.access.access import NewApiKey

OPERATOR = Principal("op", roles=frozenset({ADMIN}))
LIMIT = 5.0
"""Seconds within which nobody who was shut out is still there."""

_SLEEP = Statement(select(literal(1)).where(func.pg_sleep(30).is_not(None)))


@pytest.fixture
async def nodes(database: Database, tmp_path: Path) -> AsyncIterator[tuple[House, House]]:
    settings = {
        "database_url": database.app, "database_engine_url": database.engine, "jwt_secret": SECRET,
        "secret_key": "of-all-nodes-and-longer-than-thirty-two-bytes", "files_dir": tmp_path / "files",
    }  # fmt: skip
    async with (
        furnished(tmp_path, **settings) as here,
        furnished(tmp_path, **settings) as there,
        there.listening(),
    ):
        yield here, there


async def _suspended(here: House, _: str) -> None:
    await here.chat.access.suspend("user", "ana", OPERATOR)


async def _client_suspended(here: House, _: str) -> None:
    await here.chat.access.suspend("client", "acme", OPERATOR)


async def _revoked(here: House, key_id: str) -> None:
    await here.chat.access.revoke(key_id, None, OPERATOR)


@pytest.mark.hostile(9)
@pytest.mark.parametrize(
    ("shut", "status"),
    [(_suspended, 403), (_client_suspended, 403), (_revoked, 401)],
    ids=["user", "client", "key"],
)
async def test_streams_and_sockets_of_another_node_are_closed(
    nodes: tuple[House, House], shut: Callable[[House, str], Awaitable[None]], status: int
) -> None:
    here, there = nodes
    key = await here.chat.access.add(NewApiKey("ana", "acme", "k", ("chat",), None), OPERATOR)
    headers = {"Authorization": f"Bearer {key.text}"}
    async with there.client(**headers) as client:
        conversation = (await client.post("/api/conversations", json={})).json()["id"]
        path = f"/api/conversations/{conversation}/events"
        async with (
            line(there, f"/api/websocket/conversations/{conversation}", headers=headers) as socket,
            client.stream("GET", path) as stream,
        ):
            lines = stream.aiter_lines()
            await anext(lines)
            await socket.hear()
            began = time.monotonic()
            await shut(here, key.key.id)
            with pytest.raises(httpx2.RemoteProtocolError):
                async for _ in lines:
                    pass
            _, code = await socket.end()
            assert (code, time.monotonic() - began < LIMIT) == (4_000 + status, True)
        assert (await client.get("/api/session")).status_code == status


@pytest.mark.hostile(9)
async def test_a_key_that_is_revoked_while_it_is_checked(
    nodes: tuple[House, House], monkeypatch: Any
) -> None:
    from prosa.services.access import secrets

    here, there = nodes
    key = await here.chat.access.add(NewApiKey("ana", "", "k", ("chat",), None), OPERATOR)
    begun, gate = asyncio.Event(), asyncio.Event()
    real = secrets.Secrets.fits

    async def slow(self: Any, hashed: str, secret: str) -> bool:
        begun.set()
        await gate.wait()
        return await real(self, hashed, secret)

    monkeypatch.setattr(secrets.Secrets, "fits", slow)
    async with there.client(Authorization=f"Bearer {key.text}") as client:
        asking = asyncio.create_task(client.get("/api/session"))
        await begun.wait()
        await here.chat.access.revoke(key.key.id, None, OPERATOR)
        heard = there.chat.access.checks._credentials[key.key.id]
        async with asyncio.timeout(LIMIT):
            while heard.good:  # noqa: ASYNC110 - a notice of Postgres has no event of its own
                await asyncio.sleep(0.01)
        gate.set()
        assert (await asking).status_code == 401


@pytest.mark.hostile(9)
async def test_what_was_missed_is_caught_up_with(nodes: tuple[House, House], database: Database) -> None:
    """A node whose listener was cut off hears of it with `lost`."""
    here, there = nodes
    token = {"Authorization": f"Bearer {here.token('ana')}"}
    assert (await there.get("/api/session", headers=token)).status_code == 200
    listener = there.chat.store._listener  # type: ignore[attr-defined]
    listener._connection.terminate()
    await here.chat.access.suspend("user", "ana", OPERATOR)
    async with asyncio.timeout(LIMIT):
        while (await there.get("/api/session", headers=token)).status_code != 403:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


@pytest.mark.hostile(9)
async def test_no_long_look_of_operators_keeps_those_waiting_who_come_with_keys(database: Database) -> None:
    store = PostgresStore(database.app, database.engine)
    await store.open(lambda _kind, _ids: None)
    looking = [asyncio.create_task(_looking(store)) for _ in range(4)]
    try:
        await until_looked(database)
        async with asyncio.timeout(LIMIT):
            assert await store.access.suspensions() == []
    finally:
        await store.close()
        await asyncio.gather(*looking, return_exceptions=True)


async def _looking(store: PostgresStore) -> None:
    def plan() -> Plan[None]:
        yield Ask(_SLEEP)

    await store.operator(OPERATOR).audit._session.read(plan)


async def until_looked(database: Database) -> None:
    """Waits until as many look as can."""
    async with asyncio.timeout(LIMIT):
        while True:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
            if (await ask(database.superuser, asked))[0][0] >= 2:
                return
            await asyncio.sleep(0.02)
