"""The next target takes over, wherever the one before it breaks."""

import asyncio
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clock import now, settle, timeless
from tests.unit.services.models.scripts import ASK, STOP, Asking, Scripted, hear

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import (
    BrokenStream,
    ContentRefused,
    ContextTooLong,
    NoSuchModel,
    ProsaError,
    ProviderKeyRefused,
    ProviderRefused,
    ProviderSuspended,
    ProviderTimeout,
    ProviderUnreachable,
    QueueFull,
    RateLimited,
)
from prosa.domain.models import Asked, EmbedRequest, Queued, Reset, TextDelta, Usage, UsageReport
from prosa.services.models.failover import Failover
from prosa.services.models.generate import generate
from prosa.services.models.policy import Policy

BROKEN = BrokenStream("a")
DOWN = ProviderUnreachable("a")


def route(*models: FakeModel) -> Failover:
    return Failover([(model, f"m{place}") for place, model in enumerate(models)])


@timeless
async def test_the_first_that_can_answers() -> None:
    never = Asking(["no"])
    heard = await hear(route(Asking([DOWN], provider="a"), Asking(["hi"], provider="b"), never))
    assert heard.events == [Asked("a", "m0"), Asked("b", "m1", after=DOWN.code), TextDelta("hi"), STOP]
    assert not never.calls


@timeless
async def test_an_answer_that_breaks_off_begins_anew() -> None:
    first = Asking(["one ", "two ", UsageReport(Usage(1, 2)), BROKEN], provider="a")
    heard = await hear(route(first, Asking(["three"], provider="b")))
    assert heard.events[-4:] == [
        Asked("b", "m1", after="broken_stream"),
        Reset("broken_stream"),
        TextDelta("three"),
        STOP,
    ]
    assert len(heard.all(Reset)) == 1
    assert first.calls[0].closed.is_set()


@timeless
async def test_a_whole_answer_is_the_last_ones() -> None:
    completion = await generate(route(Asking(["one ", BROKEN]), Asking(["two"], provider="b")), ASK)
    assert (completion.text, completion.provider, completion.model) == ("two", "b", "m1")


@timeless
async def test_nothing_is_void_before_another_takes_it_up() -> None:
    """Who turns the request away at the door, or when it is asked, has not begun anything."""
    suspended = Scripted([ProviderSuspended("b", 9)])
    alone = await hear(route(Asking(["one ", BROKEN]), suspended))
    assert (alone.text, alone.error, alone.all(Reset)) == ("one ", BROKEN, [])
    heard = await hear(route(Asking(["one ", BROKEN]), suspended, Asking(["two"])))
    assert [type(event) for event in heard.events].count(Reset) == 1
    queued = await hear(route(Asking(["one ", BROKEN]), Scripted([Queued(2), "two"])))
    assert queued.events[2:4] == [Queued(2), Reset("broken_stream")]
    asked = await hear(route(Asking(["one ", BROKEN]), Asking([UsageReport(Usage(1)), DOWN])))
    assert (asked.text, asked.error, asked.all(Reset)) == ("one ", BROKEN, [])
    assert len(asked.all(Asked)) == 2


@pytest.mark.parametrize("error", [ProviderRefused("a", detail="x"), ContentRefused("a")])
@timeless
async def test_what_nobody_else_is_asked(error: ProsaError) -> None:
    other = Asking(["hi"])
    assert (await hear(route(Asking([error]), other))).error is error
    assert not other.calls


@pytest.mark.parametrize(
    "error",
    [ContextTooLong("a"), NoSuchModel("a", model="m"), ProviderKeyRefused("a"), QueueFull("a", 3), DOWN],
)
@timeless
async def test_what_another_may_cure(error: ProsaError) -> None:
    assert (await hear(route(Asking([error]), Asking(["hi"])))).text == "hi"


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([DOWN, RateLimited("b", 3.0)], 0),
        ([ProviderKeyRefused("a"), ProviderTimeout("b")], 1),
        ([ProviderSuspended("a", 9), ProviderTimeout("b")], 1),
        ([ProviderSuspended("a", 9), ContextTooLong("b")], 0),
        ([ContextTooLong("a"), NoSuchModel("b", model="m")], 0),
        ([ContextTooLong("a"), ProviderRefused("b", detail="x")], 0),
        ([QueueFull("a", 1), ProviderSuspended("b", 9)], 0),
    ],
)
@timeless
async def test_the_most_telling_error(errors: list[ProsaError], told: int) -> None:
    assert (await hear(route(*(Asking([error]) for error in errors)))).error is errors[told]


