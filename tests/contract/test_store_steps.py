"""Runs at tool boundaries: what is put down, how they wait, and how they go on."""

import asyncio

import pytest
from tests.stores import (
    ANA,
    BIA,
    BOOT,
    LEASE,
    NOON,
    append,
    begin,
    boundary,
    conversation,
    ending,
    entry,
    step,
)

from prosa.domain.conversations import Conversation
from prosa.domain.ending import Pause
from prosa.domain.errors import InvalidRequest, RunNotFound, RunNotWaiting, TokenLimitReached
from prosa.domain.limits import Bound, Limits
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.runs import Run, RunStatus
from prosa.domain.steps import StepStatus, Verdict
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store

SOON = Instant(NOON + 60 * SECOND)
UNTIL = Instant(NOON + LEASE)
PAUSED = b"\x00how to go on"
DAY = Limits(tokens_per_day=100)
SUNNY = Verdict("call-0", "output", StepStatus.COMPLETED, "sunny \0 é")


@pytest.fixture
async def run(store: Store, chat: Conversation) -> Run:
    return (await begin(store, chat, tokens=60, limits=DAY)).run


async def _pause(store: Store, run: Run, *waiting: object) -> None:
    steps = waiting or (step(run),)
    pause = Pause(PAUSED, SOON, append(run, 2, b"b"))
    await store.engine.commit(BOOT, [append(run, 1, b"a")], [], [boundary(run, *steps, pause=pause)])


async def test_a_boundary_is_put_down_whole(store: Store, run: Run, chat: Conversation) -> None:
    going = step(run, status=StepStatus.IN_PROGRESS, needs=None, kind="function")
    told = boundary(run, going)
    assert await store.engine.commit(BOOT, [append(run, 1, b"a")], [], [told]) == {run.id}
    stored = await store.of(ANA).runs.get(run.id)
    assert (stored.status, stored.attempts, stored.settled) == (RunStatus.IN_PROGRESS, 1, 1)
    assert stored.usage == Usage(20)
    answer = await store.of(ANA).messages.get(chat.id, run.message_id)
    assert (answer.content, answer.parts) == (told.content, told.parts)
    assert await store.of(ANA).steps.of(run.id) == await store.engine.steps(run.id) == [going]
    assert await store.of(BIA).steps.of(run.id) == []
    assert await store.engine.lines(run.id) == [(1, b"a")]
    done = step(run, id=going.id, status=StepStatus.COMPLETED, result="sunny", ended_at=NOON, needs=None,
                kind="function")  # fmt: skip
    await store.engine.commit(
        BOOT, [], [], [boundary(run, done, entries=(entry(run), entry(run, attempt=2)))]
    )
    assert await store.of(ANA).steps.of(run.id) == [done]
    late = step(run, status=StepStatus.FAILED, result="late", ended_at=NOON)
    await store.engine.commit(BOOT, [], [], [boundary(run, late)])
    assert await store.of(ANA).steps.of(run.id) == [done], "a step ends once"


async def test_a_fenced_owner_only_pays(store: Store, run: Run) -> None:
    assert (
        await store.engine.commit("another", [append(run, 1, b"a")], [], [boundary(run, step(run))]) == set()
    )
    assert await store.of(ANA).steps.of(run.id) == []
    assert await store.engine.lines(run.id) == []


async def test_a_run_waits_and_goes_on(store: Store, run: Run) -> None:
    await _pause(store, run)
    stored = await store.of(ANA).runs.get(run.id)
    assert (stored.status, stored.owner, stored.expires_at) == (RunStatus.REQUIRES_ACTION, "", SOON)
    assert await store.engine.claim(BOOT, UNTIL, SOON) == [], "nobody takes it over while it waits"
    resumed = await store.of(ANA).steps.say(run.id, [SUNNY], "boot-2", NOON, UNTIL)
    assert (resumed.checkpoint, resumed.last_seq) == (PAUSED, 2)
    assert [(each.status, each.ended_at) for each in resumed.steps] == [(StepStatus.COMPLETED, NOON)]
    stored = await store.of(ANA).runs.get(run.id)
    assert (stored.status, stored.owner, stored.expires_at) == (RunStatus.IN_PROGRESS, "boot-2", None)
    assert stored == resumed.run
    assert await store.engine.renew("boot-2", [run.id], NOON, UNTIL) == {run.id: RunStatus.IN_PROGRESS}
    with pytest.raises(RunNotWaiting):
        await store.of(ANA).steps.say(run.id, [SUNNY], "boot-3", NOON, UNTIL)


async def test_it_waits_until_nothing_is_missing(store: Store, run: Run) -> None:
    await _pause(store, run, step(run), step(run, 1, needs="approval", kind="function"))
    allowed = Verdict("call-1", "approval", StepStatus.ALLOWED)
    half = await store.of(ANA).steps.say(run.id, [allowed], BOOT, NOON, UNTIL)
    assert half.checkpoint is None
    with pytest.raises(RunNotWaiting):
        await store.of(ANA).steps.say(
            run.id, [Verdict("call-1", "approval", StepStatus.DENIED)], BOOT, NOON, UNTIL
        )
    whole = await store.of(ANA).steps.say(run.id, [SUNNY], BOOT, NOON, UNTIL)
    assert whole.checkpoint is not None
    assert [each.status for each in whole.steps] == [StepStatus.COMPLETED, StepStatus.ALLOWED]


