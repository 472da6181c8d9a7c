"""The transaction that begins a run, in all its forms."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.stores import ANA, BIA, NOON, begin, bound, conversation, ending, message, opening, turn

from prosa.adapters.store.repositories.branch import WINDOW_BYTES
from prosa.domain.calendar import Calendar
from prosa.domain.context import Shown
from prosa.domain.conversations import Conversation, ConversationStatus, MessageStatus
from prosa.domain.errors import (
    ConversationClosed,
    ConversationNotFound,
    CostLimitReached,
    IdempotencyMismatch,
    InvalidRequest,
    MessageNotFound,
    PriceUnknown,
    RunInProgress,
    TokenLimitReached,
)
from prosa.domain.ids import new_id
from prosa.domain.limits import Limits, Remaining
from prosa.domain.models import Role, Turn, Usage
from prosa.domain.money import Picodollars
from prosa.domain.opening import Begun, Opening, Prepared
from prosa.domain.runs import RunStatus
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store

DAY = 86_400 * SECOND


async def test_puts_everything_down(store: Store, chat: Conversation) -> None:
    records = store.of(ANA)
    begun = await begin(store, chat, "Hello,\nworld")
    run = begun.run
    assert begun.prepared is not None
    assert run == await records.runs.get(run.id)
    assert (run.status, run.usage) == (RunStatus.IN_PROGRESS, Usage(7))
    assert (run.provider, run.model) == ("fake", "echo")
    found = await records.messages.many(chat.id, [run.user_message_id or "", run.message_id])
    question, answer = found[run.user_message_id or ""], found[run.message_id]
    assert (question.role, question.content, question.parent_id) == (Role.USER, "Hello,\nworld", None)
    assert (answer.role, answer.content, answer.parent_id) == (Role.ASSISTANT, "", question.id)
    assert (answer.status, answer.run_id) == (MessageStatus.IN_PROGRESS, run.id)
    shown = await records.conversations.get(chat.id)
    assert (shown.head_id, shown.title) == (answer.id, "Hello, world")
    assert await records.runs.open(chat.id) == [run]


async def test_a_title_is_kept(store: Store) -> None:
    titled, _ = await store.of(ANA).conversations.create(conversation(ANA, title="Mine"))
    await begin(store, titled)
    assert (await store.of(ANA).conversations.get(titled.id)).title == "Mine"


async def test_goes_on_at_the_head(store: Store, chat: Conversation) -> None:
    first = await turn(store, chat, "one")
    heard: list[Turn] = []

    def prepare(_of: Conversation, branch: Sequence[Shown], left: Remaining) -> Prepared:
        heard.extend(turn for each in branch for turn in each.turns)
        return bound()(_of, branch, left)

    begun = await store.of(ANA).runs.begin(opening(chat, "two"), prepare)
    assert heard == [Turn(Role.USER, "one"), Turn(Role.ASSISTANT, "Hi."), Turn(Role.USER, "two")]
    question = await store.of(ANA).messages.get(chat.id, begun.run.user_message_id or "")
    assert question.parent_id == first.message_id


async def test_goes_on_at_another_place(store: Store, chat: Conversation) -> None:
    first = await turn(store, chat, "one")
    await turn(store, chat, "two")
    third = await turn(store, chat, "three", parent_id=first.message_id)
    fourth = await turn(store, chat, "four", parent_id=None)
    tree, head = await store.of(ANA).messages.tree(chat.id)
    assert head == fourth.message_id
    assert tree.branch(third.message_id)[:2] == [first.user_message_id, first.message_id]
    assert tree.siblings(fourth.user_message_id or "") == [first.user_message_id, fourth.user_message_id]


async def test_regenerates(store: Store, chat: Conversation) -> None:
    first = await turn(store, chat)
    again = await begin(store, chat, None, regenerate=first.message_id)
    assert again.run.user_message_id == first.user_message_id
    assert again.prepared is not None
    assert [each.content for each in again.prepared.request.turns] == ["Hello"]
    tree, head = await store.of(ANA).messages.tree(chat.id)
    assert tree.siblings(first.message_id) == [first.message_id, again.run.message_id]
    assert head == again.run.message_id


async def test_answers_a_stored_message(store: Store, chat: Conversation) -> None:
    said = await store.of(ANA).messages.append(message(chat, "Stored"), at_head=True)
    begun = await begin(store, chat, None, answering=said.id)
    assert begun.run.user_message_id == said.id
    answer = await store.of(ANA).messages.get(chat.id, begun.run.message_id)
    assert answer.parent_id == said.id


async def test_places_that_are_none(store: Store, chat: Conversation) -> None:
    ended = await turn(store, chat)
    elsewhere, _ = await store.of(ANA).conversations.create(conversation(ANA))
    stranger = await turn(store, elsewhere)
    with pytest.raises(ConversationNotFound):
        await begin(store, conversation(ANA))
    for unknown in (new_id(), stranger.message_id):
        with pytest.raises(MessageNotFound):
            await begin(store, chat, parent_id=unknown)
        with pytest.raises(MessageNotFound):
            await begin(store, chat, None, regenerate=unknown)
        with pytest.raises(MessageNotFound):
            await begin(store, chat, None, answering=unknown)
    with pytest.raises(InvalidRequest):
        await begin(store, chat, None, regenerate=ended.user_message_id)
    with pytest.raises(InvalidRequest):
        await begin(store, chat, None, answering=ended.message_id)


async def test_closed(store: Store) -> None:
    closed, _ = await store.of(ANA).conversations.create(conversation(ANA, status=ConversationStatus.CLOSED))
    with pytest.raises(ConversationClosed):
        await begin(store, closed)


async def test_an_open_run_keeps_its_branch(store: Store, chat: Conversation) -> None:
    running = (await begin(store, chat)).run
    for fields in ({}, {"parent_id": running.message_id}):
        with pytest.raises(RunInProgress) as refused:
            await begin(store, chat, **fields)
        assert refused.value.details == {"runId": running.id}
    with pytest.raises(RunInProgress):
        await begin(store, chat, None, regenerate=running.message_id)
    other = (await begin(store, chat, parent_id=None)).run
    assert {run.id for run in await store.of(ANA).runs.open(chat.id)} == {running.id, other.id}


async def test_same_key_same_run(store: Store, chat: Conversation) -> None:
    first = await begin(store, chat, key="k", body_hash="h")
    again = await begin(store, chat, key="k", body_hash="h")
    assert again == Begun(first.run, None)
    await store.engine.commit(first.run.owner, [], [ending(first.run)])
    after = await begin(store, chat, key="k", body_hash="h")
    assert (after.run.status, after.prepared) == (RunStatus.COMPLETED, None)
    with pytest.raises(IdempotencyMismatch):
        await begin(store, chat, key="k", body_hash="other")


async def test_keys_belong_to_their_owner(store: Store, chat: Conversation, other: Conversation) -> None:
    await begin(store, chat, key="k", body_hash="h")
    assert (await begin(store, other, key="k", body_hash="h")).prepared is not None


@pytest.mark.hostile(60)
async def test_same_key_many_times_at_once(store: Store) -> None:
    chats = [(await store.of(ANA).conversations.create(conversation(ANA)))[0] for _ in range(4)]
    one = await asyncio.gather(*(begin(store, chats[0], key="one", body_hash="h") for _ in range(20)))
    assert len({begun.run.id for begun in one}) == 1
    assert sum(begun.prepared is not None for begun in one) == 1
    # Over several conversations no lock keeps the requests apart: the key alone does.
    many = await asyncio.gather(
        *(begin(store, chats[1 + n % 3], key="many", body_hash="h") for n in range(20))
    )
    assert len({begun.run.id for begun in many}) == 1


@pytest.mark.hostile(60)
async def test_same_external_id_many_times_at_once(store: Store) -> None:
    records = store.of(ANA).conversations
    made = await asyncio.gather(*(records.create(conversation(ANA, external_id="x")) for _ in range(20)))
    assert len({each.id for each, _ in made}) == 1
    assert sum(created for _, created in made) == 1


async def test_token_limit(store: Store, chat: Conversation) -> None:
    limits = Limits(tokens_per_day=115)
    spent = await turn(store, chat, tokens=100, limits=limits)  # 15 in the end
    held = await begin(store, chat, tokens=60, limits=limits, parent_id=None)
    assert held.remaining.tokens == 100
    with pytest.raises(TokenLimitReached) as refused:
        await begin(store, chat, tokens=41, limits=limits, parent_id=None)
    assert refused.value.details["remaining"] == 40
    assert spent.usage is not None
    exact = await begin(store, chat, tokens=40, limits=limits, parent_id=None)
    assert exact.prepared is not None
    assert exact.remaining.tokens_reset_at == Calendar().day_of(NOON).until


async def test_yesterday_does_not_count(store: Store, chat: Conversation) -> None:
    limits = Limits(tokens_per_day=100)
    await turn(store, chat, tokens=100, limits=limits)
    with pytest.raises(TokenLimitReached):
        await begin(store, chat, tokens=86, limits=limits)
    assert (await begin(store, chat, tokens=100, limits=limits, now=Instant(NOON + DAY))).prepared


async def test_cost_limit(store: Store, chat: Conversation) -> None:
    limits = Limits(cost_per_month=Picodollars(100))
    await turn(store, chat, cost=100, limits=limits)  # 7 in the end
    with pytest.raises(CostLimitReached) as refused:
        await begin(store, chat, cost=94, limits=limits)
    assert refused.value.details["remaining"] == "0.000000000093"
    with pytest.raises(PriceUnknown):
        await begin(store, chat, cost=None, limits=limits)
    begun = await begin(store, chat, cost=93, limits=limits)
    assert begun.remaining.cost_resets_at == Calendar().month_of(NOON).until


async def test_limits_are_of_one_user(store: Store, chat: Conversation, other: Conversation) -> None:
    limits = Limits(tokens_per_day=100)
    await begin(store, chat, tokens=100, limits=limits)
    assert (await begin(store, other, tokens=100, limits=limits)).remaining.tokens == 100


@pytest.mark.hostile(62)
@pytest.mark.parametrize("limits", [Limits(tokens_per_day=100), Limits(cost_per_month=Picodollars(100))])
async def test_budget_for_one(store: Store, limits: Limits) -> None:
    chats = [(await store.of(ANA).conversations.create(conversation(ANA)))[0] for _ in range(50)]
    asked = (begin(store, each, tokens=60, cost=60, limits=limits) for each in chats)
    begun = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, Begun) for each in begun) == 1
    assert sum(isinstance(each, TokenLimitReached | CostLimitReached) for each in begun) == 49


async def test_nothing_stays_of_what_was_refused(store: Store, chat: Conversation) -> None:
    class Refused(Exception):
        pass

    def prepare(_of: Conversation, _branch: Sequence[Shown], _left: Remaining) -> Prepared:
        raise Refused

    asked: Opening = opening(chat, key="k", body_hash="h")
    with pytest.raises(Refused):
        await store.of(ANA).runs.begin(asked, prepare)
    tree, head = await store.of(ANA).messages.tree(chat.id)
    assert (len(tree), head) == (0, None)
    assert await store.of(ANA).runs.open(chat.id) == []
    # The same ids and the same key are free, and nothing is held.
    limits = Limits(tokens_per_day=100)
    begun = await store.of(ANA).runs.begin(
        opening(chat, key="k", body_hash="h", run_id=asked.run_id, limits=limits), bound(100)
    )
    assert begun.remaining.tokens == 100


async def test_a_long_branch_is_read_whole(store: Store, chat: Conversation) -> None:
    for index in range(12):
        await turn(store, chat, str(index))
    begun = await begin(store, chat, "last")
    assert begun.prepared is not None
    said = [each.content for each in begun.prepared.request.turns if each.role is Role.USER]
    assert said == [*map(str, range(12)), "last"]


@pytest.mark.parametrize("parts", [(3, 210), (10_001, 3), (9_999, 190), (400_000, 12)])
async def test_a_branch_is_read_as_far_as_windows_reach(
    store: Store, chat: Conversation, parts: tuple[int, int]
) -> None:
    """Long texts, or many: always the newest, without a hole, and no more than needed."""
    size, count = parts
    parent = None
    for index in range(count):
        said = message(chat, f"{index:03}".ljust(size, "."), parent_id=parent)
        parent = (await store.of(ANA).messages.append(said, at_head=False)).id
    begun = await begin(store, chat, "last")
    assert begun.prepared is not None
    read = [each.content for each in begun.prepared.request.turns]
    assert [each[:3] for each in read[:-1]] == [f"{index:03}" for index in range(count)][1 - len(read) :]
    assert read[-1] == "last"
    assert sum(map(len, read[:-1])) < WINDOW_BYTES + size
    assert len(read) == count + 1 or sum(map(len, read)) >= WINDOW_BYTES


async def test_begin_is_of_its_principal(store: Store, other: Conversation) -> None:
    with pytest.raises(ConversationNotFound):
        await store.of(ANA).runs.begin(opening(other, owner=ANA), bound())
    assert (await store.of(BIA).messages.tree(other.id))[1] is None
