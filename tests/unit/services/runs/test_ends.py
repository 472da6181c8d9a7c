"""How a run ends: each way with one end state, one message, one entry in the ledger and nothing held."""

import asyncio
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import prometheus_client
import pytest
from structlog.testing import capture_logs
from tests.counts import counts
from tests.stores import ANA, BIA
from tests.unit.services.conftest import Open
from tests.unit.services.house import end_of, events_of, lines_of, soon, text_of, until_text

from prosa.adapters.models.fake.client import Step
from prosa.domain.conversations import MessageStatus
from prosa.domain.errors import BrokenStream, ContentRefused, ProviderOverloaded, RateLimited, RunNotFound
from prosa.domain.events import Done, Error, Start
from prosa.domain.ids import new_id
from prosa.domain.models import (
    ChatRequest,
    Finish,
    FinishReason,
    Recalled,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
    Withheld,
)
from prosa.domain.moderation import AnswerBlocked
from prosa.domain.runs import RunStatus
from prosa.domain.time import Instant
from prosa.domain.timing import decode_timings
from prosa.services.runs.checkpoint import Checkpoint
from prosa.services.runs.live import Live
from prosa.services.runs.start import Send

REPORT = UsageReport(Usage(prompt_tokens=7, completion_tokens=3))


async def test_completed(opened: Open) -> None:
    house = await opened([ThinkingDelta("hm"), "Olá, ", "mundo", REPORT])
    run, events = await house.turn()
    assert events[0] == Start(run.id, run.conversation_id, run.user_message_id, run.message_id)
    done = end_of(events)
    assert isinstance(done, Done)
    assert (done.status, done.reason, done.cost, done.usage.total_tokens) == ("completed", "stop", "0", 10)
    assert text_of(events) == "Olá, mundo" == (await house.answer(run)).content
    assert (await house.answer(run)).status is MessageStatus.COMPLETED
    assert (run.status, run.usage, run.reason) == (RunStatus.COMPLETED, REPORT.usage, "stop")
    house.at_rest(1)


@pytest.mark.parametrize(
    ("steps", "status", "message", "reason"),
    [
        (["a", Finish(FinishReason.LENGTH)], RunStatus.INCOMPLETE, MessageStatus.INCOMPLETE, "length"),
        (["No.", Finish(FinishReason.REFUSAL)], RunStatus.COMPLETED, MessageStatus.COMPLETED, "refusal"),
        ([REPORT], RunStatus.COMPLETED, MessageStatus.COMPLETED, "stop"),
    ],
)
async def test_other_finishes(
    opened: Open, steps: list[Any], status: RunStatus, message: MessageStatus, reason: str
) -> None:
    house = await opened(steps)
    run, events = await house.turn()
    done = end_of(events)
    assert isinstance(done, Done)
    assert (run.status, run.reason, done.status, done.reason) == (status, reason, str(status), reason)
    assert (await house.answer(run)).status is message
    house.at_rest(1)


@pytest.mark.hostile(65)
@pytest.mark.parametrize("end", [AnswerBlocked(), Finish(FinishReason.STOP)])
async def test_a_kept_answer_costs_nothing_and_asks_nobody(opened: Open, end: Any) -> None:
    """However it ends, also where the guard lets only a part of it through."""
    house = await opened([Recalled("kept", "m", Instant(1)), "so far ", Withheld(300), end])
    run, _ = await house.turn()
    assert run.usage.total_tokens == 0
    told = prometheus_client.generate_latest().decode()
    assert not [line for line in told.splitlines() if 'provider="kept"' in line and "run" not in line]
    [(timings,)] = house.rows("SELECT timings FROM runs")
    assert [timing.kind for timing in decode_timings(timings)] == ["recalled"]


@pytest.mark.hostile(57)
@pytest.mark.parametrize("said", ["", "partial "])
@pytest.mark.parametrize(
    "error",
    [ProviderOverloaded("fake"), RateLimited("fake", 3.0), ContentRefused("fake"), BrokenStream("fake")],
)
async def test_failed_before_and_after_the_first_output(opened: Open, said: str, error: Exception) -> None:
    house = await opened([said, error] if said else [error])
    run, events = await house.turn()
    end = end_of(events)
    assert end == Error(error.code, str(error), retryable=error.retryable)
    assert (run.status, run.error_code, run.error_message) == (RunStatus.FAILED, error.code, str(error))
    answer = await house.answer(run)
    assert (answer.status, answer.content) == (MessageStatus.INCOMPLETE, said)
    assert len(house.model.calls) == 1  # never silently repeated
    house.at_rest(1)


