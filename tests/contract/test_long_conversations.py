"""A long talk over each store: several summaries, two branches, and two nodes that would both write one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.contract.conftest import Place, postgres_place
from tests.postgres import Database
from tests.stores import ANA
from tests.unit.services.house import House, soon
from tests.unit.services.notes import LONG, WINDOW, Writer, asks_for_notes, branch, kinds, quiet, say

from prosa.domain.conversations import MessageKind
from prosa.domain.models import Role
from prosa.domain.turns import recalled
from prosa.services.context.told import context_of


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
async def house(place: Place, tmp_path: Path, writer: Writer) -> AsyncIterator[House]:
    async with House(tmp_path, writer, store=place(), window=WINDOW, most=512, model="gpt-4o") as made:
        yield made


async def test_a_long_talk_with_two_branches(house: House) -> None:
    of = await house.conversation()
    said = []
    for number in range(24):
        said.append(await say(house, of, f"{number}: {LONG}", max_tokens=256))
        await quiet(house)
    left = await branch(house, of)
    assert kinds(left).replace("s", "") == "ua" * 24
    assert kinds(left).count("s") >= 2
    assert not any(each.request.turns[0].role is Role.ASSISTANT for each in house.model.calls)
    forked = said[15]
    for number in range(12):
        above = forked.message_id if not number else None
        fields = {"parent_id": above} if above else {}
        await say(house, of, f"aside {number}: {LONG}", max_tokens=256, **fields)
        await quiet(house)
    right = await branch(house, of)
    assert kinds(right).replace("s", "") == "ua" * 28
    # Above the fork they share their summaries, below it each has its own.
    ids = [[each.id for each in side if each.kind is MessageKind.SUMMARY] for side in (left, right)]
    fork = [each.id for each in right].index(forked.message_id)
    shared = [each.id for each in right[:fork] if each.kind is MessageKind.SUMMARY]
    assert shared
    assert ids[0][: len(shared)] == ids[1][: len(shared)] == shared
    assert not set(ids[0][len(shared) :]) & set(ids[1][len(shared) :])
    assert len(ids[1]) > len(shared)
    # What is told of each run holds, whatever came after it.
    records = house.store.of(ANA)
    tree, head = await records.messages.tree(of.id)
    assert len(tree) == 2 * 24 + 2 * 12 + len({*ids[0], *ids[1]})
    assert head == tree.leaf(None)
    for run in (*said, await records.runs.get(right[-1].run_id or "")):
        context = await context_of(records, await records.runs.get(run.id))
        assert context is not None
        assert context.left_out == 0
        assert context.message_ids[-1] == run.user_message_id
        assert context.tokens < WINDOW
        path = tree.branch(run.user_message_id)
        above = path.index(context.summary_id) if context.summary_id else -1
        between = [each for each in path[above + 1 :] if each not in tree.summaries]
        assert context.message_ids == between
    # All of it counts once: each of the messages that were looked at has its tokens.
    counted = [each.tokens is not None for each in left if each.kind is MessageKind.MESSAGE]
    assert sum(counted) > 40
    last = [each.request for each in house.model.calls if not asks_for_notes(each.request)][-1]
    assert last.turns[0].content.startswith(recalled("").content)


async def test_two_nodes_write_one(database: Database, tmp_path: Path, writer: Writer) -> None:
    place = postgres_place(database)
    other = Writer()
    (tmp_path / "b").mkdir()
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(House(tmp_path, writer, store=place(), window=WINDOW, most=512))
        two = await stack.enter_async_context(
            House(tmp_path / "b", other, store=place(), window=WINDOW, most=512)
        )
        of = await one.conversation()
        writer.gate.clear()
        for _ in range(6):
            await say(one, of)
        await soon(writer.asked.wait())
        await say(two, of)
        await quiet(two)
        assert other.notes == []
        writer.gate.set()
        await quiet(one)
        assert kinds(await branch(two, of)) == "uauauauasuauaua"
        # The other node goes on where this one was.
        for _ in range(5):
            await say(two, of)
            await quiet(two)
        assert len(other.notes) == 1
        assert "<notes>\nNotes 1.\n</notes>" in other.notes[0].turns[0].content
