"""Several processes on one Postgres, and a Postgres that goes away for a while."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.contract.conftest import postgres_place
from tests.postgres import Database, ask
from tests.stores import ANA, BOOT, LEASE, NOON, PAST, Ears, append, begin, conversation, ending, lapse

from prosa.domain.conversations import Conversation
from prosa.domain.errors import LimitReached, StoreUnavailable
from prosa.domain.ids import new_id
from prosa.domain.limits import NONE, Bound, Limits
from prosa.domain.money import Picodollars
from prosa.domain.opening import Begun, Holding
from prosa.domain.runs import RunStatus
from prosa.domain.time import SECOND, Instant, now
from prosa.ports.store import Store

pytest.importorskip("asyncpg")


@pytest.fixture
async def nodes(database: Database, ears: Ears) -> AsyncIterator[list[Store]]:
    place = postgres_place(database)
    made = [place(), place()]
    await made[0].open(ears)
    await made[1].open(Ears())
    yield made
    for node in made:
        await node.close()


@pytest.fixture
def store(nodes: list[Store]) -> Store:
    return nodes[0]


async def test_all_nodes_hear_of_the_journal(nodes: list[Store], chat: Conversation, ears: Ears) -> None:
    run = (await begin(nodes[1], chat)).run
    await ears.until("begun", run.id)
    ears.heard.clear()
    await nodes[1].engine.commit(BOOT, [append(run, 1, b"{}")], [])
    await ears.until("journal", run.id)
    await nodes[1].engine.commit(BOOT, [append(run, 2, b"{}")], [ending(run)])
    await nodes[0].of(ANA).runs.cancel(run.id)  # of a run that has ended nobody hears
    await nodes[1].engine.commit("another", [append(run, 3, b"{}")], [])
    await nodes[0].ping()
    assert ears.heard == [("journal", (run.id,))] * 2


async def test_all_nodes_hear_of_a_stop(nodes: list[Store], chat: Conversation, ears: Ears) -> None:
    run = (await begin(nodes[0], chat)).run
    await nodes[1].of(ANA).runs.cancel(run.id)
    await ears.until("stop", run.id)
    assert await nodes[0].engine.renew(BOOT, [run.id], NOON, NOON) == {run.id: RunStatus.CANCELLING}


@pytest.mark.parametrize("lost", [False, True])
async def test_silence_is_asked_whether_it_is_one(
    database: Database, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    """A connection may die without a word, as behind a router that forgot it: then another one listens."""
    from prosa.adapters.store.postgres import listener

    monkeypatch.setattr(listener, "HEARTBEAT", 0.01)
    asked = asyncio.Event()
    ears = Ears()
    made = listener.Listener(database.app, ears)
    await made.open()
    try:
        connection = made._connection

        async def answer(*_: object, **__: object) -> None:
            first = not asked.is_set()
            asked.set()
            if lost and first:
                raise TimeoutError

        monkeypatch.setattr(type(connection), "fetchval", answer)
        await asked.wait()
        if lost:
            await ears.until("lost")
        assert (made._connection is connection) is not lost
        await ask(database.app, "SELECT pg_notify('prosa', 'stop x')")
        await ears.until("stop", "x")
        assert ears.heard.count(("stop", ("x",))) == 1
    finally:
        await made.close()


async def test_too_many_runs_for_one_notice(nodes: list[Store], chat: Conversation, ears: Ears) -> None:
    runs = [(await begin(nodes[1], chat, parent_id=None)).run for _ in range(220)]
    await nodes[1].engine.commit(BOOT, [append(run, 1, b"{}") for run in runs], [])
    await ears.until("journal")


async def test_a_living_owner_keeps_its_runs(nodes: list[Store], chat: Conversation) -> None:
    """Whatever their clocks say: one is of the past, the other one of the future."""
    run = (await begin(nodes[0], chat)).run
    ahead = Instant(now() + 1000 * LEASE)
    assert await nodes[1].engine.claim("boot-2", ahead, Instant(ahead + LEASE)) == []
    await lapse(nodes[0], run)
    claimed = await nodes[1].engine.claim("boot-2", ahead, Instant(ahead + LEASE))
    assert [each.id for each in claimed] == [run.id]


async def test_a_run_that_waited_for_its_begin_is_not_born_expired(
    nodes: list[Store], chat: Conversation
) -> None:
    late = Instant(now() - 2 * LEASE)
    await begin(nodes[0], chat, now=late, lease_until=Instant(late + LEASE))
    assert await nodes[1].engine.claim("boot-2", now(), Instant(now() + LEASE)) == []


@pytest.mark.hostile(60)
async def test_nodes_race_for_a_key(nodes: list[Store]) -> None:
    chats = [(await nodes[0].of(ANA).conversations.create(conversation(ANA)))[0] for _ in range(20)]
    asked = (begin(nodes[i % 2], each, key="k", body_hash="h") for i, each in enumerate(chats))
    begun = await asyncio.gather(*asked)
    assert len({each.run.id for each in begun}) == 1
    made = await asyncio.gather(
        *(nodes[i % 2].of(ANA).conversations.create(conversation(ANA, external_id="x")) for i in range(20))
    )
    assert sum(created for _, created in made) == 1


@pytest.mark.hostile(62)
async def test_nodes_race_for_a_budget(nodes: list[Store]) -> None:
    chats = [(await nodes[0].of(ANA).conversations.create(conversation(ANA)))[0] for _ in range(20)]
    limits = Limits(tokens_per_day=250)
    asked = (begin(nodes[i % 2], each, tokens=100, limits=limits) for i, each in enumerate(chats))
    begun = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, Begun) for each in begun) == 2
    assert sum(isinstance(each, LimitReached) for each in begun) == 18


@pytest.mark.hostile(62)
async def test_a_node_whose_clock_is_ahead_lets_go_of_nothing(nodes: list[Store]) -> None:
    """What is held without a run is held by the clock of the database, which is one for all."""
    hold, bound = new_id(), Bound("m", 100, Picodollars(0))
    ledger = nodes[0].of(ANA).ledger
    await ledger.hold(Holding((hold,)), NONE, lambda _: bound, NOON)  # months behind
    for _ in range(2):
        ahead = Instant(now() + 3_600 * SECOND)
        await nodes[1].engine.claim("boot-2", ahead, Instant(ahead + LEASE))
        assert (await nodes[1].engine.held()).number == 1
        await nodes[0].engine.keep({hold: None}, NOON)


@pytest.mark.hostile(61)
async def test_nodes_race_for_an_orphan(nodes: list[Store], chat: Conversation) -> None:
    for number in range(10):
        await begin(nodes[0], chat, parent_id=None, lease_until=PAST)
        late, until = Instant(NOON + LEASE + SECOND), Instant(NOON + 10 * LEASE)
        claims = (node.engine.claim(f"{number}-{i}", late, until) for i, node in enumerate(nodes))
        assert sum(map(len, await asyncio.gather(*claims))) == 1


async def test_a_close_waits_for_nobody_for_long(database: Database, chat: Conversation) -> None:
    """Both pools have a transaction that waits for a lock: the process goes in time all the same."""
    import asyncpg

    node = postgres_place(database)()
    await node.open(Ears())
    run = (await begin(node, chat)).run
    other = await asyncpg.connect(database.superuser)
    try:
        await other.execute("BEGIN; LOCK TABLE runs, conversations")
        calls = [
            asyncio.create_task(node.of(ANA).conversations.get(chat.id)),
            asyncio.create_task(node.engine.renew(BOOT, [run.id], NOON, PAST)),
        ]
        await asyncio.sleep(0.2)
        async with asyncio.timeout(1.8):
            await node.close()
        for each in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(each, StoreUnavailable)
    finally:
        await other.close()


@pytest.mark.hostile(59)
async def test_postgres_restarts(
    nodes: list[Store], database: Database, chat: Conversation, ears: Ears
) -> None:
    node, server = nodes[0], database.server
    run = (await begin(node, chat)).run
    await asyncio.to_thread(server.stop)
    try:
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await node.engine.commit(BOOT, [append(run, 1, b"{}")], [])
            with pytest.raises(StoreUnavailable):
                await node.of(ANA).conversations.get(chat.id)
        with pytest.raises(StoreUnavailable):
            await node.ping()
    finally:
        await asyncio.to_thread(server.start)
    await node.ping()
    await ears.until("lost")
    await nodes[1].engine.commit(BOOT, [append(run, 1, b"{}")], [ending(run)])
    await ears.until("journal", run.id)
    assert (await node.of(ANA).runs.get(run.id)).status is RunStatus.COMPLETED


@pytest.mark.hostile(59)
async def test_connections_are_cut_in_the_middle(
    nodes: list[Store], database: Database, chat: Conversation
) -> None:
    """Each call succeeds or says that it did not, and what was cut off is not there by half."""
    node = nodes[0]
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY ($1)"
    for _ in range(5):
        calls = [asyncio.create_task(begin(node, chat, parent_id=None)) for _ in range(20)]
        await ask(database.superuser, cut, [f"{database.name}_app", f"{database.name}_engine"])
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(each, Begun | StoreUnavailable) for each in done), done
        tree, _ = await node.of(ANA).messages.tree(chat.id)
        runs = await node.of(ANA).runs.open(chat.id)
        assert {each.run.id for each in done if isinstance(each, Begun)} <= {run.id for run in runs}
        assert len(tree) == 2 * len(runs)
