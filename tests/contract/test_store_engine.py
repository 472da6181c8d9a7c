"""The engine's view: the journal, ends, leases, fencing, and the ledger."""

import asyncio

import pytest
from tests.contract.conftest import Pass
from tests.stores import ANA, BIA, BOOT, LEASE, NOON, PAST, append, begin, conversation, ending, entry, lapse

from prosa.domain.conversations import Conversation, MessageStatus
from prosa.domain.errors import RunNotFound
from prosa.domain.ids import new_id
from prosa.domain.limits import Limits
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.principal import Principal
from prosa.domain.runs import Run, RunStatus
from prosa.domain.time import SECOND, Instant
from prosa.domain.timing import Progress, Timing
from prosa.ports.store import Store

LATER = Instant(NOON + LEASE + SECOND)
ROOT = Principal("root", roles=frozenset({"admin"}))
AGAIN = Instant(LATER + LEASE)
DAY = Limits(tokens_per_day=100)


@pytest.fixture
async def run(store: Store, chat: Conversation) -> Run:
    return (await begin(store, chat, tokens=60, limits=DAY)).run


async def _held(store: Store) -> int:
    """Tokens that are held of Ana's 100, as the next run would find them."""
    aside, _ = await store.of(ANA).conversations.create(conversation(ANA))
    found = await begin(store, aside, tokens=0, limits=DAY)
    await store.engine.commit(BOOT, [], [ending(found.run, entries=(entry(found.run, usage=Usage()),))])
    await store.of(ANA).conversations.delete(aside.id)
    assert found.remaining.tokens is not None
    return 100 - found.remaining.tokens


async def test_journal_comes_back_in_order(store: Store, run: Run) -> None:
    assert await store.engine.commit(BOOT, [append(run, 1, b"a", b"b")], []) == set()
    await store.engine.commit(BOOT, [append(run, 3, b'{"t":"\xc3\xa9\\u0000"}')], [])
    lines = [(1, b"a"), (2, b"b"), (3, b'{"t":"\xc3\xa9\\u0000"}')]
    assert await store.engine.lines(run.id) == lines
    for after in range(5):
        assert await store.of(ANA).runs.lines(run.id, after) == (run, lines[after:])
    with pytest.raises(RunNotFound):
        await store.of(ANA).runs.lines(new_id(), 0)
    assert await store.engine.lines(new_id()) == []


async def test_runs_of_many_users_in_one_commit(store: Store, run: Run, other: Conversation) -> None:
    theirs = (await begin(store, other)).run
    appends = [append(run, 1, b"a"), append(theirs, 1, b"x"), append(run, 2, b"b")]
    assert await store.engine.commit(BOOT, appends, [ending(theirs)]) == {theirs.id}
    assert await store.engine.lines(run.id) == [(1, b"a"), (2, b"b")]
    assert (await store.of(BIA).runs.lines(theirs.id, 0))[1] == [(1, b"x")]
    assert await store.engine.commit(BOOT, [], []) == set()


@pytest.mark.hostile(54)
async def test_lines_that_are_put_down_twice_are_read_once(store: Store, run: Run) -> None:
    """A writer that lost the answer to a commit does not know that it was one."""
    await store.engine.commit(BOOT, [append(run, 1, b"a", b"b")], [])
    await store.engine.commit(BOOT, [append(run, 1, b"a", b"b", b"c")], [])
    assert await store.engine.lines(run.id) == [(1, b"a"), (2, b"b"), (3, b"c")]
    assert (await store.of(ANA).runs.lines(run.id, 1))[1] == [(2, b"b"), (3, b"c")]


