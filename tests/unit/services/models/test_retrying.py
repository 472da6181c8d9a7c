"""The same again, as often and as late as it makes sense."""

import asyncio

import pytest
from tests.clock import now, settle, timeless
from tests.unit.services.models.scripts import ASK, STOP, Scripted, hear

from prosa.domain.content import ThinkingPart
from prosa.domain.errors import (
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderRefused,
    ProviderSuspended,
    ProviderUnreachable,
    QueueFull,
    RateLimited,
)
from prosa.domain.models import (
    Asked,
    EmbedRequest,
    ModelEvent,
    Queued,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    Thought,
    ToolCallStart,
    Usage,
    UsageReport,
)
from prosa.kit.backoff import Backoff
from prosa.services.models.retrying import Retrying

DOWN = ProviderUnreachable("p")
WORST = Backoff(pick=lambda: 1.0)


def retrying(model: Scripted, retries: int = 2, patience: float = 30) -> Retrying:
    return Retrying(model, retries=retries, patience=patience, backoff=WORST, clock=now)


@timeless
async def test_until_it_answers() -> None:
    model = Scripted([Asked("p", "m"), DOWN], [Asked("p", "m"), Queued(1), DOWN], [Asked("p", "m"), "hi"])
    heard = await hear(retrying(model))
    again = Asked("p", "m", after=DOWN.code)
    assert heard.events == [Asked("p", "m"), again, Queued(1), again, TextDelta("hi"), STOP]
    assert now() == pytest.approx(0.5 + 1.0)
    assert all(call.closed.is_set() for call in model.calls)


@timeless
async def test_tries_are_bounded() -> None:
    model = Scripted([DOWN])
    heard = await hear(retrying(model, retries=3))
    assert (heard.error, model.asked) == (DOWN, 4)


@pytest.mark.parametrize(
    "output",
    [
        TextDelta("a"),
        ThinkingDelta("a"),
        Thought(ThinkingPart(redacted="x")),
        RefusalDelta("a"),
        ToolCallStart("a", "b"),
        STOP,
    ],
)
@timeless
async def test_never_after_the_first_output(output: ModelEvent) -> None:
    model = Scripted([output, DOWN])
    heard = await hear(retrying(model))
    assert (heard.events, heard.error, model.asked) == ([output], DOWN, 1)


@timeless
async def test_a_count_of_tokens_is_no_output() -> None:
    heard = await hear(retrying(Scripted([UsageReport(Usage(3)), DOWN], ["hi"])))
    assert heard.text == "hi"


@pytest.mark.parametrize(
    "error",
    [
        ProviderRefused("p", detail="x"),
        ProviderKeyRefused("p"),
        QueueFull("p", 1),
        ProviderSuspended("p", 1),
        ProviderError("p", status=404),
    ],
)
@timeless
async def test_what_would_be_the_same_again(error: ProviderError) -> None:
    model = Scripted([error])
    assert (await hear(retrying(model))).error is error
    assert (model.asked, now()) == (1, 0)


@timeless
async def test_a_told_time_is_waited_for() -> None:
    assert (await hear(retrying(Scripted([RateLimited("p", 12.0)], ["hi"])))).text == "hi"
    assert now() == pytest.approx(12.5)


@timeless
async def test_a_told_time_beyond_patience_is_not() -> None:
    model = Scripted([RateLimited("p", 31.0)], ["hi"])
    assert (await hear(retrying(model))).code == "rate_limited"
    assert (model.asked, now()) == (1, 0)


@timeless
async def test_all_waits_together_are_bounded() -> None:
    model = Scripted([Asked("p", "m"), RateLimited("p", 12.0)])
    assert (await hear(retrying(model, retries=9))).code == "rate_limited"
    assert (model.asked, now()) == (3, pytest.approx(25))


@timeless
async def test_a_try_that_took_long_is_not_repeated_but_a_long_line_before_it_does_not_count() -> None:
    slow = Scripted([Asked("p", "m"), 40, DOWN], ["hi"])
    assert (await hear(retrying(slow))).error is DOWN
    late = Scripted([Queued(1), 400, Asked("p", "m"), DOWN], ["hi"])
    assert (await hear(retrying(late))).text == "hi"


@timeless
async def test_whatever_is_called() -> None:
    request = EmbedRequest("m", ("one",))
    assert (await retrying(Scripted([DOWN], ())).embed(request)).vectors
    assert await retrying(Scripted([DOWN], ())).count_tokens(ASK) == 1
    assert await retrying(Scripted([DOWN], ())).models()
    model = Scripted([ProviderOverloaded("p")])
    with pytest.raises(ProviderOverloaded):
        await retrying(model).embed(request)
    assert model.asked == 3


@timeless
async def test_a_cancellation_passes_at_once_also_between_two_tries() -> None:
    model = Scripted([RateLimited("p", 20.0)])
    task = asyncio.create_task(hear(retrying(model)))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (model.asked, now()) == (1, 0)
