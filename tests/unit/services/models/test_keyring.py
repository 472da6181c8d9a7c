"""Which key is asked, and what becomes of those that can't be."""

import asyncio
from collections import Counter

import pytest
from structlog.testing import capture_logs
from tests.clock import now, settle, timeless
from tests.unit.services.models.scripts import Scripted

from prosa.domain.errors import NoUsableKey, ProviderError, ProviderKeyRefused, QuotaExhausted
from prosa.services.models.keyring import ASIDE, LAST_RESORT, Held, Key, KeyRing

REFUSED = ProviderKeyRefused("p", status=401)


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ring_of(*keys: tuple[str | None, int], **options) -> KeyRing:
    return KeyRing("p", [Key(name, Scripted(()), weight) for name, weight in keys], **options)


def picked(ring: KeyRing, *tried: Held) -> Held:
    held = ring.pick(tried)
    assert held is not None
    return held


def test_as_often_as_they_weigh() -> None:
    ring = ring_of(("a", 5), ("b", 2), ("c", 1))
    assert Counter(picked(ring).key.id for _ in range(800)) == {"a": 500, "b": 200, "c": 100}


def test_equal_keys_alternate() -> None:
    ring = ring_of(("a", 1), ("b", 1))
    assert [picked(ring).key.id for _ in range(6)] == ["a", "b"] * 3


def test_none_but_the_tried_ones() -> None:
    ring = ring_of(("a", 1), ("b", 1))
    a = picked(ring)
    b = picked(ring, a)
    assert {a.key.id, b.key.id} == {"a", "b"}
    assert ring.pick([a, b]) is None


def test_a_ring_without_keys() -> None:
    with pytest.raises(NoUsableKey):
        ring_of().pick()


def test_set_aside_is_told_once() -> None:
    told: list[tuple[str | None, ProviderError | None]] = []
    ring = ring_of(("a", 1), ("b", 1), told=lambda key, error: told.append((key, error)))
    a = picked(ring)
    with capture_logs() as logs:
        ring.set_aside(a, REFUSED)
        ring.set_aside(a, REFUSED)
        assert {picked(ring).key.id for _ in range(5)} == {"b"}
    assert told == [("a", REFUSED)]
    assert [(line["event"], line["key"], line["code"]) for line in logs] == [
        ("key_set_aside", "a", "provider_bad_key")
    ]
    ring.works(a)
    assert told[1:] == [("a", None)]
    assert {picked(ring).key.id for _ in range(5)} == {"a", "b"}


def test_a_key_set_aside_is_asked_again_after_an_hour() -> None:
    time = Time()
    ring = ring_of(("a", 1), ("b", 1), clock=time)
    ring.set_aside(picked(ring), QuotaExhausted("p"))
    time.now += ASIDE - 1
    assert {picked(ring).key.id for _ in range(5)} == {"b"}
    time.now += 1
    assert {picked(ring).key.id for _ in range(5)} == {"a", "b"}


def test_the_last_key_is_asked_again_after_a_minute_and_is_refused_anew_until_then() -> None:
    time = Time()
    ring = ring_of((None, 1), clock=time)
    held = picked(ring)
    ring.set_aside(held, REFUSED)
    for _ in range(2):
        with pytest.raises(ProviderKeyRefused) as raised:
            ring.pick()
        assert raised.value is not REFUSED, "an error that is raised again and again grows"
        assert raised.value.details == REFUSED.details
    time.now += LAST_RESORT
    assert ring.pick() is held
    ring.works(held)
    assert ring.pick() is held


def test_a_key_that_rests_goes_last() -> None:
    time = Time()
    ring = ring_of(("a", 1), ("b", 1), clock=time)
    a, b = picked(ring), picked(ring)
    ring.rest(a, 10)
    assert {picked(ring) for _ in range(4)} == {b}
    ring.rest(b, 3)
    assert ring.limited().details["retry_after"] == 3
    assert picked(ring) is b, "the first to be free again"
    assert ring.pick([b]) is None
    time.now += 10
    assert {picked(ring) for _ in range(4)} == {a, b}


@timeless
async def test_keys_are_replaced_under_running_streams() -> None:
    ring = ring_of(("a", 1), clock=now)
    old = picked(ring)
    model = old.key.model
    assert isinstance(model, Scripted)
    new = Scripted(())
    with ring.using(old):
        with ring.using(old):
            ring.replace([Key("b", new)])
            assert picked(ring).key.id == "b"
        await settle()
        assert model.closings == 0, "one stream still speaks"
    await settle()
    assert (model.closings, new.closings) == (1, 0)
    await ring.close()
    assert (model.closings, new.closings) == (1, 1)


@timeless
async def test_a_key_that_stays_is_not_closed_and_stays_as_it_fares() -> None:
    ring = ring_of(("a", 1), ("b", 1), clock=now)
    a, b = picked(ring), picked(ring)
    ring.set_aside(a, REFUSED)
    ring.replace([Key("a", a.key.model, 3), Key("c", Scripted(()))])
    await asyncio.sleep(0)
    assert [model.closings for model in (a.key.model, b.key.model) if isinstance(model, Scripted)] == [0, 1]
    assert {picked(ring).key.id for _ in range(5)} == {"c"}


@timeless
async def test_a_key_that_the_store_knows_as_set_aside() -> None:
    ring = ring_of(clock=now)
    ring.replace([Key("a", Scripted(()), aside=True), Key("b", Scripted(()))])
    assert {picked(ring).key.id for _ in range(5)} == {"b"}