async def test_an_end_is_put_down_whole(store: Store, run: Run, chat: Conversation) -> None:
    end = ending(
        run,
        "Half",
        status=RunStatus.FAILED,
        reason="error",
        message_status=MessageStatus.INCOMPLETE,
        error_code="timeout",
        error_message="too long",
        cost=None,
    )
    assert await _held(store) == 60
    assert await store.engine.commit(BOOT, [append(run, 1, b"a")], [end]) == {run.id}
    stored = await store.of(ANA).runs.get(run.id)
    assert (stored.status, stored.reason, stored.ended_at) == (RunStatus.FAILED, "error", end.ended_at)
    assert (stored.error_code, stored.error_message) == ("timeout", "too long")
    assert (stored.usage, stored.cost) == (end.usage, None)
    answer = await store.of(ANA).messages.get(chat.id, run.message_id)
    assert (answer.content, answer.status) == ("Half", MessageStatus.INCOMPLETE)
    assert await store.of(ANA).runs.open(chat.id) == []
    assert await _held(store) == 15, "released, and spent what the entry says"


async def test_an_end_is_put_down_once(store: Store, run: Run) -> None:
    end = ending(run)
    assert await store.engine.commit(BOOT, [], [end]) == {run.id}
    # The same end again is that of a writer which lost the answer; another one comes too late.
    assert await store.engine.commit(BOOT, [], [end]) == {run.id}
    late = ending(run, "Late", ended_at=LATER, entries=(entry(run, usage=Usage(50, 0)),))
    assert await store.engine.commit(BOOT, [append(run, 9, b"late")], [late]) == set()
    assert (await store.of(ANA).messages.get(run.conversation_id, run.message_id)).content == "Hi."
    assert await store.engine.lines(run.id) == []
    assert await _held(store) == 15


async def test_every_attempt_is_in_the_ledger(store: Store, run: Run) -> None:
    first = ending(run, entries=(entry(run, attempt=1, usage=Usage(20, 0), cost=None, estimated=True),))
    await store.engine.commit(BOOT, [], [first])
    second = ending(run, ended_at=LATER, entries=(entry(run, attempt=2, cost=Picodollars(3)),))
    await store.engine.commit(BOOT, [], [second])
    assert await _held(store) == 35


async def test_what_was_reported_replaces_what_was_estimated(store: Store, run: Run) -> None:
    """A slow owner knows what its run took; who took the run over could only estimate it."""
    guess = entry(run, usage=Usage(0, 3), cost=Picodollars(1), estimated=True)
    await store.engine.commit(BOOT, [], [ending(run, entries=(guess,))])
    assert await _held(store) == 3
    for usage, estimated, counted in (
        (Usage(0, 9), True, 3),
        (Usage(20, 10), False, 30),
        (Usage(0, 9), True, 30),
        (Usage(1, 1), False, 30),
    ):
        late = ending(run, ended_at=LATER, entries=(entry(run, usage=usage, estimated=estimated),))
        assert await store.engine.commit("slow", [], [late]) == set()
        assert await _held(store) == counted


async def test_the_ledger_outlives_its_conversation(store: Store, run: Run, chat: Conversation) -> None:
    await store.of(ANA).conversations.delete(chat.id)
    assert await _held(store) == 60
    assert await store.engine.commit(BOOT, [append(run, 1, b"a")], [ending(run)]) == set()
    assert await _held(store) == 15


async def test_what_a_vanished_run_held_is_released(store: Store, run: Run, passing: Pass) -> None:
    await store.of(ANA).conversations.delete(run.conversation_id)
    await store.engine.claim(BOOT, await passing(59), LATER)
    assert await _held(store) == 60
    await store.engine.claim(BOOT, await passing(2), LATER)
    assert await _held(store) == 0


async def test_leases(store: Store, run: Run, other: Conversation) -> None:
    theirs = (await begin(store, other)).run
    ended = (await begin(store, other, parent_id=None)).run
    await store.engine.commit(BOOT, [], [ending(ended)])
    await store.of(ANA).runs.cancel(run.id)
    assert await store.engine.renew("another", [run.id], NOON, LATER) == {}
    assert await store.engine.renew(BOOT, [run.id, theirs.id, ended.id], NOON, LATER) == {
        run.id: RunStatus.CANCELLING,
        theirs.id: RunStatus.IN_PROGRESS,
    }


