"""Several servers on one Postgres: each reaches the others' runs, and takes over from those that are gone."""

import asyncio
import itertools
import signal
import time
from typing import Any

import pytest
from tests.engine.conftest import Serve, on
from tests.postgres import Database, ask
from tests.processes import Client, Process
from tests.provider import Provider

pytestmark = pytest.mark.slow

Node = tuple[Process, Client]


@pytest.fixture
async def nodes(database: Database, serve: Serve) -> tuple[Node, Node]:
    here, there = await asyncio.gather(*(serve(**on(database)) for _ in range(2)))
    return here, there


async def settled(database: Database, run: str) -> None:
    """One entry in the ledger, nothing held, and no line of the journal written twice."""
    assert (await ask(database.superuser, "SELECT count(*) FROM ai_usage WHERE run_id = $1", run))[0][0] == 1
    assert (await ask(database.superuser, "SELECT count(*) FROM reservations"))[0][0] == 0
    rows = await ask(
        database.superuser, "SELECT first_seq, last_seq FROM journal WHERE run_id = $1 ORDER BY id", run
    )
    for (_, last), (first, _) in itertools.pairwise(rows):
        assert first > last, rows


def rises(ids: list[int]) -> bool:
    return ids == sorted(set(ids))


@pytest.mark.alone
async def test_a_reader_and_a_stop_reach_a_run_of_another_node(
    nodes: tuple[Node, Node], provider: Provider, database: Database
) -> None:
    (_, here), (_, there) = nodes
    conversation = await here.conversation("words-1000x20")
    stream = await here.send(conversation)
    run = stream.start["runId"]
    await stream.words(10)
    remote = await there.follow(run)
    await remote.words(20)
    begun = time.monotonic()
    await there.stop(run)
    await asyncio.wait_for(provider.calls[0].left.wait(), 1)
    assert time.monotonic() - begun < 1
    end = await remote.end()
    assert end == await stream.end()
    assert (end["status"], end["reason"]) == ("cancelled", "stopped")
    assert remote.lines == stream.lines
    await settled(database, run)


async def test_a_whole_answer_is_read_at_the_other_node(nodes: tuple[Node, Node], database: Database) -> None:
    (_, here), (_, there) = nodes
    stream = await here.send(await here.conversation("words-100x10"))
    remote = await there.follow(stream.start["runId"], 1)
    await asyncio.gather(stream.end(), remote.end())
    assert remote.lines == stream.lines[1:]
    await settled(database, stream.start["runId"])


@pytest.mark.hostile(60)
async def test_equal_posts_at_both_nodes_are_one_run(nodes: tuple[Node, Node], provider: Provider) -> None:
    (_, here), (_, there) = nodes
    conversation = await here.conversation("words-30x10")
    posts = (client.send(conversation, clientMessageId="same") for client in (here, there) * 5)
    streams = await asyncio.gather(*posts)
    for stream in streams:
        await stream.end()
    assert len({b"\n".join(stream.lines) for stream in streams}) == 1
    assert len(provider.calls) == 1


@pytest.mark.alone
@pytest.mark.hostile(55)
async def test_a_killed_nodes_runs_are_ended_by_another(nodes: tuple[Node, Node], database: Database) -> None:
    (process, here), (_, there) = nodes
    conversation = await here.conversation("words-2000x20")
    stream = await here.send(conversation)
    run = stream.start["runId"]
    await stream.words(30)
    remote = await there.follow(run)
    killed = asyncio.get_running_loop().time()
    await process.kill()
    begun = time.monotonic()
    ended = await there.until_ended(run, 10)
    print(f"\nended {time.monotonic() - begun:.1f} s after the kill")
    assert (ended["status"], ended["reason"]) == ("incomplete", "crash")
    assert (await remote.end())["status"] == "incomplete"
    assert remote.events[-2]["type"] == "gap"
    await stream.end()
    message = await there.message(conversation, stream.start["messageId"])
    assert message["content"].startswith(stream.text_before(killed - 0.25))
    assert remote.text == message["content"]
    assert rises(remote.ids)
    await settled(database, run)


@pytest.mark.alone
@pytest.mark.hostile(61)
async def test_a_slow_owner_is_fenced(
    nodes: tuple[Node, Node], database: Database, provider: Provider
) -> None:
    (process, here), (_, there) = nodes
    conversation = await here.conversation("words-2000x20")
    stream = await here.send(conversation)
    run = stream.start["runId"]
    await stream.words(20)
    process.signal(signal.SIGSTOP)
    ended = await there.until_ended(run, 12)
    message: Any = await there.message(conversation, stream.start["messageId"])
    process.signal(signal.SIGCONT)
    assert ended["reason"] == "crash"
    await stream.end(10)  # the old owner notices, and lets its reader go
    await asyncio.wait_for(provider.calls[0].left.wait(), 5)
    rest = await here.follow(run, len(stream.lines))
    assert [event["type"] for event in rest.events[-2:]] == ["gap", "done"] or not await rest.end()
    await rest.end()
    assert await there.run(run) == ended
    assert await there.message(conversation, stream.start["messageId"]) == message
    await settled(database, run)
    again = await here.send(conversation, "Again")
    await again.words(2)
    await here.stop(again.start["runId"])
