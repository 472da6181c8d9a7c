"""All policies together, in their order."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.clock import now, settle, timeless
from tests.unit.services.models.scripts import ASK, STOP, Scripted, hear

from prosa.domain.errors import ProviderKeyRefused, ProviderUnreachable, QueueFull, RateLimited
from prosa.domain.models import Asked, Queued, TextDelta
from prosa.kit.backoff import Backoff
from prosa.services.models.failover import Failover
from prosa.services.models.handling import Handling
from prosa.services.models.keyring import Key, KeyRing
from prosa.services.models.policy import Policy
from prosa.services.models.stack import stack

DOWN = ProviderUnreachable("fake")


def stacked(*models: Scripted, **handling: float | None) -> Policy:
    ring = KeyRing("fake", [Key(f"k{place}", model) for place, model in enumerate(models)], clock=now)
    return stack(ring, Handling(**handling), backoff=Backoff(pick=lambda: 0.0), clock=now)  # type: ignore[arg-type]


@timeless
async def test_one_key_of_the_environment() -> None:
    model = Scripted(["hi"])
    around = stack(KeyRing("fake", [Key(None, model)]))
    assert (await hear(around)).events == [Asked("fake", "m"), TextDelta("hi"), STOP]
    assert (around.provider, around.refuses("u")) == ("fake", None)
    await around.close()
    assert model.closings == 1


@timeless
async def test_each_attempt_is_told() -> None:
    first = Scripted([ProviderKeyRefused("fake", status=401)])
    second = Scripted([DOWN], [RateLimited("fake", 3.0)], ["hi"])
    heard = await hear(stacked(first, second))
    assert [event.key for event in heard.all(Asked) if isinstance(event, Asked)] == ["k0", "k1", "k1", "k1"]
    assert (heard.text, first.asked, second.asked, now()) == ("hi", 1, 3, 3)


@timeless
async def test_the_wait_for_a_turn_is_no_silence() -> None:
    around = stacked(Scripted([50.0, "hi"]), concurrency=1, first=60)
    heard = await asyncio.gather(*(hear(around) for _ in range(3)))
    assert [one.text for one in heard] == ["hi"] * 3
    assert heard[2].events[:3] == [Queued(2), Queued(1), Asked("fake", "m", "k0")]


@timeless
async def test_a_key_is_picked_when_the_turn_has_come() -> None:
    """Whoever waits holds no key: those that were replaced in the meantime are asked no more."""
    old, new = Scripted([5.0, "old"]), Scripted(["new"])
    ring = KeyRing("fake", [Key("old", old)], clock=now)
    around = stack(ring, Handling(concurrency=1), clock=now)
    tasks = [asyncio.create_task(hear(around)) for _ in range(2)]
    await settle()
    ring.replace([Key("new", new)])
    assert [(await task).text for task in tasks] == ["old", "new"]
    await settle()
    assert (old.closings, new.closings) == (1, 0)


@timeless
async def test_whoever_waits_is_spared_a_call_in_vain() -> None:
    model = Scripted([1.0, DOWN])
    around = stacked(model, concurrency=1, failures=1, retries=0)
    heard = await asyncio.gather(*(hear(around, replace(ASK, user=user)) for user in "abc"))
    assert [one.code for one in heard] == ["unreachable", "provider_suspended", "provider_suspended"]
    assert (model.asked, now()) == (1, 1)


@timeless
async def test_between_two_tries_the_place_is_anothers() -> None:
    model = Scripted([RateLimited("fake", 4.0)], ["second"], ["first"])
    around = stacked(model, concurrency=1)
    first = asyncio.create_task(hear(around))
    await settle()
    assert model.asked == 1
    assert (await hear(around)).text == "second"
    assert (await first).text == "first"


@pytest.mark.parametrize("concurrency", [1, None])
@timeless
async def test_a_full_line_is_told_before_and_left_to_the_next_target(concurrency: int | None) -> None:
    busy = stacked(Scripted([5.0, "hi"]), concurrency=concurrency, waiting=0)
    free = stacked(Scripted(["there"]))
    speaking = asyncio.create_task(hear(busy))
    await settle()
    assert isinstance(busy.refuses("u"), QueueFull) == (concurrency == 1)
    route = Failover([(busy, "m"), (free, "m")])
    assert route.refuses("u") is None
    assert (await hear(route)).text == ("there" if concurrency else "hi")
    assert (await speaking).text == "hi"


@timeless
async def test_a_user_who_waits_enough_leaves_room_for_others() -> None:
    around = stacked(Scripted([5.0, "hi"]), concurrency=1, waiting=2, waiting_each=1)
    tasks = [asyncio.create_task(hear(around, replace(ASK, user="a"))) for _ in range(2)]
    await settle()
    assert around.refuses("a") is not None
    assert around.refuses("b") is None
    assert [(await task).text for task in tasks] == ["hi", "hi"]


@timeless
async def test_a_route_over_two_stacks() -> None:
    first = stacked(Scripted(["one ", DOWN]))
    second = stacked(Scripted([DOWN], ["two"]))
    heard = await hear(Failover([(first, "a"), (second, "b")]))
    assert heard.text == "one two"
    assert [event.model for event in heard.all(Asked) if isinstance(event, Asked)] == ["a", "b", "b"]
