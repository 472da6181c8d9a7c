"""What a turn asks of the store: as few statements on SQLite, as few round trips to Postgres, as can be."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.sqlite import furnish
from tests.stores import ANA, BOOT, Ears, append, begin, conversation, ending, turn

from prosa.adapters.store.repositories.conversations import LOCK
from prosa.adapters.store.sqlite.store import SqliteStore
from prosa.adapters.store.statement import Statement
from prosa.domain.ids import new_id
from prosa.domain.limits import Limits
from prosa.domain.rates import Count, Slot
from prosa.ports.store import Store

STATEMENTS = 17
"""Of a turn within a limit and with a key, in a conversation that has begun, with one entry in the ledger and one
row of the journal; one of them is the test's own look at the run."""

TRIPS = 8 + 3
"""To Postgres and back: those of the same turn, and those of the look."""

DAILY = Limits(tokens_per_day=1_000_000)


async def test_a_turn_takes_so_many_statements_on_sqlite(tmp_path: Path) -> None:
    asked = Counter[Statement]()
    furnish(tmp_path / "prosa.db")
    store = SqliteStore(tmp_path / "prosa.db", observe=lambda statement, _: asked.update([statement]))
    await store.open(Ears())
    try:
        await _second_turn(store, asked)
    finally:
        await store.close()
    del asked[LOCK]  # of which SQLite, with its one writer, is not asked
    assert asked.total() <= STATEMENTS, [statement.sqlite.sql for statement in asked]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Round trips to Postgres, by what was said."""
    from asyncpg import Connection

    counted = Counter[str]()
    for name in ("execute", "executemany", "fetch"):
        monkeypatch.setattr(Connection, name, _counting(getattr(Connection, name), counted))
    return counted


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_a_turn_takes_so_many_round_trips_to_postgres(store: Store, taken: Counter[str]) -> None:
    await _second_turn(store, taken)
    assert taken.total() <= TRIPS, taken


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_many_ends_take_as_many_round_trips_as_one(store: Store, taken: Counter[str]) -> None:
    for number in (1, 7):
        runs = []
        for _ in range(number):
            chat, _ = await store.of(ANA).conversations.create(conversation())
            runs.append((await begin(store, chat)).run)
        taken.clear()
        ended = await store.engine.commit(
            BOOT, [append(run, 1, b"{}") for run in runs], [ending(run) for run in runs]
        )
        assert ended == {run.id for run in runs}
        assert taken.total() == 4, taken


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_a_request_is_counted_in_one_round_trip(store: Store, taken: Counter[str]) -> None:
    for refused in (None, 0):
        taken.clear()
        assert (await store.rates.take((Count("ana", 1),), Slot(1_000, 0.5))).refused == refused
        assert taken.total() == 1, taken


def _counting(call: Callable[..., Awaitable[Any]], taken: Counter[str]) -> Callable[..., Awaitable[Any]]:
    async def counting(connection: Any, sql: str, *values: Any) -> Any:
        taken[sql] += 1
        return await call(connection, sql, *values)

    return counting


async def _second_turn(store: Store, counted: Counter[Any]) -> None:
    chat, _ = await store.of(ANA).conversations.create(conversation())
    for said in ("one", "two"):
        counted.clear()
        question, answer = new_id(), new_id()
        await turn(
            store,
            chat,
            said,
            limits=DAILY,
            user_message_id=question,
            message_id=answer,
            key=said,
            body_hash="x",
        )
