"""Sums of the ledger by day, model and provider: exact, one's own, and by the clocks of the time zone."""

import random
from typing import Any

import pytest
from msgspec.structs import replace
from tests.stores import ANA, BIA, NOON, begin, ending, entry, message, turn

from prosa.domain.audit import Wanted as Sought
from prosa.domain.calendar import Calendar
from prosa.domain.conversations import Conversation, MessageKind
from prosa.domain.ending import Entry
from prosa.domain.ids import new_id
from prosa.domain.limits import Limits
from prosa.domain.models import Role, Usage
from prosa.domain.money import Picodollars
from prosa.domain.principal import Principal
from prosa.domain.time import DAY, SECOND, Instant, from_iso
from prosa.domain.usage import Sum, Wanted, added
from prosa.ports.store import Store

HOUR = 3_600 * SECOND
UTC_DAYS, BERLIN = Calendar(), Calendar("Europe/Berlin")


def spent(at: Instant = NOON, **fields: Any) -> Entry:
    """An entry of Ana's that belongs to no run."""
    made = Entry(
        id=new_id(), run_id=new_id(), user_id="ana", client_id="", conversation_id=None, attempt=1,
        provider="openai", model="gpt-4o", usage=Usage(10, 5, 4, 3, 2), cost=Picodollars(7), estimated=False,
        created_at=at,
    )  # fmt: skip
    return replace(made, **fields)


async def put(store: Store, *entries: Entry) -> None:
    for each in entries:
        await store.of(ANA if each.user_id == "ana" else BIA).ledger.release(each.run_id, [each])


async def test_sums_by_day_and_model(store: Store) -> None:
    day = UTC_DAYS.start_of_day(NOON)
    await put(
        store,
        spent(),
        spent(usage=Usage(1, 1), cost=None, estimated=True),
        spent(model="gpt-4o-mini", estimated=True),
        spent(Instant(day - 1)),
        spent(Instant(day)),
        spent(user_id="bia", usage=Usage(1_000)),
        spent(Instant(day + DAY)),
    )
    shares, _ = await store.of(ANA).usage.sums(Instant(day - DAY), Instant(day + DAY), UTC_DAYS)
    assert [(share.day, share.model, share.sum) for share in shares] == [
        ("2026-09-20", "gpt-4o", Sum(1, Usage(10, 5, 4, 3, 2), Picodollars(7), 0, 0)),
        ("2026-09-21", "gpt-4o", Sum(3, Usage(21, 11, 8, 6, 4), Picodollars(14), 1, 1)),
        ("2026-09-21", "gpt-4o-mini", Sum(1, Usage(10, 5, 4, 3, 2), Picodollars(7), 1, 0)),
    ]
    assert {share.provider for share in shares} == {"openai"}


async def test_days_are_those_of_the_time_zone(store: Store) -> None:
    """The clocks are put back on 25 October 2026 at 01:00 UTC."""
    since, until = BERLIN.moment(2026, 10, 24), BERLIN.moment(2026, 10, 28)
    moments = ("2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", "2026-10-25T00:59:00Z", "2026-10-25T01:00:00Z",
               "2026-10-25T22:59:59.999999Z", "2026-10-25T23:00:00Z", "2026-10-27T22:59:59Z")  # fmt: skip
    await put(store, *(spent(from_iso(moment) or NOON) for moment in moments))
    shares, _ = await store.of(ANA).usage.sums(since, until, BERLIN)
    assert {share.day: share.sum.requests for share in shares} == {
        "2026-10-24": 1, "2026-10-25": 4, "2026-10-26": 1, "2026-10-27": 1
    }  # fmt: skip


@pytest.mark.hostile(64)
async def test_sums_beyond_64_bits(store: Store) -> None:
    """A provider that reports a billion tokens of the dearest model, and another, and another."""
    most = spent(usage=Usage(10**9, 10**9), cost=Picodollars(9 * 10**18))
    await put(store, *(replace(most, id=new_id(), run_id=new_id()) for _ in range(3)))
    shares, _ = await store.of(ANA).usage.sums(NOON, Instant(NOON + 1), UTC_DAYS)
    assert added(share.sum for share in shares).cost == 27 * 10**18
    assert shares[0].sum.usage.total_tokens == 6 * 10**9