async def test_how_far_a_run_has_got(store: Store, run: Run, other: Conversation) -> None:
    """Its owner puts it down while it goes on; its end has the last word, and one without a word leaves it."""
    traffic = store.operator(ROOT).traffic
    going = Timing("attempt", NOON, first=LATER, provider="fake", model="echo", tokens=7)
    news = Progress(run.id, LATER, (going,))
    assert await store.engine.renew("another", [run.id], NOON, LATER, [news]) == {}
    assert (await traffic.run(run.id)).timings == ()
    await store.engine.renew(BOOT, [run.id], NOON, LATER, [news])
    seen = await traffic.run(run.id)
    assert (seen.timings, seen.run.first_token_at, seen.run.total_tokens) == ((going,), LATER, 7)
    await store.engine.commit(BOOT, [], [ending(run)])
    await store.engine.renew(BOOT, [run.id], NOON, LATER, [Progress(run.id, LATER, ())])
    seen = await traffic.run(run.id)
    assert (seen.timings, seen.run.total_tokens) == ((going,), ending(run).usage.total_tokens)


@pytest.mark.hostile(54)
async def test_a_run_that_its_own_boot_does_not_know_ends(
    store: Store, run: Run, other: Conversation
) -> None:
    """The answer to its first COMMIT was lost: the run is there, and nobody executes it."""
    known = (await begin(store, other)).run
    assert await store.engine.claim(BOOT, NOON, LATER) == []
    await lapse(store, run, known)
    assert await store.engine.renew(BOOT, [known.id], NOON, LATER) == {known.id: RunStatus.IN_PROGRESS}
    assert await store.engine.renew(BOOT, [], NOON, LATER) == {}
    assert [each.id for each in await store.engine.claim(BOOT, NOON, LATER)] == [run.id]
    assert await store.engine.claim(BOOT, NOON, LATER) == []
    cut = ending(run, "", status=RunStatus.INCOMPLETE, reason="crashed")
    assert await store.engine.commit(BOOT, [], [cut]) == {run.id}


@pytest.mark.hostile(61)
async def test_a_boot_that_is_gone_is_fenced(store: Store, run: Run, other: Conversation) -> None:
    theirs = (await begin(store, other)).run
    await store.engine.commit(BOOT, [append(theirs, 1, b"a")], [])
    ended = (await begin(store, other, parent_id=None)).run
    await store.engine.commit(BOOT, [], [ending(ended)])
    await lapse(store, run, theirs)
    claimed = await store.engine.claim("boot-2", LATER, AGAIN)
    assert {each.id for each in claimed} == {run.id, theirs.id}
    assert {each.owner for each in claimed} == {"boot-2"}
    assert await store.engine.claim("boot-2", LATER, AGAIN) == []
    # The old owner wakes up: it appends nothing, ends nothing, and what it spent is in the ledger.
    late = ending(run, "Late", entries=(entry(run, attempt=1),))
    assert await store.engine.commit(BOOT, [append(run, 1, b"x"), append(theirs, 2, b"x")], [late]) == set()
    assert await store.engine.renew(BOOT, [run.id, theirs.id], LATER, AGAIN) == {}
    assert await store.engine.lines(run.id) == []
    assert (await store.of(ANA).runs.get(run.id)).ended_at is None
    assert await _held(store) == 75, "what the run holds is its new owner's to release"
    gone = ending(run, "", status=RunStatus.INCOMPLETE, reason="crashed", entries=())
    assert await store.engine.commit("boot-2", [], [gone]) == {run.id}
    assert await _held(store) == 15
    # The new owner goes on where the journal ends.
    lines = await store.engine.lines(theirs.id)
    assert lines == [(1, b"a")]
    cut = ending(theirs, "", status=RunStatus.INCOMPLETE, reason="crashed")
    assert await store.engine.commit("boot-2", [append(theirs, 2, b"b")], [cut]) == {theirs.id}
    assert await store.engine.lines(theirs.id) == [(1, b"a"), (2, b"b")]


