"""What Postgres reads for a page, a turn and a search is what they show, though it knows nothing of its tables yet."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import pytest
from tests.contract.test_store_moves import planted, planting
from tests.postgres import Database, Server, ask
from tests.stores import ANA, conversation, message

from prosa.adapters.store.postgres.connection import connect, literal
from prosa.adapters.store.postgres.steps import Steps
from prosa.adapters.store.postgres.store import PostgresStore
from prosa.adapters.store.repositories.branch import branch
from prosa.adapters.store.repositories.messages import Messages
from prosa.adapters.store.repositories.search import Search
from prosa.adapters.store.repositories.stretch import Order
from prosa.adapters.store.statement import Ask, Plan, Reads, Step
from prosa.domain.conversations import Conversation, Message
from prosa.domain.search import Sought, phrases_of

LONG, PAGE = 12_000, 50
MOST = 12 * PAGE
"""Pages of tables and indexes that are looked at for a page of messages, at most."""

BEGIN = (
    f"BEGIN; SELECT set_config('prosa.user_id', {literal(ANA.user_id)}, true),"
    " set_config('prosa.client_id', '', true)"
)

P = ParamSpec("P")
T = TypeVar("T")


class Metered(Steps):
    """Has each statement explained as well, and adds up what was looked at for it."""

    __slots__ = ("looked_at",)

    def __init__(self, connection: Any, begin: str) -> None:
        super().__init__(connection, begin, {"principal": ANA.user_id})
        self.looked_at = 0

    async def _take(self, step: Step) -> Any:
        rows = await super()._take(step)
        for one in step.asks if isinstance(step, Reads) else [step]:
            if isinstance(one, Ask):
                sql = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {one.statement.postgres.sql}"
                ((told,),) = await self._connection.fetch(sql, *self._values(one))
                plan = json.loads(told)[0]["Plan"]
                self.looked_at += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return rows


class Meter:
    """A session of Ana's; `looked_at` counts since it was last set to 0."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.looked_at = 0

    async def read(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        steps = Metered(self._connection, BEGIN)
        result = await steps.run(plan(*args, **kwargs))
        self.looked_at += steps.looked_at
        return result

    write = read


@pytest.fixture
def unknown(postgres_server: Server) -> Iterator[Database]:
    """A database in which nothing has been counted, however long other tests have used theirs."""
    made = postgres_server.database().migrate()
    yield made
    made.drop()


@pytest.fixture
async def long(unknown: Database) -> tuple[Conversation, list[Message]]:
    store = PostgresStore(unknown.app, unknown.engine)
    await store.open(lambda _kind, _ids: None)
    of = conversation(ANA)
    messages: list[Message] = []
    for number in range(LONG):
        parent = messages[-1].id if messages else None
        messages.append(message(of, f"{number} and so on", parent_id=parent))
    shown = conversation(ANA, id=of.id, head_id=messages[-1].id)
    await planted(store, ANA, planting(shown, *messages))
    await store.close()
    return shown, messages


@pytest.fixture
async def meter(unknown: Database) -> AsyncIterator[Meter]:
    connection = await connect(unknown.app)
    yield Meter(connection)
    await connection.close()


async def test_a_long_conversation(long: tuple[Conversation, list[Message]], meter: Meter) -> None:
    of, messages = long
    stored = Messages(meter)
    orders: list[tuple[Order, list[Message]]] = [("asc", messages), ("desc", messages[::-1])]
    for order, expected in orders:
        place = None
        for number in range(3):
            meter.looked_at = 0
            found = await stored.stretch(of.id, None, order, PAGE, place)
            first = number * PAGE
            assert [each.id for each in found.messages] == [each.id for each in expected[first:][:PAGE]]
            assert meter.looked_at < MOST
            place = found.next
    meter.looked_at = 0
    rows = await meter.read(branch, of.id, messages[PAGE].id)
    assert [row[0] for row in rows] == [each.id for each in messages[PAGE::-1]]
    assert meter.looked_at < MOST
    meter.looked_at = 0
    hits = await Search(meter).page(Sought(phrases_of("and so on")), PAGE, None)
    assert [each.message_id for each in hits] == [each.id for each in messages[: -PAGE - 1 : -1]]
    assert meter.looked_at < MOST


async def test_a_long_import(long: tuple[Conversation, list[Message]], unknown: Database) -> None:
    """Postgres keeps the plan that it made while there was next to nothing, until it counts the table anew."""
    _, messages = long
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with asyncio.timeout(10):
        while await ask(unknown.superuser, others):  # they tell what they read as they leave
            pass
    read = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'messages'"
    assert (await ask(unknown.superuser, read))[0][0] < len(messages)
