"""A model that fails again and again is left alone, and found again."""

import asyncio
from contextlib import aclosing

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from tests.clock import now, settle, timeless
from tests.unit.services.models.scripts import ASK, Asking, Scripted, hear

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import (
    BrokenStream,
    ContextTooLong,
    ProsaError,
    ProviderSuspended,
    ProviderUnreachable,
    QueueFull,
    RateLimited,
)
from prosa.domain.models import Asked, ChatRequest, EmbedRequest, Queued
from prosa.services.models.breaker import Breaker
from prosa.services.models.circuit import Circuits

DOWN = ProviderUnreachable("p")
OTHER = replace(ASK, model="other")


class Moody(Asking):
    """Answers with `mood`, which may change."""

    def __init__(self, *mood: object) -> None:
        self.mood = mood
        super().__init__(lambda _: self.mood)  # type: ignore[arg-type,return-value]


def breaker(model: FakeModel, failures: int = 3, cooldown: float = 20) -> Breaker:
    return Breaker(model, failures=failures, cooldown=cooldown, clock=now)


def suspended() -> float | None:
    return REGISTRY.get_sample_value("prosa_models_suspended", {"provider": "fake"})


async def fail(model: Breaker, times: int, request: ChatRequest = ASK) -> list[str | None]:
    return [(await hear(model, request)).code for _ in range(times)]


@timeless
async def test_after_so_many_failures_in_a_row() -> None:
    model = Moody(DOWN)
    around = breaker(model)
    with capture_logs() as logs:
        assert await fail(around, 5) == ["unreachable"] * 3 + ["provider_suspended"] * 2
    assert len(model.calls) == 3
    assert [line["event"] for line in logs] == ["model_suspended"]
    assert suspended() == 1
    await asyncio.sleep(7.5)
    error = (await hear(around)).error
    assert error is not None
    assert error.details["retryAfter"] == 13


@timeless
async def test_an_answer_between_begins_the_count_anew() -> None:
    model = Moody(DOWN)
    around = breaker(model)
    for _ in range(3):
        model.mood = (DOWN,)
        assert await fail(around, 2) == ["unreachable"] * 2
        model.mood = ("hi",)
        assert await fail(around, 1) == [None]
    assert suspended() == 0


@timeless
async def test_an_answer_that_breaks_off_is_a_failure() -> None:
    model = Moody("a", BrokenStream("p"))
    assert await fail(breaker(model), 4) == ["broken_stream"] * 3 + ["provider_suspended"]


@pytest.mark.parametrize("error", [RateLimited("p", 1.0), ContextTooLong("p"), QueueFull("p", 1)])
@timeless
async def test_other_errors_are_no_failures(error: ProsaError) -> None:
    assert await fail(breaker(Moody(error)), 9) == [error.code] * 9


@timeless
async def test_other_models_go_on() -> None:
    model = Moody(DOWN)
    around = breaker(model)
    await fail(around, 3)
    model.mood = ("hi",)
    assert await fail(around, 1, OTHER) == [None]
    assert await fail(around, 1) == ["provider_suspended"]


@timeless
async def test_one_probe_alone() -> None:
    gate = asyncio.Event()
    model = Moody(DOWN)
    around = breaker(model)
    await fail(around, 3)
    await asyncio.sleep(20)
    model.mood = (gate, "hi")
    hearing = [asyncio.create_task(hear(around)) for _ in range(5)]
    await settle()
    assert len(model.calls) == 4
    assert [task.done() for task in hearing] == [False, True, True, True, True]
    gate.set()
    heard = [await task for task in hearing]
    assert [one.code for one in heard] == [None] + ["provider_suspended"] * 4
    assert await fail(around, 2) == [None] * 2
    assert suspended() == 0


@timeless
async def test_a_probe_that_fails() -> None:
    model = Moody(DOWN)
    around = breaker(model)
    await fail(around, 3)
    await asyncio.sleep(20)
    assert await fail(around, 2) == ["unreachable", "provider_suspended"]
    await asyncio.sleep(19)
    assert await fail(around, 1) == ["provider_suspended"]
    await asyncio.sleep(1)
    assert await fail(around, 1) == ["unreachable"]


@timeless
async def test_a_probe_that_is_cancelled_or_left_decides_nothing() -> None:
    model = Moody(DOWN)
    around = breaker(model)
    await fail(around, 3)
    await asyncio.sleep(20)
    model.mood = (10_000.0,)
    task = asyncio.create_task(hear(around))
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with aclosing(around.stream(ASK)) as stream:
        assert isinstance(await anext(stream), Asked)
    assert suspended() == 1
    model.mood = ("hi",)
    assert await fail(around, 2) == [None, None]


@timeless
async def test_a_probe_that_begins_to_answer_lets_others_in_but_is_on_trial() -> None:
    gate = asyncio.Event()
    model = Moody(DOWN)
    around = breaker(model)
    await fail(around, 3)
    await asyncio.sleep(20)
    model.mood = ("a", gate, DOWN)
    probe = asyncio.create_task(hear(around))
    await settle()
    model.mood = (10_000.0,)
    other = asyncio.create_task(hear(around))
    await settle()
    assert len(model.calls) == 5
    gate.set()
    assert (await probe).code == "unreachable"
    assert await fail(around, 1) == ["provider_suspended"]
    other.cancel()


@timeless
async def test_whoever_waited_is_turned_away_before_the_provider_is_asked() -> None:
    gate = asyncio.Event()

    class Waiting(Moody):
        async def stream(self, request: ChatRequest):
            await gate.wait()
            async with aclosing(super().stream(request)) as events:
                async for event in events:
                    yield event

    model = Waiting(DOWN)
    around = breaker(model, failures=1)
    first = asyncio.create_task(hear(around))
    second = asyncio.create_task(hear(around))
    await settle()
    gate.set()
    assert (await first).code == "unreachable"
    heard = await second
    assert (heard.code, heard.events, len(model.calls)) == ("provider_suspended", [], 1)


@timeless
async def test_nobody_stands_in_line_for_a_dead_provider() -> None:
    model = Scripted([DOWN], [Queued(3), "hi"])
    assert await fail(breaker(model, failures=1), 2) == ["unreachable", "provider_suspended"]
    assert model.asked == 1


@timeless
async def test_late_failures_of_the_same_outage_do_not_prolong_it() -> None:
    model = Moody(10.0, DOWN)
    around = breaker(model, failures=1, cooldown=20)
    slow = asyncio.create_task(hear(around))
    await settle()
    model.mood = (DOWN,)
    await fail(around, 1)
    await slow
    assert now() == 10
    await asyncio.sleep(10)
    model.mood = ("hi",)
    assert await fail(around, 1) == [None]


@timeless
async def test_whatever_is_called() -> None:
    around = breaker(Scripted([DOWN]), failures=1)
    request = EmbedRequest("e", ("a",))
    for call in (
        lambda: around.embed(request),
        lambda: around.count_tokens(ASK),
        around.models,
    ):
        with pytest.raises(ProviderUnreachable):
            await call()
        with pytest.raises(ProviderSuspended):
            await call()


def test_names_without_end_are_not_remembered() -> None:
    circuits = Circuits(threshold=2, cooldown=1, clock=lambda: 0.0, most=10)
    for place in range(100):
        circuits.failed(f"m{place}", object())
    assert len(circuits._failing) == 10
    circuits.failed("m99", object())
    assert circuits.open == 1
    circuits.succeeded("m98", object())
    assert len(circuits._failing) == 9