@pytest.mark.hostile(12)
async def test_what_is_not_the_callers_to_say(store: Store, run: Run) -> None:
    await _pause(store, run, step(run), step(run, 1, needs="approval"))
    with pytest.raises(RunNotFound):
        await store.of(BIA).steps.say(run.id, [SUNNY], BOOT, NOON, UNTIL)
    for verdict, refused in (
        (Verdict("call-9", "output", StepStatus.COMPLETED, ""), InvalidRequest),
        (Verdict("call-1", "output", StepStatus.COMPLETED, "forged"), RunNotWaiting),
        (Verdict("call-0", "approval", StepStatus.ALLOWED), RunNotWaiting),
    ):
        with pytest.raises(refused):
            await store.of(ANA).steps.say(run.id, [SUNNY, verdict], BOOT, NOON, UNTIL)
    assert {each.status for each in await store.of(ANA).steps.of(run.id)} == {StepStatus.WAITING}


async def test_of_two_that_decide_at_once_one_is_heard(store: Store, run: Run) -> None:
    await _pause(store, run, step(run, needs="approval"))
    said = [Verdict("call-0", "approval", status) for status in (StepStatus.ALLOWED, StepStatus.DENIED)] * 5
    heard = await asyncio.gather(
        *(store.of(ANA).steps.say(run.id, [verdict], BOOT, NOON, UNTIL) for verdict in said),
        return_exceptions=True,
    )
    assert sum(not isinstance(each, RunNotWaiting) for each in heard) == 1


async def test_one_that_waited_too_long_is_taken_over(store: Store, run: Run) -> None:
    await _pause(store, run)
    late = Instant(SOON + 1)
    assert [each.id for each in await store.engine.claim("boot-2", late, Instant(late + LEASE))] == [run.id]
    parts = boundary(run).parts
    end = ending(run, status=RunStatus.EXPIRED, parts=parts, entries=(entry(run, attempt=2),))
    assert await store.engine.commit("boot-2", [], [end]) == {run.id}
    assert [each.status for each in await store.of(ANA).steps.of(run.id)] == [StepStatus.CANCELLED]


async def test_a_stop_meanwhile_beats_the_pause(store: Store, run: Run) -> None:
    await store.of(ANA).runs.cancel(run.id)
    await _pause(store, run)
    stored = await store.of(ANA).runs.get(run.id)
    assert (stored.status, stored.owner) == (RunStatus.CANCELLING, BOOT)
    assert await store.engine.lines(run.id) == [(1, b"a")], "nobody is asked for anything"
    with pytest.raises(RunNotWaiting):
        await store.of(ANA).steps.say(run.id, [SUNNY], BOOT, NOON, UNTIL)


async def test_one_that_is_stopped_while_it_waits_is_taken_over_at_once(store: Store, run: Run) -> None:
    await _pause(store, run)
    await store.of(ANA).runs.cancel(run.id)
    assert [each.id for each in await store.engine.claim("boot-2", NOON, UNTIL)] == [run.id]


async def test_a_late_end_lets_go_of_nothing_that_is_needed(store: Store, run: Run) -> None:
    """The pause was taken, and its owner thinks that it was not."""
    await _pause(store, run)
    assert await store.engine.commit(BOOT, [], [ending(run, entries=())]) == set()
    assert (await store.of(ANA).runs.get(run.id)).status is RunStatus.REQUIRES_ACTION
    await store.engine.hold(run.id, ANA.user_id, DAY, Bound("echo", 60, Picodollars(0)), NOON)
    aside, _ = await store.of(ANA).conversations.create(conversation(ANA))
    with pytest.raises(TokenLimitReached):
        await begin(store, aside, tokens=26, limits=DAY)  # 15 are spent, 60 held again


async def test_what_is_held_follows_the_rounds(store: Store, run: Run, chat: Conversation) -> None:
    """60 of 100 are held; a round that took 15 leaves 85, for the next or for anybody else meanwhile."""
    await store.engine.commit(BOOT, [], [], [boundary(run)])
    other, _ = await store.of(ANA).conversations.create(conversation(ANA))
    found = await begin(store, other, tokens=0, limits=DAY)
    assert found.remaining.tokens == 85
    await store.engine.commit(BOOT, [], [ending(found.run, entries=())])
    with pytest.raises(TokenLimitReached):
        await store.engine.hold(run.id, ANA.user_id, DAY, Bound("echo", 86, Picodollars(0)), NOON)
    left = await store.engine.hold(run.id, ANA.user_id, DAY, Bound("echo", 85, Picodollars(0)), NOON)
    assert left.tokens == 85
    aside, _ = await store.of(ANA).conversations.create(conversation(ANA))
    with pytest.raises(TokenLimitReached):
        await begin(store, aside, tokens=1, limits=DAY)