async def test_an_error_is_told_in_the_callers_language(opened: Open) -> None:

    house = await opened([ProviderOverloaded("fake")])
    of = await house.conversation()
    _, reader = await house.engine.start(ANA, Send(of.id, "Oi"), "pt")
    assert "sobrecarregado" in end_of(await events_of(reader)).message


async def test_a_broken_model_ends_its_run(opened: Open) -> None:
    house = await opened(["partial", ZeroDivisionError("x")])
    with capture_logs() as logs:
        run, events = await house.turn()
    assert end_of(events).code == "internal_error"
    assert run.status is RunStatus.FAILED
    assert [log["event"] for log in logs] == ["run_broke"]
    house.at_rest(1)


@pytest.mark.hostile(25)
async def test_text_that_nothing_can_store_is_mended(opened: Open) -> None:
    house = await opened(["a\ud83d", "b\0", REPORT])
    run, events = await house.turn()
    assert run.status is RunStatus.COMPLETED
    assert text_of(events) == "a\ufffdb\ufffd" == (await house.answer(run)).content


@pytest.mark.hostile(32)
@pytest.mark.parametrize(
    "absurd",
    [
        Usage(-5, 5),
        Usage(5, -5),
        Usage(10**12, 1),
        Usage(1, 10**12),
        Usage(1, 1, cached_tokens=9),
        Usage(1, 1, 0, 9),
    ],
)
@pytest.mark.hostile(64)
async def test_absurd_usage_is_not_believed(opened: Open, absurd: Usage) -> None:
    house = await opened(["four", UsageReport(absurd)], provider="openai", model="gpt-4o-mini")
    run, events = await house.turn()
    done = end_of(events)
    assert done.usage.estimated is True
    assert 0 < run.usage.total_tokens < 100
    assert run.cost > 0
    assert house.rows("SELECT estimated, total_tokens FROM ai_usage") == [(1, run.usage.total_tokens)]


@pytest.mark.hostile(64)
async def test_missing_usage_is_estimated_and_flagged(opened: Open) -> None:
    house = await opened(["x" * 30_000])
    run, events = await house.turn(max_tokens=50)
    assert end_of(events).usage.estimated is True
    assert 0 < run.usage.completion_tokens <= 50  # no more than what was asked for and is held
    assert house.rows("SELECT estimated FROM ai_usage") == [(1,)]


# Stop


async def test_stop_before_the_first_token(opened: Open) -> None:
    house = await opened([asyncio.Event(), "never"])
    of = await house.conversation()
    run, reader = await house.send(of)

    stopped = await soon(house.engine.stop(ANA, run.id), 2)
    assert stopped.status is RunStatus.CANCELLED
    done = end_of(await events_of(reader))
    assert (done.status, done.reason) == ("cancelled", "stopped")
    assert all(call.closed.is_set() for call in house.model.calls)
    house.at_rest(1)


async def test_stop_in_the_middle_keeps_the_text_and_closes_the_provider(opened: Open) -> None:

    house = await opened(["So far ", "so good", asyncio.Event(), "never"])
    run, reader = await house.send(await house.conversation())
    await until_text(reader)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    stopped = await house.engine.stop(ANA, run.id)
    await soon(house.model.calls[0].closed.wait(), 1)
    assert loop.time() - begun < 1
    assert (stopped.status, stopped.reason) == (RunStatus.CANCELLED, "stopped")
    answer = await house.answer(run)
    assert (answer.content, answer.status) == ("So far so good", MessageStatus.INCOMPLETE)
    assert house.rows("SELECT estimated, completion_tokens > 0 FROM ai_usage") == [(1, 1)]
    house.at_rest(1)


