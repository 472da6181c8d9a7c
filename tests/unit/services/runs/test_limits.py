"""Money under limits: held while a run goes on, settled at its end, exact whoever comes at once."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
from tests.counts import counts
from tests.stores import ANA, BIA
from tests.unit.services.conftest import Open
from tests.unit.services.house import House, end_of, events_of, lines_of, until_text

from prosa.domain.errors import BrokenStream, CostLimitReached, LimitReached, PriceUnknown, TokenLimitReached
from prosa.domain.limits import Limits, TooManyRuns
from prosa.domain.models import Finish, FinishReason, Usage, UsageReport
from prosa.domain.money import PER_DOLLAR, Picodollars, to_dollars
from prosa.services.context.window import TEMPLATE, bound
from prosa.services.models import prices

HELLO = "Hello"
INPUT = 5 + 8 + TEMPLATE
"""The upper bound of the tokens of `HELLO`."""

REPORT = UsageReport(Usage(prompt_tokens=9, completion_tokens=4))


def held(house: House) -> list[tuple[int, int | None]]:
    return house.rows("SELECT tokens, cost FROM reservations")


async def test_held_while_it_goes_on_and_released_after(opened: Open) -> None:
    gate = asyncio.Event()
    house = await opened(["a", gate, REPORT], limits=Limits(tokens_per_day=1_000))
    _, reader = await house.send(await house.conversation(), HELLO, max_tokens=100)
    assert held(house) == [(INPUT + 100, 0)]
    gate.set()
    done = end_of(await events_of(reader))
    assert done.remaining == {"tokens": 1_000 - 13}
    assert house.rows("SELECT total_tokens, estimated FROM ai_usage") == [(13, 0)]
    house.at_rest(1)


@pytest.mark.parametrize(
    "steps", [["a"], ["a", BrokenStream("fake")], [BrokenStream("fake")], ["a", ZeroDivisionError()]]
)
async def test_released_after_every_end(opened: Open, steps: list[object]) -> None:
    house = await opened(steps, limits=Limits(tokens_per_day=10_000))
    _, events = await house.turn()
    end_of(events)
    house.at_rest(1)


async def test_the_answer_shrinks_to_what_is_left_and_then_it_is_refused(opened: Open) -> None:
    house = await opened(
        lambda request: [UsageReport(Usage(INPUT, request.max_tokens))], limits=Limits(1_000)
    )
    _, events = await house.turn(HELLO, max_tokens=700)
    assert end_of(events).remaining == {"tokens": 1_000 - 700 - INPUT}
    _, events = await house.turn(HELLO)
    assert house.model.calls[1].request.max_tokens == 1_000 - 700 - 2 * INPUT
    assert end_of(events).remaining == {"tokens": 0}
    with pytest.raises(TokenLimitReached) as refused:
        await house.turn(HELLO)
    assert refused.value.details["remaining"] == 0
    assert house.count("runs") == 2


async def test_exactly_what_is_left_is_enough_and_one_more_is_not(opened: Open) -> None:
    house = await opened([REPORT], limits=Limits(INPUT + 100))
    with pytest.raises(TokenLimitReached):
        await house.turn(HELLO, max_tokens=101)
    _, events = await house.turn(HELLO, max_tokens=100)
    assert end_of(events).status == "completed"


@pytest.mark.hostile(62)
async def test_a_hundred_at_once_on_a_budget_for_one(opened: Open) -> None:
    gate = asyncio.Event()
    house = await opened(
        lambda request: [gate, UsageReport(Usage(INPUT, request.max_tokens))], limits=Limits(INPUT + 100)
    )
    conversations = [await house.conversation() for _ in range(100)]
    begun = await asyncio.gather(
        *(house.send(of, HELLO, max_tokens=100) for of in conversations), return_exceptions=True
    )
    let_in = [each for each in begun if not isinstance(each, BaseException)]
    assert len(let_in) == 1
    assert all(isinstance(each, TokenLimitReached) for each in begun if isinstance(each, BaseException))
    gate.set()
    assert end_of(await events_of(let_in[0][1])).remaining == {"tokens": 0}
    assert len(house.model.calls) == 1
    assert house.rows("SELECT sum(total_tokens) FROM ai_usage") == [(INPUT + 100,)]
    house.at_rest(1)


async def test_one_users_budget_is_not_anothers(opened: Open) -> None:
    gate = asyncio.Event()
    house = await opened([gate, REPORT], limits=Limits(INPUT + 100))
    runs = [
        await house.send(await house.conversation(owner), HELLO, owner=owner, max_tokens=100)
        for owner in (ANA, BIA)
    ]
    gate.set()
    for _, reader in runs:
        assert end_of(await events_of(reader)).status == "completed"


@pytest.mark.hostile(63)
async def test_many_mixed_ends_leave_nothing_held_and_a_ledger_that_adds_up(opened: Open) -> None:
    """Nobody within the limit is refused: it is made for all of them at once."""
    number = counts(10_000, 150)
    told: list[int] = []

    def script(request: object) -> list[object]:
        count = random.randrange(1, 20)
        end: list[object] = random.choice([[], [BrokenStream("fake")], [asyncio.Event()], [0.001]])
        if not end or isinstance(end[0], float):
            told.append(10 + count)
            return ["w ", *end, UsageReport(Usage(10, count))]
        return ["w ", *end]

    house = await opened(script, limits=Limits(tokens_per_day=number * (INPUT + 20)))
    of = await house.conversation()

    async def one() -> None:
        run, reader = await house.send(of, HELLO, max_tokens=20, parent_id=None)
        await until_text(reader)
        if random.random() < 0.3:
            await house.engine.stop(ANA, run.id)
            return
        try:
            async with asyncio.timeout(0.2):
                await lines_of(reader)
        except TimeoutError:
            await house.engine.stop(ANA, run.id)

    for at in range(0, number, 50):
        await asyncio.gather(*(one() for _ in range(min(50, number - at))))
    house.at_rest(number)
    reported = house.rows("SELECT coalesce(sum(total_tokens), 0) FROM ai_usage WHERE NOT estimated")[0][0]
    assert reported <= sum(told)
    over = house.rows("SELECT count(*) FROM ai_usage WHERE total_tokens > ? OR total_tokens < 0", INPUT + 20)
    assert over == [(0,)]


# Cost


async def test_a_known_price_to_the_last_digit(opened: Open) -> None:
    usage = Usage(prompt_tokens=1_000, completion_tokens=500, cached_tokens=200)
    house = await opened(["a", UsageReport(usage)], provider="openai", model="gpt-4o-mini")
    run, events = await house.turn()
    # 800 at 0.15, 200 at 0.075 and 500 at 0.60 dollars a million
    assert run.cost == 800 * 150_000 + 200 * 75_000 + 500 * 600_000
    assert end_of(events).cost == to_dollars(run.cost) == "0.000435"
    assert house.rows("SELECT cost FROM ai_usage") == [(run.cost,)]


@pytest.mark.hostile(64)
async def test_an_unknown_price_is_null_and_refused_under_a_cost_limit(opened: Open) -> None:
    house = await opened(["a", REPORT], provider="openai", model="nobody-knows-this")
    run, events = await house.turn()
    assert run.cost is end_of(events).cost is None
    assert house.rows("SELECT cost, total_tokens FROM ai_usage") == [(None, 13)]
    house.at_rest(1)


@pytest.mark.hostile(64)
async def test_a_cost_limit_refuses_what_it_can_not_count(opened: Open) -> None:
    limits = Limits(cost_per_month=Picodollars(PER_DOLLAR))
    house = await opened(provider="openai", model="nobody-knows-this", limits=limits)
    with pytest.raises(PriceUnknown):
        await house.turn()
    assert house.model.calls == []


async def test_a_free_model_under_a_cost_limit(opened: Open) -> None:
    house = await opened(["a", REPORT], limits=Limits(cost_per_month=Picodollars(0)))
    _, events = await house.turn()
    assert (end_of(events).cost, end_of(events).remaining) == ("0", {"cost": "0"})


@pytest.mark.hostile(62)
async def test_cost_is_held_and_never_overspent(opened: Open) -> None:
    most = prices.cost("openai", "gpt-4o-mini", Usage(INPUT, 1_000))
    assert most is not None
    limit = Picodollars(most * 3 + most // 2)
    house = await opened(
        lambda request: [0.005, UsageReport(Usage(INPUT, request.max_tokens))],
        provider="openai", model="gpt-4o-mini", limits=Limits(cost_per_month=limit),
    )  # fmt: skip
    conversations = [await house.conversation() for _ in range(20)]
    begun = await asyncio.gather(
        *(house.send(of, HELLO, max_tokens=1_000) for of in conversations), return_exceptions=True
    )
    let_in = [each for each in begun if not isinstance(each, BaseException)]
    assert len(let_in) == 3
    assert all(isinstance(each, CostLimitReached) for each in begun if isinstance(each, BaseException))
    for _, reader in let_in:
        await lines_of(reader)
    spent = house.rows("SELECT sum(cost) FROM ai_usage")[0][0]
    assert spent == 3 * most <= limit
    house.at_rest(3)


def test_the_bound_counts_bytes() -> None:
    assert bound([], None) == TEMPLATE
    assert bound((), "é") == TEMPLATE + 2


def test_limits_are_one_family() -> None:
    assert issubclass(TokenLimitReached, LimitReached)
    assert issubclass(CostLimitReached, LimitReached)


# A stream that reaches the cap


@pytest.mark.hostile(65)
@pytest.mark.parametrize("whole", [False, True])
async def test_a_provider_that_knows_no_bound_is_stopped_at_the_cap(opened: Open, whole: bool) -> None:
    """Word by word, or in pieces as long as books."""
    room = 40
    said: list[int] = []

    def endless(_: object) -> Iterator[Any]:
        for number in range(1_000_000):
            said.append(number)
            yield "word " * (100 if whole else 1)

    house = await opened(endless, limits=Limits(INPUT + room))
    run, events = await house.turn(HELLO)
    done = end_of(events)
    assert (done.status, done.reason, run.reason) == ("incomplete", "limit", "limit")
    assert len(said) <= room + 2
    assert house.rows("SELECT sum(total_tokens) FROM ai_usage")[0][0] <= INPUT + room
    assert done.remaining == {"tokens": INPUT + room - done.usage.total_tokens}
    house.at_rest(1)


@pytest.mark.hostile(65)
async def test_an_answer_cut_by_a_limit_says_so_and_one_cut_by_its_caller_does_not(opened: Open) -> None:
    house = await opened(
        lambda request: [*["w "] * request.max_tokens, Finish(FinishReason.LENGTH)],
        limits=Limits(INPUT + 100),
    )
    _, events = await house.turn(HELLO, max_tokens=10)
    assert end_of(events).reason == "length"
    _, events = await house.turn(HELLO)
    assert end_of(events).reason == "limit"


# Several caps


async def test_runs_at_once_over_the_engine(opened: Open) -> None:
    gate = asyncio.Event()
    house = await opened(["a", gate, REPORT], limits=Limits(runs_at_once=2))
    readers = [(await house.send(await house.conversation(), HELLO))[1] for _ in range(2)]
    with pytest.raises(TooManyRuns):
        await house.turn(HELLO)
    gate.set()
    for reader in readers:
        await events_of(reader)
    _, events = await house.turn(HELLO)
    assert end_of(events).status == "completed"
