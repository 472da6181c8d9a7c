"""How a run begins: once for each key, whoever leaves, with the right window and model."""

import asyncio

import pytest
from tests.stores import ANA, BIA
from tests.unit.services.conftest import Open
from tests.unit.services.house import end_of, events_of, lines_of, soon, text_of, until_text

from prosa.domain.errors import (
    ContextTooLong,
    ConversationClosed,
    ConversationNotFound,
    IdempotencyMismatch,
    InvalidRequest,
    MessageNotFound,
    NoSuchProvider,
    RunInProgress,
)
from prosa.domain.ids import new_id
from prosa.domain.models import Role, Turn
from prosa.services.runs.start import Send


@pytest.mark.hostile(60)
async def test_twenty_at_once_with_one_key_are_one_run(opened: Open) -> None:
    house = await opened(["a", 0.01, "b"])
    of = await house.conversation()
    begun = await asyncio.gather(*(house.send(of, key="k", body_hash="h") for _ in range(20)))
    heard = await asyncio.gather(*(lines_of(reader) for _, reader in begun))
    assert len({run.id for run, _ in begun}) == 1
    assert all(lines == heard[0] for lines in heard)
    assert len(house.model.calls) == 1
    house.at_rest(1)
    _, reader = await house.send(of, key="k", body_hash="h")
    assert await lines_of(reader) == heard[0]
    with pytest.raises(IdempotencyMismatch):
        await house.send(of, key="k", body_hash="other")
    house.at_rest(1)


@pytest.mark.hostile(60)
async def test_a_key_is_its_owners(opened: Open) -> None:
    house = await opened()
    runs = {
        (await house.send(await house.conversation(owner), owner=owner, key="k", body_hash="h"))[0].id
        for owner in (ANA, BIA)
    }
    assert len(runs) == 2


@pytest.mark.hostile(53)
async def test_who_leaves_during_the_start_leaves_a_run_that_goes_on(opened: Open) -> None:
    house = await opened(["a", 0.001, "b"])
    of = await house.conversation()
    for turns in range(6):
        starting = asyncio.ensure_future(house.send(of, parent_id=None))
        for _ in range(turns + 1):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        async with asyncio.timeout(5):
            while house.count("runs", "ended_at IS NOT NULL") <= turns:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.005)
    assert len(house.model.calls) == 6
    assert house.count("messages", "content = 'ab' AND status = 'completed'") == 6
    house.at_rest(6)


async def test_one_run_a_branch(opened: Open) -> None:
    gate = asyncio.Event()
    house = await opened(["a", gate, "b"])
    of = await house.conversation()
    run, reader = await house.send(of)
    with pytest.raises(RunInProgress) as refused:
        await house.send(of)
    assert refused.value.details["runId"] == run.id
    other, _ = await house.send(of, parent_id=None)
    assert other.id != run.id
    gate.set()
    assert text_of(await events_of(reader)) == "ab"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"parent_id": new_id()}, MessageNotFound),
        ({"content": None, "regenerate": new_id()}, MessageNotFound),
        ({"content": None, "answering": new_id()}, MessageNotFound),
        ({"provider": "nobody"}, NoSuchProvider),
        ({"content": "x" * 100_000}, ContextTooLong),
    ],
)
async def test_what_is_refused_leaves_nothing(
    opened: Open, fields: dict[str, object], error: type[Exception]
) -> None:
    house = await opened(window=8_192)
    of = await house.conversation()
    with pytest.raises(error):
        await house.send(of, **{"content": "Hello", **fields})
    assert [house.count(table) for table in ("messages", "runs", "reservations", "journal")] == [0] * 4
    assert house.model.calls == []


async def test_closed_foreign_and_missing_conversations(opened: Open) -> None:
    house = await opened()
    of = await house.conversation()
    with pytest.raises(ConversationNotFound):
        await house.engine.start(BIA, Send(of.id, "Hello"))
    with pytest.raises(ConversationNotFound):
        await house.engine.start(ANA, Send(new_id(), "Hello"))
    await house.chat.conversations.update(ANA, of.id, {"status": "closed"})
    with pytest.raises(ConversationClosed):
        await house.send(of)


async def test_regenerate_and_answering(opened: Open) -> None:
    house = await opened()
    of = await house.conversation()
    run, reader = await house.send(of, "one")
    await lines_of(reader)
    again, reader = await house.send(of, None, regenerate=run.message_id)
    assert text_of(await events_of(reader)) == "You said: one"
    assert again.user_message_id == run.user_message_id
    third, reader = await house.send(of, None, answering=run.user_message_id)
    await lines_of(reader)
    tree, head = await house.store.of(ANA).messages.tree(of.id)
    assert tree.siblings(third.message_id) == [run.message_id, again.message_id, third.message_id]
    assert head == third.message_id
    with pytest.raises(InvalidRequest):
        await house.send(of, None, regenerate=run.user_message_id)
    with pytest.raises(InvalidRequest):
        await house.send(of, None, answering=run.message_id)


async def test_what_the_model_is_asked(opened: Open) -> None:
    house = await opened()
    of = await house.conversation(system_prompt="Be brief.")
    _, reader = await house.send(of, "one")
    await lines_of(reader)
    _, reader = await house.send(of, "two", temperature=0.5, max_tokens=33)
    await lines_of(reader)
    asked = house.model.calls[1].request
    assert asked.turns == (
        Turn(Role.USER, "one"),
        Turn(Role.ASSISTANT, "You said: one"),
        Turn(Role.USER, "two"),
    )
    assert (asked.system, asked.temperature, asked.max_tokens, asked.model) == ("Be brief.", 0.5, 33, "echo")


async def test_history_stands_in_for_what_is_stored(opened: Open) -> None:
    house = await opened()
    of = await house.conversation()
    _, reader = await house.send(of, "one")
    await lines_of(reader)
    history = (Turn(Role.USER, "before"), Turn(Role.ASSISTANT, "then"))
    _, reader = await house.send(of, "two", history=history, system_prompt="Mine.")
    await lines_of(reader)
    asked = house.model.calls[1].request
    assert asked.turns == (*history, Turn(Role.USER, "two"))
    assert asked.system == "Mine."


async def test_partial_answers_are_part_of_what_follows(opened: Open) -> None:
    house = await opened(lambda _: ["part", asyncio.Event()])
    of = await house.conversation()
    run, reader = await house.send(of)
    await until_text(reader)
    await house.engine.stop(ANA, run.id)
    assert end_of(await events_of(reader)).status == "cancelled"
    _, reader = await soon(house.send(of, "go on"))
    await until_text(reader)
    assert Turn(Role.ASSISTANT, "part") in house.model.calls[1].request.turns