@timeless
async def test_an_error_after_the_end_is_none() -> None:
    other = Asking(["no"])
    heard = await hear(route(Asking(["hi", STOP, BROKEN]), other))
    assert (heard.text, heard.error, other.calls) == ("hi", None, [])


@timeless
async def test_closing_and_cancelling_reach_the_one_who_speaks() -> None:
    model = Asking(["a", 10_000.0])
    stream = route(Asking([DOWN]), model).stream(ASK)
    async for event in stream:
        if event == TextDelta("a"):
            break
    await stream.aclose()
    assert model.calls[0].closed.is_set()
    other = Asking(["no"])
    task = asyncio.create_task(hear(route(model, other)))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (model.calls[1].closed.is_set(), other.calls, now()) == (True, [], 0)


@timeless
async def test_vectors_come_from_one_model_alone() -> None:
    request = EmbedRequest("?", ("one",))
    other, same = Scripted(()), Scripted(())
    made = await Failover([(Scripted([DOWN]), "m"), (other, "n"), (same, "m")]).embed(request)
    assert made.provider == same.provider, "who is to be paid"
    assert (other.asked, same.asked) == (0, 1)
    with pytest.raises(ProviderUnreachable):
        await Failover([(Scripted([DOWN]), "m"), (other, "n")]).embed(request)


@timeless
async def test_whatever_is_called() -> None:
    assert await route(Scripted([DOWN]), Scripted(())).count_tokens(ASK) == 1
    assert await route(Scripted([DOWN]), Scripted(())).models()


@timeless
async def test_its_targets_are_not_its_own() -> None:
    model = Scripted(())
    await route(model).close()
    assert model.closings == 0


class Refusing(Policy):
    def __init__(self, retry_after: int | None) -> None:
        super().__init__(FakeModel())
        self._refusal = None if retry_after is None else QueueFull("p", retry_after)

    def refuses(self, user: str) -> QueueFull | None:
        return self._refusal


@pytest.mark.parametrize(("waits", "told"), [((9, 4), 4), ((9, None), None), ((None,), None), ((7,), 7)])
def test_it_refuses_where_all_do(waits: tuple[int | None, ...], told: int | None) -> None:
    refusal = Failover([(Refusing(wait), "m") for wait in waits]).refuses("u")
    assert (refusal and refusal.details["retryAfter"]) == told
    assert Failover([(Refusing(3), "m"), (FakeModel(), "m")]).refuses("u") is None


class Fate(NamedTuple):
    """What one target does: say so many words, then end so."""

    words: int
    error: ProsaError | None


ERRORS = [BROKEN, DOWN, RateLimited("a", 1.0), ContextTooLong("a"), ContentRefused("a"), QueueFull("a", 1)]
FATES = st.builds(Fate, st.integers(0, 4), st.sampled_from([None, *ERRORS]))


@given(st.lists(FATES, min_size=1, max_size=5))
def test_whatever_breaks(fates: list[Fate]) -> None:
    """One answer at most, the last one's that was begun and nobody else's; one `Asked` for each attempt."""
    models = [
        Asking(
            [*(f"{place}.{word} " for word in range(fate.words)), *([fate.error] if fate.error else [])],
            provider=str(place),
        )
        for place, fate in enumerate(fates)
    ]

    @timeless
    async def hears() -> None:
        heard = await hear(route(*models))
        asked = [place for place, model in enumerate(models) if model.calls]
        assert [event.provider for event in heard.all(Asked)] == [str(place) for place in asked]
        assert asked == list(range(len(asked)))
        last = fates[asked[-1]]
        shown = ""
        for event in heard.events:
            shown = "" if isinstance(event, Reset) else shown + getattr(event, "text", "")
        begun = [place for place in asked if fates[place].words or fates[place].error is None]
        final = begun[-1] if begun else asked[-1]
        assert shown == "".join(f"{final}.{word} " for word in range(fates[final].words))
        assert len(heard.all(Reset)) == max(0, len(begun) - 1)
        assert heard.events.count(STOP) == (last.error is None)
        assert (heard.error is None) == (last.error is None)
        assert all(model.calls[0].closed.is_set() for model in models if model.calls)

    hears()
