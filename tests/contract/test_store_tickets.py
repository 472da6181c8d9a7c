"""Tickets as the stores keep them: who of many asks, and which answer stands."""

import asyncio
from typing import Any

import pytest
from tests.stores import ANA, BIA, BOOT, NOON, append, bound, ending, opening

from prosa.domain.conversations import MessageStatus
from prosa.domain.errors import IdempotencyMismatch
from prosa.domain.ids import new_id
from prosa.domain.opening import Begun
from prosa.domain.principal import Principal
from prosa.domain.runs import Run, RunStatus
from prosa.domain.tickets import Asking, Case, TicketNotFound, TicketStatus
from prosa.domain.time import Instant
from prosa.ports.store import Store

BODY = "A impressora não liga."


async def ask(
    store: Store, ticket: str = "1", body: str = BODY, owner: Principal = ANA, **more: Any
) -> Begun:
    """`more` goes into the asking, but for what is the opening's."""
    given = {name: more.pop(name) for name in ("key", "body_hash", "now") if name in more}
    asking = Asking(new_id(), ticket, body, **more)
    asked = opening(new_id(), body, owner=owner, parent_id=None, **given)
    return await store.of(owner).tickets.begin(asking, asked, bound())


async def end(store: Store, run: Run, content: str = "Ligue o cabo.", **fields: Any) -> None:
    await store.engine.commit(BOOT, [append(run, 1, b"{}")], [ending(run, content, **fields)])


async def fail(store: Store, run: Run, status: RunStatus = RunStatus.FAILED) -> None:
    await end(store, run, "metade", status=status, message_status=MessageStatus.INCOMPLETE)


async def answered(store: Store, ticket: str = "1", **more: Any) -> Run:
    run = (await ask(store, ticket, **more)).run
    await end(store, run)
    return run


async def get(store: Store, ticket: str = "1", owner: Principal = ANA) -> Case:
    return await store.of(owner).tickets.get(ticket)


async def test_a_new_ticket_has_a_conversation_and_a_run(store: Store) -> None:
    begun = await ask(store)
    assert begun.prepared is not None
    case = await get(store)
    assert (case.ticket.ticket_id, case.ticket.body, case.ticket.run_id) == ("1", BODY, begun.run.id)
    assert (case.status, case.run, case.answer) == (TicketStatus.ANSWERING, begun.run, None)
    conversation = await store.of(ANA).conversations.get(case.ticket.conversation_id)
    assert (conversation.ticket_id, conversation.external_id, conversation.title) == ("1", None, BODY)
    assert (conversation.user_id, conversation.client_id) == (ANA.user_id, ANA.client_id)


async def test_while_it_is_answered_nobody_asks_again(store: Store) -> None:
    first = await ask(store)
    for more in ({}, {"refresh": True}, {"body": "outro"}, {"refresh": True, "seen": first.run.id}):
        again = await ask(store, **more)
        assert (again.run, again.prepared) == (first.run, None)


async def test_the_answer_stands_whatever_the_body(store: Store) -> None:
    run = await answered(store)
    case = await get(store)
    assert case.status is TicketStatus.ANSWERED
    assert case.answer is not None
    assert (case.answer.text, case.answer.run.id) == ("Ligue o cabo.", run.id)
    again = await ask(store, body="outro")
    assert (again.run.id, again.prepared) == (run.id, None)
    assert (await get(store)).ticket.body == BODY


@pytest.mark.parametrize(
    ("how", "status"),
    [
        (RunStatus.FAILED, TicketStatus.FAILED),
        (RunStatus.INCOMPLETE, TicketStatus.FAILED),
        (RunStatus.EXPIRED, TicketStatus.FAILED),
        (RunStatus.CANCELLED, TicketStatus.UNANSWERED),
    ],
)
async def test_what_was_not_completed_is_asked_anew(
    store: Store, how: RunStatus, status: TicketStatus
) -> None:
    first = (await ask(store)).run
    await fail(store, first, how)
    case = await get(store)
    assert (case.status, case.answer) == (status, None)
    second = await ask(store)
    assert second.prepared is not None
    assert second.run.conversation_id == first.conversation_id
    # The same question gets another answer; another question another place.
    assert second.run.user_message_id == first.user_message_id
    await fail(store, second.run)
    third = await ask(store, body="outro")
    assert third.run.user_message_id != first.user_message_id
    assert third.prepared is not None
    assert [turn.content for turn in third.prepared.request.turns] == ["outro"]
    assert (await get(store)).ticket.body == "outro"


async def test_an_empty_answer_is_none(store: Store) -> None:
    run = (await ask(store)).run
    await end(store, run, "")
    case = await get(store)
    assert (case.status, case.answer) == (TicketStatus.FAILED, None)
    assert (await ask(store)).prepared is not None


async def test_asking_anew_on_purpose(store: Store) -> None:
    first = await answered(store)
    second = await ask(store, refresh=True, seen=first.id)
    assert second.prepared is not None
    await end(store, second.run, "De novo.")
    case = await get(store)
    assert case.answer is not None
    assert case.answer.text == "De novo."
    # Who had asked before he could know of the second answer gets that one.
    late = await ask(store, refresh=True, seen=first.id)
    assert (late.run.id, late.prepared) == (second.run.id, None)
    assert (await ask(store, refresh=True, seen=second.run.id)).prepared is not None


async def test_an_answer_stands_until_there_is_a_better_one(store: Store) -> None:
    first = await answered(store)
    for _ in range(2):
        again = (await ask(store, refresh=True, seen=(await get(store)).ticket.run_id)).run
        assert (await get(store)).status is TicketStatus.ANSWERING
        await fail(store, again)
        case = await get(store)
        assert case.status is TicketStatus.ANSWERED
        assert case.answer is not None
        assert case.answer.run.id == first.id
        assert (await ask(store)).run.id == first.id