@pytest.mark.hostile(61)
async def test_claim_against_append(store: Store, chat: Conversation) -> None:
    """Whoever wins, no two boots write the same number."""
    for _ in range(20):
        run = (await begin(store, chat, parent_id=None, lease_until=PAST)).run
        new = new_id()

        async def take_over(run: Run = run, new: str = new) -> None:
            if run.id in {each.id for each in await store.engine.claim(new, LATER, AGAIN)}:
                seq = len(await store.engine.lines(run.id))
                await store.engine.commit(new, [append(run, seq + 1, b"new")], [ending(run)])

        async def go_on(run: Run = run) -> None:
            for seq in range(1, 6):
                await store.engine.commit(BOOT, [append(run, seq, b"old")], [])

        await asyncio.gather(go_on(), take_over())
        lines = await store.engine.lines(run.id)
        assert [seq for seq, _ in lines] == list(range(1, len(lines) + 1))
        assert [line for _, line in lines] == [b"old"] * (len(lines) - 1) + [b"new"]


@pytest.mark.hostile(61)
async def test_stop_against_completion(store: Store, chat: Conversation) -> None:
    for _ in range(20):
        run = (await begin(store, chat, parent_id=None)).run
        _, ours = await asyncio.gather(
            store.of(ANA).runs.cancel(run.id), store.engine.commit(BOOT, [], [ending(run)])
        )
        assert ours == {run.id}
        assert (await store.of(ANA).runs.get(run.id)).status is RunStatus.COMPLETED


async def test_cancel(store: Store, run: Run) -> None:
    records = store.of(ANA).runs
    assert (await records.cancel(run.id)).status is RunStatus.CANCELLING
    assert (await records.cancel(run.id)).status is RunStatus.CANCELLING
    end = ending(run, status=RunStatus.CANCELLED, reason="stopped")
    assert await store.engine.commit(BOOT, [], [end]) == {run.id}
    assert (await records.cancel(run.id)).status is RunStatus.CANCELLED
    assert (await records.get(run.id)).status is RunStatus.CANCELLED
    with pytest.raises(RunNotFound):
        await records.cancel(new_id())


@pytest.mark.hostile(25)
async def test_what_a_model_may_say(store: Store, run: Run) -> None:
    """A NUL, too: it is kept, or something stands in its place, but the end is never refused."""
    said = "a\0b \u202e \ufeff \u2028 \U0001f600 \\u0000 '"
    assert await store.engine.commit(BOOT, [], [ending(run, said, error_message="\0")]) == {run.id}
    stored = await store.of(ANA).messages.get(run.conversation_id, run.message_id)
    assert stored.content.replace("\ufffd", "\0") == said


@pytest.mark.parametrize("said", [r'{"a": "\u0000"}', r"[\u0000]", r"{\\u0000", "{\0"])
async def test_what_looks_like_json_is_kept_as_it_was_typed(
    store: Store, chat: Conversation, said: str
) -> None:
    run = (await begin(store, chat, said)).run
    await store.engine.commit(BOOT, [], [ending(run, said)])
    found = await store.of(ANA).messages.many(chat.id, [run.user_message_id or "", run.message_id])
    assert [each.content.replace("\ufffd", "\0") for each in found.values()] == [said, said]


async def test_metadata_may_hold_a_nul(store: Store) -> None:
    made = conversation(ANA, metadata={"a": "\0", "b": r"\u0000"})
    await store.of(ANA).conversations.create(made)
    found = (await store.of(ANA).conversations.get(made.id)).metadata
    assert {key: value.replace("\ufffd", "\0") for key, value in found.items()} == made.metadata
