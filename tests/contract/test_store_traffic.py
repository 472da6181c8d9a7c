"""The runs of all users over time, on both databases: counted, ranked, and one of them in its course."""

import math
import random
from itertools import count
from typing import Any

import pytest
from tests.stores import ANA, BIA, BOOT, NOON, append, begin, boundary, ending, entry, step

from prosa.domain.calendar import Calendar, Period
from prosa.domain.conversations import Conversation
from prosa.domain.errors import RunNotFound
from prosa.domain.ids import id_at, new_id
from prosa.domain.load import Held
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.principal import Principal
from prosa.domain.runs import Run, RunStatus
from prosa.domain.steps import StepStatus
from prosa.domain.time import SECOND, Instant
from prosa.domain.timing import Timing
from prosa.domain.traffic import Bucket, Failures, Latency, SeenStep, Stride, Wanted
from prosa.ports.store import Store
from prosa.ports.traffic import Traffic

ROOT = Principal("root", roles=frozenset({"admin"}))
START = Instant(NOON - NOON % Stride.HOUR)
UTC = Calendar()
HOUR = Period(START, Instant(START + Stride.HOUR))
_chance = count()


@pytest.fixture
def traffic(store: Store) -> Traffic:
    return store.operator(ROOT).traffic


def identity(at: int) -> str:
    """An id as it would have been made then."""
    return id_at(at // 1_000 << 26, next(_chance))


async def begun(store: Store, chat: Conversation, at: int) -> Run:
    fields = {"run_id": identity(at), "message_id": new_id(), "user_message_id": new_id()}
    return (await begin(store, chat, now=Instant(at), lease_until=Instant(at + SECOND), **fields)).run


async def ended(
    store: Store, chat: Conversation, at: int, took: int, first: int | None = None, **fields: Any
) -> Run:
    """A run of this moment that took so many microseconds."""
    run = await begun(store, chat, at)
    end = Instant(at + took)
    spent = entry(run, id=identity(end), created_at=end, usage=Usage(10, 5), cost=Picodollars(7))
    said = None if first is None else Instant(at + first)
    done = ending(run, ended_at=end, entries=(spent,), first_token_at=said, **fields)
    assert await store.engine.commit(BOOT, [append(run, 1, b"{}")], [done]) == {run.id}
    return run


async def test_what_happened_in_each_step(
    store: Store, chat: Conversation, other: Conversation, traffic: Traffic
) -> None:
    await ended(store, chat, START, 2_000, 1_000)
    await ended(store, other, START + 59 * SECOND, 4_000)
    failed: dict[str, Any] = {"status": RunStatus.FAILED, "reason": "error", "error_code": "timeout"}
    await ended(store, chat, START + 60 * SECOND, 9_000, **failed)
    await begun(store, other, START + 61 * SECOND)
    for outside in (START - 6, START + Stride.HOUR):
        await ended(store, chat, outside, 5)
    first, second, *idle = await traffic.flow(Stride.MINUTE.steps(HOUR, UTC))
    assert first == Bucket(
        START, {RunStatus.COMPLETED: 2}, Latency(1_000, 1_000), Latency(2_000, 4_000), 20, 10, Picodollars(14)
    )
    assert second == Bucket(
        Instant(START + 60 * SECOND),
        {RunStatus.FAILED: 1, RunStatus.IN_PROGRESS: 1},
        prompt_tokens=10,
        completion_tokens=5,
        cost=Picodollars(7),
    )
    assert idle == [Bucket(Instant(START + place * Stride.MINUTE), {}) for place in range(2, 60)]


async def test_days_are_those_of_the_time_zone(store: Store, chat: Conversation, traffic: Traffic) -> None:
    """On 25 October 2026 the clocks are put back in Lisbon: that day has 25 hours."""
    lisbon = Calendar("Europe/Lisbon")
    first, change, last = (lisbon.moment(2026, 10, day) for day in (24, 25, 26))
    for at in (first, change - 1, change, last - 1, last):
        await ended(store, chat, at, 5)
    days = Stride.DAY.steps(Period(Instant(first + 1), Instant(last + 1)), lisbon)
    assert [(each.at, sum(each.runs.values())) for each in await traffic.flow(days)] == [
        (first, 2), (change, 2), (last, 1)
    ]  # fmt: skip


async def test_a_time_without_steps(traffic: Traffic) -> None:
    assert await traffic.flow([]) == []


@pytest.mark.parametrize("number", [1, 2, 19, 20, 21, 100])
async def test_percentiles_are_by_nearest_rank(
    store: Store, chat: Conversation, traffic: Traffic, number: int
) -> None:
    chance = random.Random(number)
    took = [chance.randrange(1, 10_000_000) for _ in range(number)]
    for value in took:
        await ended(store, chat, START, value, value // 2)
    took.sort()
    p50, p95 = (took[math.ceil(number * part / 100) - 1] for part in (50, 95))
    (bucket,) = await traffic.flow([HOUR])
    assert bucket.duration == Latency(p50, p95)
    assert bucket.first_token == Latency(p50 // 2, p95 // 2)


async def test_why_runs_failed(store: Store, chat: Conversation, traffic: Traffic) -> None:
    for place, code in enumerate(["timeout", "rate_limited", "timeout"]):
        await ended(store, chat, START + place, 5, status=RunStatus.FAILED, reason="error", error_code=code)
    await ended(store, chat, START, 5)
    assert await traffic.failures(HOUR, 10) == [
        Failures("timeout", "fake", "echo", 2, Instant(START + 7)),
        Failures("rate_limited", "fake", "echo", 1, Instant(START + 6)),
    ]
    assert len(await traffic.failures(HOUR, 1)) == 1


async def test_runs_of_all_users_newest_first(
    store: Store, chat: Conversation, other: Conversation, traffic: Traffic
) -> None:
    one = await ended(store, chat, START, 2_000, 1_000)
    two = await ended(store, other, START + 5, 9, status=RunStatus.FAILED, reason="error", error_code="x")
    three = await begun(store, chat, START + 10_000)

    async def ids(limit: int = 10, before: str | None = None, **wanted: Any) -> list[str]:
        return [each.id for each in await traffic.runs(Wanted(**wanted), limit, before)]

    assert await ids() == [three.id, two.id, one.id]
    assert await ids(2) == [three.id, two.id]
    assert await ids(2, two.id) == [one.id]
    assert await ids(status=RunStatus.FAILED) == await ids(user_id=BIA.user_id) == [two.id]
    assert await ids(provider="fake", model="echo") == [three.id, two.id, one.id]
    assert await ids(model="other") == []
    assert await ids(since=Instant(START + 5), until=Instant(START + 10_000)) == [two.id]
    seen = (await traffic.runs(Wanted(), 1, two.id))[0]
    assert (seen.user_id, seen.first_token_at, seen.total_tokens, seen.cost) == (
        ANA.user_id, START + 1_000, 15, 7,
    )  # fmt: skip


async def test_the_course_of_a_run(store: Store, chat: Conversation, traffic: Traffic) -> None:
    """What a boundary has put down of it stays where its end knows nothing, as after a crash."""
    run = await begun(store, chat, START)
    asked = Timing(
        "attempt", Instant(START + 1), Instant(START + 9), provider="fake", model="echo", tokens=15
    )
    put = boundary(run, step(run), first_token_at=Instant(START + 3), timings=(asked,))
    await store.engine.commit(BOOT, [], [], [put])
    late = ending(run, ended_at=Instant(START + 20), first_token_at=Instant(START + 15))
    await store.engine.commit(BOOT, [], [late])
    seen = await traffic.run(run.id)
    assert seen.timings == (asked,)
    assert seen.run.first_token_at == START + 3
    assert seen.steps == (SeenStep("weather", StepStatus.WAITING, "output", NOON, None),)
    with pytest.raises(RunNotFound):
        await traffic.run(new_id())


async def test_each_look_leaves_a_row(store: Store, chat: Conversation, traffic: Traffic) -> None:
    from prosa.domain.audit import Wanted as Sought

    run = await ended(store, chat, START, 5)
    await traffic.flow([HOUR])
    await traffic.failures(HOUR, 1)
    await traffic.runs(Wanted(user_id="ana"), 1, None)
    await traffic.run(run.id)
    rows = [each.deed for each in await store.operator(ROOT).audit.page(Sought(), 10, None)]
    assert [(each.actor, each.action, each.target, each.details) for each in reversed(rows)] == [
        ("root", "admin.traffic.read", "", {}),
        ("root", "admin.errors.read", "", {}),
        ("root", "admin.runs.read", "", {"user": "ana"}),
        ("root", "admin.runs.read", f"run:{run.id}", {}),
    ]


async def test_what_is_held_and_how_busy_it_is(store: Store, chat: Conversation) -> None:
    assert await store.engine.held() == Held(0, 0, Picodollars(0))
    run = (await begin(store, chat, tokens=70, cost=5)).run
    assert await store.engine.held() == Held(1, 70, Picodollars(5))
    await store.engine.commit(BOOT, [], [ending(run)])
    assert (await store.engine.held()).number == 0
    load = store.load()
    assert load.waiting == 0
    assert all(busy >= 0 and busy + idle >= 1 for busy, idle in load.connections.values())
    assert load.connections.keys() in ({"app", "engine"}, set())