async def test_a_key_names_its_run(store: Store) -> None:
    first = await answered(store)
    asked = {"refresh": True, "key": "k", "body_hash": "h"}
    second = (await ask(store, seen=first.id, **asked)).run
    await end(store, second)
    again = await ask(store, seen=second.id, **asked)
    assert (again.run.id, again.prepared) == (second.id, None)
    with pytest.raises(IdempotencyMismatch):
        await ask(store, seen=second.id, **asked | {"body_hash": "other"})


async def test_a_forgotten_answer_is_asked_for_again(store: Store) -> None:
    first = await answered(store)
    await end(store, (await ask(store, refresh=True, seen=first.id)).run)
    await store.of(ANA).tickets.forget("1", Instant(NOON + 5))
    case = await get(store)
    assert (case.status, case.run, case.answer) == (TicketStatus.UNANSWERED, None, None)
    assert case.ticket.updated_at == NOON + 5
    assert (await ask(store)).prepared is not None
    with pytest.raises(TicketNotFound):
        await store.of(ANA).tickets.forget("2", NOON)


async def test_deleted_messages_and_conversations(store: Store) -> None:
    run = await answered(store)
    assert run.user_message_id is not None
    await store.of(ANA).messages.delete(run.conversation_id, run.user_message_id, NOON)
    assert (await get(store)).status is TicketStatus.UNANSWERED
    again = (await ask(store)).run
    assert again.conversation_id == run.conversation_id
    await end(store, again)
    await store.of(ANA).conversations.delete(run.conversation_id)
    with pytest.raises(TicketNotFound):
        await get(store)
    assert (await ask(store)).run.conversation_id != run.conversation_id


async def test_an_answer_that_was_corrected_is_the_answer(store: Store) -> None:
    run = await answered(store)
    await store.of(ANA).messages.rewrite(run.conversation_id, run.message_id, "Melhor.", NOON)
    case = await get(store)
    assert case.answer is not None
    assert case.answer.text == "Melhor."


async def test_tickets_are_their_owners(store: Store) -> None:
    mine, theirs = await answered(store), await ask(store, owner=BIA)
    assert theirs.prepared is not None
    assert theirs.run.conversation_id != mine.conversation_id
    assert (await get(store, owner=BIA)).status is TicketStatus.ANSWERING
    assert (await get(store)).status is TicketStatus.ANSWERED
    with pytest.raises(TicketNotFound):
        await get(store, owner=Principal("caio"))
    assert await store.of(Principal("caio")).tickets.page(10, None, None) == []


async def test_the_conversations_of_tickets_are_in_no_list(store: Store) -> None:
    await answered(store)
    assert await store.of(ANA).conversations.page(10, None) == []


async def test_those_asked_last_come_first_whatever_became_of_them(store: Store) -> None:
    runs = {}
    for number, ticket in enumerate("abcdef"):
        runs[ticket] = (await ask(store, ticket, now=Instant(NOON + number))).run
    await end(store, runs["a"])
    await fail(store, runs["b"])
    await fail(store, runs["c"], RunStatus.CANCELLED)
    await end(store, runs["d"], "")
    await end(store, runs["e"])
    again = (await ask(store, "e", refresh=True, seen=runs["e"].id, now=Instant(NOON + 9))).run
    await fail(store, again)
    tickets = store.of(ANA).tickets
    found = await tickets.page(10, None, None)
    assert [case.ticket.ticket_id for case in found] == list("efdcba")
    assert {case.ticket.ticket_id: case for case in found} == {
        each: await get(store, each) for each in "abcdef"
    }
    for status in TicketStatus:
        wanted = [case for case in found if case.status is status]
        assert wanted, status
        assert await tickets.page(10, None, status) == wanted, status
        last = wanted[0].ticket
        assert await tickets.page(10, (last.updated_at, last.id), status) == wanted[1:]
    assert await tickets.page(2, (found[1].ticket.updated_at, found[1].ticket.id), None) == found[2:4]


async def test_of_ten_who_ask_at_once_one_asks(store: Store) -> None:
    begun = await asyncio.gather(*(ask(store) for _ in range(10)))
    assert len({each.run.id for each in begun}) == 1
    assert sum(each.prepared is not None for each in begun) == 1
    run = begun[0].run
    await end(store, run)
    begun = await asyncio.gather(*(ask(store, refresh=True, seen=run.id) for _ in range(10)))
    assert len({each.run.id for each in begun}) == 1
    assert sum(each.prepared is not None for each in begun) == 1
    assert len(await store.of(ANA).tickets.page(10, None, None)) == 1


async def test_what_is_refused_leaves_nothing(store: Store) -> None:
    def refuse(*_: object) -> None:
        raise ZeroDivisionError

    asked = opening(new_id(), BODY, parent_id=None)
    with pytest.raises(ZeroDivisionError):
        await store.of(ANA).tickets.begin(Asking(new_id(), "1", BODY), asked, refuse)  # type: ignore[arg-type]
    with pytest.raises(TicketNotFound):
        await get(store)


async def test_an_id_of_any_form(store: Store) -> None:
    for ticket in ("INC/2024-07 %", "ç" * 255, "1 OR 1=1", "' --", "👍"):
        run = await answered(store, ticket)
        case = await get(store, ticket)
        assert (case.ticket.ticket_id, case.ticket.run_id) == (ticket, run.id)