async def test_a_stop_that_comes_before_the_generation_begins(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await opened([asyncio.Event()])
    execute = house.engine._execute

    def executed(live: Live, begun: Checkpoint) -> None:
        execute(live, begun)
        house.engine.heard("stop", [live.run.id])  # the run's task has not had its first step

    monkeypatch.setattr(house.engine, "_execute", executed)
    _, reader = await house.send(await house.conversation())
    done = end_of(await soon(events_of(reader)))
    assert done.status == "cancelled"
    assert house.model.calls == []
    house.at_rest(1)


async def test_stop_twice_and_after_the_end(opened: Open) -> None:

    house = await opened(["a", asyncio.Event()])
    run, reader = await house.send(await house.conversation())
    await until_text(reader)
    first, second = await asyncio.gather(*(house.engine.stop(ANA, run.id) for _ in range(2)))
    assert first == second == await house.engine.stop(ANA, run.id)
    assert first.status is RunStatus.CANCELLED
    house.at_rest(1)


async def test_nobody_stops_what_is_not_theirs(opened: Open) -> None:

    gate = asyncio.Event()
    house = await opened(["a", gate, "b"])
    run, reader = await house.send(await house.conversation())
    for owner, run_id in ((BIA, run.id), (ANA, new_id())):
        with pytest.raises(RunNotFound):
            await house.engine.stop(owner, run_id)
        with pytest.raises(RunNotFound):
            await house.engine.follow(owner, run_id, 0)
    gate.set()
    assert text_of(await events_of(reader)) == "ab"


@pytest.mark.hostile(61)
async def test_stop_races_with_completion(opened: Open) -> None:

    house = await opened(lambda _: ["a", random.choice([0, 0.0005, 0.001]), "b", REPORT])
    of = await house.conversation()
    number = counts(1_000, 60)
    for _ in range(number):
        run, reader = await house.send(of, parent_id=None)
        await asyncio.sleep(random.choice([0, 0.0005, 0.001, 0.002]))
        stopped = await house.engine.stop(ANA, run.id)
        end = end_of(await events_of(reader))
        assert stopped.status in (RunStatus.COMPLETED, RunStatus.CANCELLED)
        assert end.status == str(stopped.status) == str((await house.run(run)).status)
        whole = stopped.status is RunStatus.COMPLETED
        answer = await house.answer(run)
        assert answer.status is (MessageStatus.COMPLETED if whole else MessageStatus.INCOMPLETE)
        assert answer.content == "ab"[: len(answer.content)]
    house.at_rest(number)


# Readers


@pytest.mark.hostile(53)
async def test_a_reader_that_leaves_changes_nothing(opened: Open) -> None:
    gate = asyncio.Event()
    house = await opened(["a", gate, "b", REPORT])
    run, reader = await house.send(await house.conversation())
    reading = asyncio.ensure_future(events_of(reader))
    await asyncio.sleep(0.01)
    reading.cancel()
    gate.set()
    assert text_of(await events_of(await house.follow(run))) == "ab"
    assert (await house.answer(run)).content == "ab"
    assert len(house.model.calls) == 1
    house.at_rest(1)


@pytest.mark.hostile(54)
async def test_live_and_stored_readers_get_the_same_from_any_cursor(opened: Open) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    house = await opened(
        ["a", gates[0], "b" * 3_000, gates[1], ThinkingDelta("c"), gates[2], TextDelta("d"), REPORT]
    )
    run, first = await house.send(await house.conversation())
    readings = [asyncio.ensure_future(lines_of(first))]
    for gate in gates:
        readings.append(asyncio.ensure_future(lines_of(await house.follow(run))))
        await asyncio.sleep(0.01)
        gate.set()
    whole, *others = await asyncio.gather(*readings)
    assert all(lines == whole for lines in others)
    for after in range(len(whole) + 2):
        assert await lines_of(await house.follow(run, after)) == whole[after:]


async def test_a_very_long_run_without_a_reader(opened: Open) -> None:
    number = counts(100_000, 20_000)
    house = await opened(lambda _: ["w "] * number)
    run, reader = await house.send(await house.conversation())
    del reader
    events = await soon(events_of(await house.follow(run)), 60)
    assert text_of(events) == "w " * number
    assert house.engine.running == 0
    assert (await house.answer(run)).content == "w " * number
    house.at_rest(1)


@pytest.mark.hostile(32)
@pytest.mark.parametrize("kind", [TextDelta, ThinkingDelta, partial(ToolCallDelta, "c1")])
async def test_an_answer_without_an_end_is_cut(opened: Open, kind: Any) -> None:
    def script(_request: ChatRequest) -> Iterator[Step]:
        yield ToolCallStart("c1", "weather")
        while True:
            yield kind("word " * 1_000)

    house = await opened(script, most=16)
    _, events = await house.turn()
    done = end_of(events)
    assert (done.status, done.reason) == ("incomplete", "length")
    assert len(events) < 2_000