async def test_messages_as_their_owner_sees_them(
    store: Store, chat: Conversation, other: Conversation
) -> None:
    records = store.of(ANA).messages
    await records.append(message(chat, created_at=Instant(NOON - DAY)), at_head=True)
    await turn(store, chat)
    await turn(store, other)
    await records.append(message(chat, role=Role.SYSTEM), at_head=True)
    await records.append(message(chat, kind=MessageKind.SUMMARY), at_head=True)
    _, count = await store.of(ANA).usage.sums(NOON, Instant(NOON + DAY), UTC_DAYS)
    assert count == 2
    _, count = await store.of(ANA).usage.sums(Instant(NOON - DAY), Instant(NOON + DAY), UTC_DAYS)
    assert count == 3


async def test_entries_piece_by_piece(store: Store, chat: Conversation) -> None:
    run = (await begin(store, chat)).run
    kept = entry(run, route="fast", key_id=new_id(), price_version="genai-prices 1", estimated=True)
    await store.engine.commit(run.owner, [], [ending(run, entries=(kept,))])
    others = [spent(Instant(NOON + place // 3)) for place in range(10)]
    await put(store, *others, spent(user_id="bia"))
    found: list[Entry] = []
    usage = store.of(ANA).usage
    while page := await usage.entries(
        NOON, Instant(NOON + 3), (found and (found[-1].created_at, found[-1].id)) or None, 4
    ):
        found += page
    assert found == sorted([kept, *others[:9]], key=lambda each: (each.created_at, each.id))


async def test_what_remains_is_only_looked_at(store: Store) -> None:
    await put(store, spent())
    usage = store.of(ANA).usage
    for _ in range(2):
        left = await usage.remaining(Limits(100, Picodollars(10)), NOON)
        assert (left.tokens, left.cost) == (85, 3)
    assert (await usage.remaining(Limits(), NOON)).tokens is None


ROOT = Principal("root", roles=frozenset({"admin"}))


def of(user: str, client: str = "", **fields: Any) -> Entry:
    return spent(user_id=user, client_id=client, **fields)


async def test_an_operator_sees_the_sums_of_all(
    store: Store, chat: Conversation, other: Conversation
) -> None:
    await turn(store, chat)
    await turn(store, other)
    await put(
        store,
        of("ana", "acme", cost=Picodollars(9 * 10**18)),
        of("ana", "acme", cost=Picodollars(9 * 10**18)),
        of("bia", "acme", model="m"),
        of("bia", "other", cost=None),
        of("ana", created_at=Instant(NOON - 1)),
    )
    accounts = store.operator(ROOT).usage
    seen = await accounts.overview(Wanted(), NOON, Instant(NOON + DAY), UTC_DAYS)
    assert added(share.sum for share in seen.shares).cost == 18 * 10**18 + 3 * 7
    assert {(share.provider, share.model): share.sum.requests for share in seen.shares} == {
        ("openai", "gpt-4o"): 3, ("openai", "m"): 1, ("fake", "echo"): 2
    }  # fmt: skip
    dearest = seen.users[0]
    assert (dearest.user_id, dearest.client_id, dearest.sum.requests) == ("ana", "acme", 2)
    assert {(each.user_id, each.client_id): each.sum.unpriced for each in seen.users} == {
        ("ana", "acme"): 0, ("ana", ""): 0, ("bia", "acme"): 0, ("bia", ""): 0, ("bia", "other"): 1
    }  # fmt: skip
    assert [(each.client_id, each.sum.requests) for each in seen.clients] == [
        ("acme", 3),
        ("", 2),
        ("other", 1),
    ]
    assert seen.messages == 4


@pytest.mark.parametrize(
    ("wanted", "requests", "messages"),
    [
        (Wanted(user_id="ana"), 2, 0),
        (Wanted(client_id=""), 1, None),
        (Wanted(client_id="acme", model="m"), 1, None),
        (Wanted(provider="nobody"), 0, None),
    ],
)
async def test_an_operator_asks_for_some(
    store: Store, wanted: Wanted, requests: int, messages: int | None
) -> None:
    await put(store, of("ana", "acme"), of("ana"), of("bia", "acme", model="m"))
    seen = await store.operator(ROOT).usage.overview(wanted, NOON, Instant(NOON + DAY), UTC_DAYS)
    assert added(share.sum for share in seen.shares).requests == requests
    assert added(each.sum for each in seen.users) == added(each.sum for each in seen.clients)
    assert added(each.sum for each in seen.users).requests == requests
    assert seen.messages == messages


async def test_an_operator_leaves_one_row_for_a_look(store: Store) -> None:
    await put(store, *(of("ana", created_at=Instant(NOON + place)) for place in range(5)), of("bia"))
    accounts, log = store.operator(ROOT).usage, store.operator(ROOT).audit
    found: list[Entry] = []
    wanted = Wanted(user_id="ana")
    while True:
        last = (found[-1].created_at, found[-1].id) if found else None
        page = await accounts.entries(wanted, NOON, Instant(NOON + DAY), last, 2)
        found += page
        if len(page) < 2:
            break
    assert [each.created_at for each in found] == [NOON + place for place in range(5)]
    (link,) = await log.page(Sought(), 10, None)
    assert (link.deed.actor, link.deed.action, link.deed.target) == ("root", "admin.usage.read", "user:ana")
    await accounts.overview(Wanted(), NOON, Instant(NOON + DAY), UTC_DAYS)
    assert len(await log.page(Sought(), 10, None)) == 2


def reckoned(entries: list[Entry], key: Any) -> dict[Any, Sum]:
    found: dict[Any, Sum] = {}
    for each in entries:
        one = Sum(1, each.usage, each.cost or Picodollars(0), int(each.estimated), int(each.cost is None))
        found[key(each)] = found.get(key(each), Sum()) + one
    return found


async def test_long_times_are_summed_as_short_ones(store: Store) -> None:
    """What is kept of whole days and quarters of an hour, and what is beside them, is the same as entry by
    entry: also once an entry is put right, and a user is called by another name."""
    chance, kathmandu = random.Random(5), Calendar("Asia/Kathmandu")
    entries = [
        spent(
            Instant(NOON + chance.randrange(5 * DAY)),
            user_id=chance.choice(["ana", "bia"]),
            client_id=chance.choice(["", "acme"]),
            model=chance.choice(["m", "n"]),
            usage=Usage(*(chance.randrange(99) for _ in range(5))),
            cost=chance.choice([None, Picodollars(chance.randrange(10**9))]),
            estimated=chance.random() < 0.5,
        )
        for _ in range(60)
    ]
    await put(store, *entries)
    accounts = store.operator(ROOT).usage

    async def holds(since: Instant, until: Instant) -> None:
        seen = await accounts.overview(Wanted(), since, until, kathmandu)
        within = [each for each in entries if since <= each.created_at < until]
        assert {(each.day, each.model): each.sum for each in seen.shares} == reckoned(
            within, lambda each: (kathmandu.day(each.created_at), each.model)
        )
        assert {(each.user_id, each.client_id): each.sum for each in seen.users} == reckoned(
            within, lambda each: (each.user_id, each.client_id)
        )
        assert {each.client_id: each.sum for each in seen.clients} == reckoned(
            within, lambda each: each.client_id
        )

    for _ in range(20):
        since, until = sorted(chance.sample(range(NOON - DAY, NOON + 6 * DAY, 60 * SECOND), 2))
        await holds(Instant(since), Instant(until))
    while await store.erasures.forget("ana", None, "prosa:erased:1"):
        pass
    entries = [replace(each, user_id=each.user_id.replace("ana", "prosa:erased:1")) for each in entries]
    await holds(NOON, Instant(NOON + 5 * DAY))
