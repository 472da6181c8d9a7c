"""What is the operator's, on both databases: the audit log is one chain, and no user's role reaches any of it."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.contract.conftest import Place, postgres_place
from tests.postgres import Database, ask
from tests.stores import ANA, BIA, NOON, Ears, sqlite_store

from prosa.adapters.store.operator import OperatorRecords
from prosa.adapters.store.repositories.audit import PIECE
from prosa.adapters.store.repositories.watched import Watched
from prosa.adapters.store.statement import Ask, Plan, Statement
from prosa.adapters.store.tables import OPERATORS, provider_keys
from prosa.domain.audit import Deed, Head, Link, Wanted, chained, deed
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store

ROOT = Principal("root", "house", roles=frozenset({"admin"}))
TAMPERED = (
    "UPDATE audit_log SET actor = 'bia' WHERE id = 3",
    "UPDATE audit_log SET details = '{}' WHERE id = 3",
    "UPDATE audit_log SET details = 'nonsense' WHERE id = 3",
    "DELETE FROM audit_log WHERE id = 3",
    "DELETE FROM audit_log WHERE id = 1",
    "DELETE FROM audit_log WHERE id = 5",
    "DELETE FROM audit_log WHERE id > 2",
    "DELETE FROM audit_log",
    """UPDATE audit_log SET id = CASE id WHEN 2 THEN 103 ELSE 102 END WHERE id IN (2, 3);
    UPDATE audit_log SET id = id - 100 WHERE id > 100""",
    """INSERT INTO audit_log SELECT 6, at, actor, client_id, action, target, details, hash, hash FROM audit_log
    WHERE id = 5""",
    "DELETE FROM audit_head",
)


async def put(store: Store, *targets: str) -> list[Link]:
    log = store.operator(ROOT).audit
    return [await log.add(deed(ROOT, "done", target, {"n": 1}), NOON) for target in targets]


async def test_links_follow_each_other(store: Store) -> None:
    one, two = await put(store, "run:1", "run:2")
    assert one == chained(Deed("root", "house", "done", "run:1", {"n": 1}), NOON, Head())
    assert two == chained(Deed("root", "house", "done", "run:2", {"n": 1}), NOON, Head(1, one.hash))
    log = store.operator(ANA).audit
    assert await log.page(Wanted(), 10, None) == [two, one]
    found = await log.verify()
    assert (found.intact, found.rows, found.broken_at, found.head) == (True, 2, None, Head(2, two.hash))


async def test_an_empty_log_is_whole(store: Store) -> None:
    found = await store.operator(ANA).audit.verify()
    assert (found.intact, found.rows, found.broken_at) == (True, 0, None)


async def test_what_the_callers_said_is_bounded_and_comes_back(store: Store) -> None:
    endless = Principal("\ud800" * 9_000, "\0" * 9_000)
    details: dict[str, Any] = {f"n{n}" * 999: "\0\ud800é💥" * 9_000 for n in range(99)}
    link = await store.operator(ROOT).audit.add(
        deed(endless, "a" * 999, "'; DROP TABLE--\0" * 999, details), NOON
    )
    assert await store.operator(ROOT).audit.page(Wanted(), 1, None) == [link]
    assert len(repr(link)) < 10_000
    assert (await store.operator(ROOT).audit.verify()).intact


async def test_a_page_of_some(store: Store) -> None:
    log = store.operator(ROOT).audit
    for second, (who, what) in enumerate([(ANA, "login"), (BIA, "login"), (ANA, "export"), (ANA, "login")]):
        await log.add(deed(who, what, "", {}), Instant(NOON + second * SECOND))

    async def ids(before: int | None = None, most: int = 10, **wanted: Any) -> list[int]:
        return [link.id for link in await log.page(Wanted(**wanted), most, before)]

    assert await ids(actor="ana") == [4, 3, 1]
    assert await ids(actor="ana", action="login") == [4, 1]
    assert await ids(action="login", most=2) == [4, 2]
    assert await ids(action="login", most=2, before=2) == [1]
    assert await ids(since=Instant(NOON + SECOND), until=Instant(NOON + 3 * SECOND)) == [3, 2]
    assert await ids(actor="nobody") == []


async def test_writers_at_once_make_one_chain(store: Store) -> None:
    await asyncio.gather(*(put(store, f"run:{n}") for n in range(60)))
    links = await store.operator(ROOT).audit.page(Wanted(), 100, None)
    assert [link.id for link in links] == list(range(60, 0, -1))
    assert {link.deed.target for link in links} == {f"run:{n}" for n in range(60)}
    assert (await store.operator(ROOT).audit.verify()).intact


async def test_nodes_at_once_make_one_chain(database: Database) -> None:
    nodes = [postgres_place(database)() for _ in range(3)]
    for node in nodes:
        await node.open(Ears())
    try:
        await asyncio.gather(*(put(node, f"run:{n}") for n in range(20) for node in nodes))
        found = await nodes[0].operator(ROOT).audit.verify()
        assert (found.intact, found.rows) == (True, 60)
    finally:
        await asyncio.gather(*(node.close() for node in nodes))


@pytest.mark.parametrize("sql", TAMPERED, ids=range(len(TAMPERED)))
async def test_tampering_is_found(
    place: Place, sql: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = place()
    await store.open(Ears())
    try:
        await put(store, *"abcde")
        before = await store.operator(ROOT).audit.verify()
        await tamper(request, tmp_path, sql)
        found = await store.operator(ROOT).audit.verify()
        assert (before.intact, found.intact) == (True, False)
        await put(store, "later")  # the log goes on, and what is broken stays found
        assert not (await store.operator(ROOT).audit.verify()).intact
    finally:
        await store.close()


async def tamper(request: pytest.FixtureRequest, folder: Path, sql: str) -> None:
    """As one who has the whole database."""
    if "postgres" in request.node.name:
        database: Database = request.getfixturevalue("database")
        alone = "SET session_replication_role = replica; ALTER TABLE audit_log DROP CONSTRAINT pk_audit_log; "
        again = "ALTER TABLE audit_log ADD CONSTRAINT pk_audit_log PRIMARY KEY (id)"
        await asyncio.to_thread(database.server.sql, alone + sql, database.name)
        await asyncio.to_thread(database.server.sql, again, database.name)
        return
    connection = sqlite3.connect(folder / "prosa.db")
    with connection:
        triggers = connection.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE 'audit_%' AND type='trigger'"
        )
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.executescript(sql)
    connection.close()


async def test_a_chain_that_was_made_anew_does_not_pass_through_an_old_head(store: Store) -> None:
    [*_, last] = await put(store, *"abc")
    log = store.operator(ROOT).audit
    await put(store, "d")
    assert (await log.verify(Head(3, last.hash))).intact
    for strange in (Head(3, "0" * 64), Head(5, last.hash), Head(2, last.hash)):
        assert not (await log.verify(strange)).intact


@pytest.mark.parametrize(
    "sql", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "DELETE FROM audit_head"]
)
async def test_sqlite_refuses_to_change_it(tmp_path: Path, sql: str) -> None:
    store = sqlite_store(tmp_path)
    await store.open(Ears())
    await put(store, "a")
    await store.close()
    connection = sqlite3.connect(tmp_path / "prosa.db")
    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        connection.execute(sql)
    connection.close()


async def test_postgres_refuses_to_change_it(database: Database) -> None:
    import asyncpg

    store = postgres_place(database)()
    await store.open(Ears())
    await put(store, "a")
    await store.close()
    change, delete = "UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(database.engine, change)
    for url, sql in (
        (database.owner, change), (database.superuser, change), (database.engine, delete), (database.superuser, delete)
    ):  # fmt: skip
        with pytest.raises(asyncpg.RaiseError, match="append only"):
            await ask(url, sql)
    await ask(database.owner, delete)  # who sees no row
    assert await ask(database.superuser, "SELECT count(*) FROM audit_log") == [(1,)]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(database.engine, "DELETE FROM audit_head")


async def test_a_long_chain_is_walked_in_pieces(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    await store.open(Ears())
    try:
        head, rows = Head(), []
        for _ in range(PIECE * 3 + 1):
            link = chained(deed(ROOT, "done", "run:1", {}), NOON, head)
            head = Head(link.id, link.hash)
            rows.append((link.id, NOON, "root", "house", "done", "run:1", "{}", link.previous, link.hash))
        connection = sqlite3.connect(tmp_path / "prosa.db")
        with connection:
            connection.executemany(f"INSERT INTO audit_log VALUES ({', '.join('?' * 9)})", rows)
            connection.execute(
                "INSERT INTO audit_head (id, rows, hash) VALUES (1, ?, ?)", (head.rows, head.hash)
            )
        connection.close()
        assert (await store.operator(ROOT).audit.verify()).rows == PIECE * 3 + 1
    finally:
        await store.close()


_KEYS = Statement(provider_keys.select())


def _look() -> Plan[int]:
    return len((yield Ask(_KEYS)))


def _break() -> Plan[None]:
    yield Ask(_KEYS)
    raise KeyError


def watched(store: Store) -> Watched:
    records = store.operator(ROOT)
    assert isinstance(records, OperatorRecords)
    return records._watched


async def test_a_look_leaves_its_row_whatever_becomes_of_it(store: Store) -> None:
    session, log = watched(store), store.operator(ROOT).audit
    assert await session.look(session.deed("admin.keys.read", "key:1", n=2), _look) == 0
    with pytest.raises(KeyError):
        await session.look(session.deed("admin.keys.tried"), _break)
    two, one = await log.page(Wanted(), 10, None)
    assert one.deed == Deed("root", "house", "admin.keys.read", "key:1", {"n": 2})
    assert two.deed.action == "admin.keys.tried"


async def test_a_change_and_its_row_are_one(store: Store) -> None:
    session, log = watched(store), store.operator(ROOT).audit
    with pytest.raises(KeyError):
        await session.change(session.deed("broken"), _break)
    assert await log.page(Wanted(), 10, None) == []
    assert await session.change(session.deed("changed"), _look) == 0
    assert [link.deed.action for link in await log.page(Wanted(), 10, None)] == ["changed"]
    assert (await log.verify()).intact


@pytest.mark.hostile(15)
@pytest.mark.parametrize("table", OPERATORS, ids=str)
async def test_the_application_has_no_right_to_them(database: Database, table: Any) -> None:
    import asyncpg

    name, column = table.name, next(iter(table.columns)).name
    for sql in (
        f"SELECT * FROM {name}",
        f"UPDATE {name} SET {column} = {column}",
        f"DELETE FROM {name}",
        f"INSERT INTO {name} SELECT * FROM {name}",
    ):
        for principal in ("", "ana", "operator"):
            who = f"WITH who AS (SELECT set_config('prosa.user_id', '{principal}', false))"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await ask(database.app, f"{who} {sql}")
    forced = await ask(
        database.superuser,
        "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = $1",
        name,
    )
    assert [row[0] for row in forced] == [True]
    policies = await ask(database.superuser, "SELECT roles FROM pg_policies WHERE tablename = $1", name)
    assert {tuple(row[0]) for row in policies} == {("prosa_engine",)}


def test_no_view_of_a_principal_reaches_them(place: Place) -> None:
    store = place()
    for principal in (ANA, BIA):
        for name in ("keys", "audit", "operator"):
            assert not hasattr(store.of(principal), name)
