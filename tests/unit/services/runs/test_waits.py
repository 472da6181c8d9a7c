"""Runs that wait for their callers: for what a tool gives, or for leave to call it."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.stores import ANA
from tests.unit.services.conftest import Open
from tests.unit.services.house import House, end_of, events_of, lines_of, soon, text_of
from tests.unit.services.runs.weather import (
    ASKS,
    CLIENT,
    LISBON,
    SPOKEN,
    Weather,
    calling,
    of,
    paused,
    rounds,
)

from prosa.domain.content import ToolResult, ToolStatus
from prosa.domain.errors import InvalidRequest, RunNotWaiting
from prosa.domain.events import (
    Done,
    Text,
    ToolReturned,
)
from prosa.domain.runs import RunStatus
from prosa.domain.steps import StepStatus, Verdict


async def test_a_run_waits_for_the_callers_output(opened: Open) -> None:
    house = await opened(rounds(ASKS, SPOKEN))
    run, reader, events = await paused(house, client_tools=CLIENT)
    [wanted] = events[-1].calls
    assert (wanted.id, wanted.name, wanted.needs, wanted.arguments) == (
        "c1",
        "ask_user",
        "output",
        '{"q": "Which?"}',
    )
    await house.engine.settle()
    waiting = await house.run(run)
    assert (waiting.status, house.engine.running) == (RunStatus.REQUIRES_ACTION, 0)
    with pytest.raises(InvalidRequest):
        await house.engine.say(ANA, run.id, [Verdict("c9", "output", StepStatus.COMPLETED, "x")])
    said = Verdict("c1", "output", StepStatus.COMPLETED, "The blue one.")
    assert (await house.engine.say(ANA, run.id, [said])).status is RunStatus.IN_PROGRESS
    rest = await soon(events_of(reader))
    assert [type(each) for each in rest] == [ToolReturned, Text, Done]
    seqs = [json.loads(line)["seq"] for line in await lines_of(await house.follow(run))]
    assert seqs == list(range(1, len(seqs) + 1))
    assert house.model.calls[1].request.turns[-1].parts == (ToolResult("c1", "The blue one.", "ask_user"),)
    with pytest.raises(RunNotWaiting):
        await house.engine.say(ANA, run.id, [said])
    assert house.rows("SELECT attempt FROM ai_usage ORDER BY attempt") == [(1,), (2,)]
    assert house.count("reservations") == 0


@pytest.mark.hostile(55)
async def test_a_wait_survives_a_restart(tmp_path: Path) -> None:
    script = rounds(ASKS, SPOKEN)
    async with House(tmp_path, script) as house:
        run, _, _ = await paused(house, client_tools=CLIENT, content="Choose")
    async with House(tmp_path, script) as house:
        assert (await house.run(run)).status is RunStatus.REQUIRES_ACTION
        reader = await house.follow(run)
        await house.engine.say(ANA, run.id, [Verdict("c1", "output", StepStatus.COMPLETED, "blue")])
        events = await soon(events_of(reader))
        assert text_of(events) == "It is sunny."
        assert end_of(events).usage.prompt_tokens == 40, "with what was spent before the restart"
        assert house.model.calls[0].request.turns[0].content == "Choose"


async def test_a_stop_while_it_waits(opened: Open) -> None:
    house = await opened(rounds(ASKS, SPOKEN))
    run, reader, _ = await paused(house, client_tools=CLIENT)
    await house.engine.settle()
    assert (await soon(house.engine.stop(ANA, run.id), 3)).status is RunStatus.CANCELLED
    assert end_of(await soon(events_of(reader))).status == "cancelled"
    assert house.rows("SELECT attempt, prompt_tokens FROM ai_usage") == [(1, 10)]
    assert [step.status for step in await house.store.of(ANA).steps.of(run.id)] == [StepStatus.CANCELLED]
    assert house.count("reservations") == 0


async def test_a_wait_that_is_too_long_expires(opened: Open) -> None:
    house = await opened(rounds(ASKS, SPOKEN), action_seconds=0.01)
    run, reader, _ = await paused(house, client_tools=CLIENT)
    await house.engine.settle()
    await asyncio.sleep(0.02)
    await house.engine._recovery.run()
    assert end_of(await soon(events_of(reader))).status == "expired"
    assert (await house.run(run)).status is RunStatus.EXPIRED
    assert house.count("reservations") == 0


# Leave to call

APPROVE = Verdict("c1", "approval", StepStatus.ALLOWED)
DENY = Verdict("c1", "approval", StepStatus.DENIED, "The user did not allow this call.")


async def test_a_call_that_was_allowed_is_made_as_it_was_asked(opened: Open) -> None:
    tool = Weather(needs_approval=True)
    house = await opened(rounds(calling(LISBON), SPOKEN), tool)
    run, reader, events = await paused(house)
    assert events[-1].calls[0].needs == "approval"
    assert tool.calls == []
    await house.engine.settle()
    with pytest.raises(RunNotWaiting):
        await house.engine.say(ANA, run.id, [Verdict("c1", "output", StepStatus.COMPLETED, "forged")])
    await house.engine.say(ANA, run.id, [APPROVE])
    await soon(events_of(reader))
    assert [arguments for arguments, _ in tool.calls] == [{"city": "Lisboa"}]


async def test_a_call_that_was_denied_is_not_made(opened: Open) -> None:
    tool = Weather(needs_approval=True)
    house = await opened(rounds(calling(LISBON), SPOKEN), tool)
    run, reader, _ = await paused(house)
    await house.engine.settle()
    await house.engine.say(ANA, run.id, [DENY])
    [returned] = of(ToolReturned, await soon(events_of(reader)))
    assert returned.status == "denied"
    assert tool.calls == []
    [result] = house.model.calls[1].request.turns[-1].parts
    assert result.status is ToolStatus.DENIED


async def test_of_two_decisions_one_wins(opened: Open) -> None:
    for _ in range(5):
        tool = Weather(needs_approval=True)
        house = await opened(rounds(calling(LISBON), SPOKEN), tool)
        run, reader, _ = await paused(house)
        await house.engine.settle()
        heard = await asyncio.gather(
            *(house.engine.say(ANA, run.id, [verdict]) for verdict in (APPROVE, DENY, APPROVE)),
            return_exceptions=True,
        )
        assert [type(each) for each in heard].count(RunNotWaiting) == 2
        await soon(events_of(reader))
        assert len(tool.calls) <= 1
        await house.__aexit__()


async def test_what_is_ready_is_done_before_the_wait(opened: Open) -> None:
    free, bound = Weather(), Weather("send_mail", needs_approval=True)
    house = await opened(rounds(calling(LISBON, ("c2", "send_mail", '{"city": "x"}')), SPOKEN), free, bound)
    run, reader, events = await paused(house)
    assert [each.id for each in of(ToolReturned, events)] == ["c1"]
    await house.engine.settle()
    await house.engine.say(ANA, run.id, [Verdict("c2", "approval", StepStatus.ALLOWED)])
    rest = await soon(events_of(reader))
    assert [each.id for each in of(ToolReturned, rest)] == ["c2"], "no result is told twice"
    assert [part.id for part in house.model.calls[1].request.turns[-1].parts] == ["c1", "c2"]
    assert (len(free.calls), len(bound.calls)) == (1, 1)
