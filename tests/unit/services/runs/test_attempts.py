"""What policies tell of a run: another try, another model, a place in the queue, a kept answer."""

import pytest
from msgspec import UNSET
from tests.unit.services.conftest import Open
from tests.unit.services.house import end_of
from tests.unit.services.runs.weather import LISBON, Weather, calling, of, rounds

from prosa.adapters.models.fake.client import Step
from prosa.domain.events import (
    Done,
    Queued,
    Reset,
)
from prosa.domain.limits import Limits
from prosa.domain.models import (
    Asked,
    Finish,
    FinishReason,
    Recalled,
    Usage,
    UsageReport,
)
from prosa.domain.models import Queued as QueuedUp
from prosa.domain.models import Reset as Anew
from prosa.domain.time import Instant


async def test_an_answer_that_begins_anew(opened: Open) -> None:
    script = [
        Asked("fake", "echo", "key-1"), "Half an ans", Anew("broken_stream"),
        Asked("other", "better"), "The whole answer.", UsageReport(Usage(9, 3)),
    ]  # fmt: skip
    house = await opened(script)
    run, events = await house.turn()
    assert of(Reset, events) == [Reset("broken_stream")]
    assert (await house.answer(run)).content == "The whole answer."
    rows = house.rows(
        "SELECT attempt, provider, model, key_id, completion_tokens, estimated FROM ai_usage ORDER BY 1"
    )
    assert rows == [(1, "fake", "echo", "key-1", 11, 1), (2, "other", "better", None, 3, 0)]
    stored = await house.run(run)
    assert (stored.provider, stored.model) == ("other", "better")
    assert (await house.answer(run)).model == "better"


async def test_a_place_in_the_queue_is_told(opened: Open) -> None:
    house = await opened([QueuedUp(3), QueuedUp(1), Asked("fake", "echo"), "Hi."])
    _, events = await house.turn()
    assert [each.place for each in of(Queued, events)] == [3, 1]


async def test_every_try_is_in_the_ledger(opened: Open) -> None:
    house = await opened([Asked("fake", "echo"), Asked("fake", "echo"), "Hi.", UsageReport(Usage(1, 1))])
    await house.turn()
    assert house.rows("SELECT attempt, total_tokens FROM ai_usage ORDER BY 1") == [(1, 0), (2, 2)]


@pytest.mark.parametrize("script", [
    [Asked("openai", "unheard-of"), "Hi."],
    [Asked("openai", "unheard-of"), Asked("openai", "unheard-of"), "Hi."],
])  # fmt: skip
async def test_what_is_held_already_is_not_held_again(
    opened: Open, monkeypatch: pytest.MonkeyPatch, script: list[Step]
) -> None:
    """An ordinary answer costs two transactions, one at its begin and one at its end."""
    house = await opened(script, provider="openai", model="unheard-of", limits=Limits(tokens_per_day=100_000))
    monkeypatch.setattr(type(house.store.engine), "hold", None)
    monkeypatch.setattr(house.engine._journal, "boundary", None)
    _, events = await house.turn()
    assert end_of(events).status == "completed"


async def test_a_run_that_asked_before_it_got_a_kept_answer_was_not_for_nothing(opened: Open) -> None:
    kept: list[Step] = [Recalled("fake", "echo", Instant(1)), "It is sunny.", Finish(FinishReason.STOP)]
    house = await opened(rounds(calling(LISBON), kept), Weather())
    run, events = await house.turn()
    done = end_of(events)
    assert isinstance(done, Done)
    assert (done.cached, run.usage.total_tokens) == (UNSET, 15)
