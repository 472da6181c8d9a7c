"""Alerts in the store: put down once, delivered by one node at a time, and told of in order."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.conftest import Place, postgres_place
from tests.hooks import SECRET, Hook, signed
from tests.postgres import Database
from tests.stores import ANA, NOON, Ears
from tests.unit.services.house import House

from prosa.adapters.alerts.webhook import Webhook
from prosa.domain.alerts import Alert, Kind, Rules, Spent
from prosa.domain.calendar import Calendar
from prosa.domain.ending import Entry
from prosa.domain.ids import id_at, new_id
from prosa.domain.limits import Bound, Cap, Limits, Scope
from prosa.domain.models import Usage, UsageReport
from prosa.domain.money import Picodollars
from prosa.domain.opening import Holding
from prosa.domain.principal import Principal
from prosa.domain.time import DAY, SECOND, Instant, now
from prosa.kit.backoff import Backoff
from prosa.ports.store import Store
from prosa.services.alerts.post import Post

DAYS = Calendar()


def alert(subject: str = "user:ana", level: int = 50, **fields: Any) -> Alert:
    made = Alert(new_id(), Kind.TOKENS, subject, "2026-09-21", level, {"limit": "10"}, NOON, ("webhook",),
                 next_at=NOON)  # fmt: skip
    return replace(made, **fields)


def later(seconds: float) -> Instant:
    return Instant(NOON + round(seconds * SECOND))


async def test_once_for_each_level_and_period(store: Store) -> None:
    first = alert()
    assert await store.alerts.put([first, alert(), alert(level=80)]) == [
        first,
        *await store.alerts.page(1, None),
    ]
    again = [alert(), alert(level=80), alert(period="2026-09-22"), alert(kind=Kind.COST)]
    assert await store.alerts.put(again) == again[2:]
    assert len(await store.alerts.page(10, None)) == 4


async def test_many_at_once_put_down_one(store: Store) -> None:
    put = await asyncio.gather(
        *(store.alerts.put([alert(level=level)]) for level in (50, 80) for _ in range(20))
    )
    assert sum(map(len, put)) == 2


async def test_not_again_before_it_has_cooled_down(store: Store) -> None:
    one = alert(kind=Kind.ERRORS, period="1")
    assert await store.alerts.put([one], Instant(NOON - DAY)) == [one]
    soon = alert(kind=Kind.ERRORS, period="2", at=later(10))
    assert await store.alerts.put([soon], later(-50)) == []
    assert await store.alerts.put([replace(soon, id=new_id(), subject="user:bia")], later(-50)) != []
    assert await store.alerts.put([soon], later(5)) == [soon]


async def test_one_node_delivers_until_its_time_is_over(store: Store) -> None:
    put = await store.alerts.put([alert(level=level) for level in (50, 80, 100)])
    taken = await asyncio.gather(*(store.alerts.due(NOON, later(60), 2) for _ in range(10)))
    found = [each for some in taken for each in some]
    assert {each.id for each in found} == {each.id for each in put}
    assert len(found) == 3
    assert {each.attempts for each in found} == {1}
    assert await store.alerts.due(later(59), later(100), 9) == []
    (again, *_) = await store.alerts.due(later(60), later(100), 9)
    assert (again.attempts, again.next_at) == (2, later(100))


async def test_what_is_settled_is_over(store: Store) -> None:
    await store.alerts.put([alert(owed=("webhook", "apprise"))])
    (taken,) = await store.alerts.due(NOON, later(60), 9)
    await store.alerts.settle(replace(taken, owed=("apprise",), next_at=later(5)))
    assert await store.alerts.due(later(4), later(60), 9) == []
    (taken,) = await store.alerts.due(later(5), later(60), 9)
    assert taken.owed == ("apprise",)
    await store.alerts.settle(replace(taken, owed=(), next_at=None, delivered_at=later(6)))
    assert await store.alerts.due(later(1_000), later(2_000), 9) == []
    (found,) = await store.alerts.page(9, None)
    assert found == replace(taken, owed=(), next_at=None, delivered_at=later(6))


async def test_pages(store: Store) -> None:
    put = await store.alerts.put([alert(level=level) for level in range(1, 6)])
    first = await store.alerts.page(3, None)
    assert first + await store.alerts.page(3, first[-1].id) == put[::-1]


async def test_what_is_spent_of_limits(store: Store) -> None:
    limits = Limits(100, Picodollars(100), client=Cap(tokens_per_day=10**6), client_id="acme")
    for who in (Principal("ana", "acme"), Principal("bia", "acme")):
        hold = new_id()
        await store.of(who).ledger.hold(
            Holding((hold,), "acme"), limits, lambda _: Bound("m", 1, Picodollars(1)), NOON
        )
        entries = [
            Entry(
                new_id(),
                hold,
                who.user_id,
                "acme",
                None,
                place,
                "p",
                "m",
                Usage(10, 5),
                Picodollars(7),
                False,
                at,
            )
            for place, at in enumerate((NOON, Instant(NOON - DAY), Instant(NOON - 40 * DAY)), 1)
        ]
        await store.of(who).ledger.release(hold, entries)
    asked = [(Scope.USER, "ana"), (Scope.USER, "bia"), (Scope.CLIENT, "acme"), (Scope.EVERYONE, "")]
    assert await store.alerts.spent(asked, DAYS, NOON) == {
        (Scope.USER, "ana"): Spent(15, Picodollars(14)),
        (Scope.USER, "bia"): Spent(15, Picodollars(14)),
        (Scope.CLIENT, "acme"): Spent(30, Picodollars(28)),
    }


async def test_nobody_elses_level_is_lost_with_a_node(place: Place) -> None:
    """What one node has put down, and not delivered before it went, the next start delivers."""
    store = place()
    await store.open(Ears())
    put = await store.alerts.put([alert(at=now(), next_at=now())])
    await store.close()
    async with Hook([500, 503]).listening() as hook:
        store = place()
        await store.open(Ears())
        post = Post(store, [Webhook(hook.url, SECRET, "en")], waits=Backoff(base=0.01), look=0.01)
        post.open()
        told = await hook.until(3)
        await post.idle()
        await post.close()
        (kept,) = await store.alerts.page(9, None)
        await store.close()
    assert [each["id"] for each in told] == [put[0].id] * 3
    assert all(signed(*call) for call in hook.calls)
    assert (kept.attempts, kept.owed, kept.next_at) == (3, (), None)


@pytest.mark.hostile(62)
async def test_one_delivery_for_each_level_with_a_hundred_runs_on_two_nodes(
    database: Database, tmp_path: Any
) -> None:
    place = postgres_place(database)
    script = ["Oi", UsageReport(Usage(96, 4))]
    limits = Limits(tokens_per_day=10_000, everyone=Cap(tokens_per_day=20_000))
    async with Hook().listening() as hook:
        houses = [
            House(tmp_path / str(node), script, store=place(), limits=limits, most=4, alerting=Rules(),
                  messengers=[Webhook(hook.url, SECRET, "en")])
            for node in range(2)
        ]  # fmt: skip
        async with houses[0], houses[1]:
            async with asyncio.TaskGroup() as group:
                for place_ in range(100):
                    group.create_task(_one(houses[place_ % 2]))
            told = await hook.until(4)
            (entries, _) = await houses[0].store.of(ANA).usage.sums(Instant(now() - DAY), now(), DAYS)
            assert sum(share.sum.usage.total_tokens for share in entries) == 10_000
        kept = await _alerts(place)
    levels = sorted((each["subject"], each["level"]) for each in told)
    assert levels == [("everyone", 50), ("user:ana", 50), ("user:ana", 80), ("user:ana", 100)]
    assert len(hook.calls) == 4
    assert {each.attempts for each in kept} == {1}


async def _one(house: House) -> None:
    _, reader = await house.send(await house.conversation(), "Hi")
    while await reader.read():
        pass


async def _alerts(place: Place) -> list[Alert]:
    store = place()
    await store.open(Ears())
    try:
        return await store.alerts.page(99, None)
    finally:
        await store.close()


async def test_what_is_long_past_is_forgotten(store: Store) -> None:
    old = alert(id=id_at((NOON // 1_000) << 26, 1))
    await store.alerts.put([old])
    await store.alerts.put([alert(level=80, at=Instant(NOON + 399 * DAY))])
    assert len(await store.alerts.page(9, None)) == 2
    last = alert(level=100, at=Instant(NOON + 401 * DAY))
    await store.alerts.put([last])
    assert old not in await store.alerts.page(9, None)
