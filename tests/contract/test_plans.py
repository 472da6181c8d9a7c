"""What the steps of a plan mean, on both databases."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Integer, Text, bindparam, cast, literal, null, select, union_all
from tests.contract.conftest import Pass
from tests.postgres import Database, ask
from tests.stores import ANA, LEASE, NOON, PAST, begin, entry, turn

from prosa.adapters.store.migrations.counting import COUNTING
from prosa.adapters.store.repositories.conversations import LOCK
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import (
    Ask,
    Lock,
    Plan,
    Reads,
    Row,
    Several,
    Statement,
    Together,
    insertion,
    owned,
)
from prosa.adapters.store.tables import sign_ins
from prosa.domain.conversations import Conversation
from prosa.domain.errors import ConversationNotFound, MessageNotFound
from prosa.domain.ids import new_id
from prosa.domain.limits import Bound, Limits
from prosa.domain.money import Picodollars
from prosa.domain.opening import Holding
from prosa.domain.time import Instant
from prosa.ports.store import Store

_most = bindparam("most", type_=Integer)
_numbers = union_all(
    *(select(literal(n, Integer).label("number"), literal("x").label("word")) for n in range(9))
)
_known = _numbers.subquery()
_DOWN = Statement(select(*_known.c).where(_known.c.number < _most).order_by(_known.c.number.desc()))
_UP = Statement(select(_known.c.number).where(_known.c.number < _most).order_by(_known.c.number))
_USE = insertion(sign_ins, "id", "user_id", "used_at")
_USED = Statement(select(sign_ins.c.id, sign_ins.c.used_at).where(owned(sign_ins)).order_by(sign_ins.c.id))
_SAID = Statement(select(bindparam("said", type_=Text()).label("word"), cast(null(), Text).label("none")))


def _session(store: Store) -> Session:
    session: Session = store.of(ANA).runs._session  # type: ignore[attr-defined] # no port tells of it
    return session


def _reads(*asks: Ask | None) -> Plan[Sequence[Row]]:
    return (yield Reads(*asks))


def _plain(answers: Sequence[Row]) -> list[list[tuple[Any, ...]]]:
    return [[tuple(row) for row in rows] for rows in answers]


async def test_reads_answer_each_with_its_own_rows(store: Store) -> None:
    asks = (Ask(_DOWN, most=3), Ask(_UP, most=0), None, Ask(_UP, most=5), Ask(_SAID, said="it's"))
    answers = await _session(store).read(_reads, *asks)
    assert _plain(answers) == [
        [(2, "x"), (1, "x"), (0, "x")],
        [],
        [],
        [(0,), (1,), (2,), (3,), (4,)],
        [("it's", None)],
    ]
    assert _plain(await _session(store).read(_reads, Ask(_UP, most=0))) == [[]]


async def test_several_sets_of_writes_are_all_written(store: Store) -> None:
    def writing() -> Plan[Sequence[Row]]:
        words = iter("abcdefg")
        sets = [[Ask(_USE, id=next(words), used_at=place) for place in range(size)] for size in (1, 2, 1, 3)]
        yield Several([Together(*asks) for asks in sets])
        return (yield Ask(_USED))

    rows = await _session(store).write(writing)
    assert _plain([rows]) == [[("a", 0), ("b", 0), ("c", 1), ("d", 0), ("e", 0), ("f", 1), ("g", 2)]]


async def test_a_plan_that_asks_for_nothing(store: Store) -> None:
    def nothing() -> Plan[str]:
        return "done"
        yield

    assert await _session(store).write(nothing) == "done"


async def test_a_lock_is_a_step_wherever_it_stands(store: Store, chat: Conversation) -> None:
    def locking(*, first: bool) -> Plan[tuple[Sequence[Row], Sequence[Row]]]:
        if not first:
            yield Ask(_UP, most=1)
        answer = yield Lock(LOCK, id=chat.id)
        return answer, (yield Ask(_UP, most=1))

    for first in (True, False):
        nothing, rows = await _session(store).write(locking, first=first)
        assert not nothing
        assert _plain([rows]) == [[(0,)]]


async def test_what_is_no_conversation_is_locked_in_vain(store: Store, chat: Conversation) -> None:
    with pytest.raises(ConversationNotFound):
        await begin(store, replace(chat, id=new_id()))


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_who_waited_for_a_lock_sees_what_was_done_meanwhile(
    store: Store, database: Database, chat: Conversation
) -> None:
    import asyncpg

    run = await turn(store, chat)
    other = await asyncpg.connect(database.superuser)
    try:
        async with other.transaction():
            await other.fetch("SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE", chat.id)
            waiting = asyncio.create_task(begin(store, chat, parent_id=run.message_id))
            await _blocked(database)
            await other.execute("DELETE FROM messages WHERE conversation_id = $1", chat.id)
        with pytest.raises(MessageNotFound):
            await waiting
    finally:
        await other.close()


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_who_waits_for_a_run_has_not_got_the_counters(
    store: Store, database: Database, chat: Conversation, passing: Pass
) -> None:
    """As when a slow owner puts down an end while another node takes over, and enters what was lost."""
    import asyncpg

    run, hold = (await begin(store, chat, lease_until=PAST)).run, new_id()
    bound = Bound("m", 1, Picodollars(0))
    await store.of(ANA).ledger.hold(Holding((hold,)), Limits(1_000_000), lambda _: bound, NOON)
    await store.engine.keep({hold: replace(entry(run), run_id=hold)}, NOON)
    late = await passing(61)
    other = await asyncpg.connect(database.superuser)
    try:
        async with other.transaction():
            await other.fetch("SELECT 1 FROM runs WHERE id = $1 FOR NO KEY UPDATE", run.id)
            waiting = asyncio.create_task(store.engine.claim("another", late, Instant(late + LEASE)))
            await _blocked(database)
            await other.execute("SET LOCAL lock_timeout = '200ms'")
            await other.execute("SELECT pg_advisory_xact_lock($1)", COUNTING)
        assert [each.id for each in await waiting] == [run.id]
    finally:
        await other.close()
    assert await ask(database.superuser, "SELECT 1 FROM ai_usage WHERE run_id = $1", hold)


async def _blocked(database: Database) -> None:
    """Until somebody waits for a lock in this database."""
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while not await ask(database.superuser, waits):
            pass
