"""Runs that call tools: rounds and their results, what goes wrong in them, what they cost."""

import asyncio
from typing import Any

import pytest
from tests.stores import ANA
from tests.unit.services.conftest import Open
from tests.unit.services.house import end_of, events_of, soon, text_of
from tests.unit.services.runs.weather import (
    LISBON,
    OSLO,
    SPOKEN,
    Weather,
    calling,
    of,
    rounds,
)

from prosa.adapters.models.fake.client import Step
from prosa.domain.content import TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.errors import ToolFailed
from prosa.domain.events import (
    Done,
    Text,
    ToolArguments,
    ToolCalled,
    ToolReturned,
)
from prosa.domain.limits import Limits
from prosa.domain.models import (
    Asked,
    ChatRequest,
    Finish,
    FinishReason,
    Role,
    ThinkingDelta,
    Thought,
    ToolChoice,
    Usage,
    UsageReport,
)
from prosa.domain.runs import RunStatus
from prosa.domain.steps import StepStatus
from prosa.ports.tools import Caller


async def test_a_call_and_its_result(opened: Open) -> None:
    tool = Weather()
    house = await opened(rounds(calling(LISBON, says="Let me see. "), SPOKEN), tool)
    run, events = await house.turn()
    assert [type(each) for each in events][1:] == [Text, ToolCalled, ToolArguments, ToolReturned, Text, Done]
    assert of(ToolReturned, events) == [ToolReturned("c1", "completed", "sunny in Lisboa")]
    assert text_of(events) == "Let me see. It is sunny."
    [(arguments, caller)] = tool.calls
    assert arguments == {"city": "Lisboa"}
    assert (caller.principal, caller.run_id, caller.call_id) == (ANA, run.id, "c1")
    second = house.model.calls[1].request
    assert second.turns[1].parts == (TextPart("Let me see. "), ToolCall(*LISBON))
    assert second.turns[2].parts == (ToolResult("c1", "sunny in Lisboa", "weather"),)
    answer = await house.answer(run)
    assert answer.content == "Let me see. It is sunny."
    assert [type(part) for part in answer.parts] == [TextPart, ToolCall, ToolResult, TextPart]
    [step] = await house.store.of(ANA).steps.of(run.id)
    assert (step.status, step.result, step.kind) == (StepStatus.COMPLETED, "sunny in Lisboa", "function")
    done = end_of(events)
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (40, 9)
    assert house.rows("SELECT attempt, prompt_tokens FROM ai_usage ORDER BY attempt") == [(1, 10), (2, 30)]
    assert house.count("reservations") == 0


async def test_the_next_turn_knows_what_was_called(opened: Open) -> None:
    house = await opened(rounds(calling(LISBON), SPOKEN, SPOKEN, SPOKEN), Weather())
    of_it = await house.conversation()
    _, reader = await house.send(of_it)
    await events_of(reader)
    _, reader = await house.send(of_it, "And now?")
    assert text_of(await events_of(reader)) == "It is sunny."
    turns = house.model.calls[-1].request.turns
    assert [turn.role for turn in turns] == [Role.USER, Role.ASSISTANT, Role.TOOL, Role.ASSISTANT, Role.USER]


async def test_calls_of_a_round_are_made_at_once(opened: Open) -> None:
    gate = asyncio.Event()
    tool = Weather(acts=gate)
    tool.timeout = 10
    house = await opened(rounds(calling(LISBON, OSLO), SPOKEN), tool)
    _, reader = await house.send(await house.conversation())
    reading = asyncio.ensure_future(events_of(reader))
    for _ in range(2):
        await soon(tool.begun.get())
    gate.set()
    assert {each.id for each in of(ToolReturned, await soon(reading))} == {"c1", "c2"}


@pytest.mark.hostile(51)
@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("c1", "weather", "{"), "no JSON"),
        (("c1", "weather", '{"city": 7}'), "city"),
        (("c1", "weather", '{"city": "x", "admin": true}'), "admin"),
        (("c1", "weather", "[]"), "object"),
        (("c1", "weather", "NaN"), "JSON"),
        (("c1", "delete_everything", "{}"), "no tool with this name"),
        (("c1", "weather", '{"city": "' + "x" * 1_100_000 + '"}'), "longer"),
    ],
)
async def test_a_call_that_is_wrong_goes_back_to_the_model(
    opened: Open, call: tuple[str, str, str], told: str
) -> None:
    tool = Weather()
    house = await opened(rounds(calling(call), SPOKEN), tool, most=20_000)
    _, events = await house.turn()
    [returned] = of(ToolReturned, events)
    assert returned.status == "failed"
    [result] = house.model.calls[1].request.turns[2].parts
    assert told in result.result
    assert tool.calls == []
    assert end_of(events).status == "completed"


@pytest.mark.parametrize(
    ("acts", "told"),
    [
        (ToolFailed("No such city."), "No such city."),
        (RuntimeError("the key is sk-secret"), "The tool failed."),
        (asyncio.Event(), "longer than 0.2 seconds"),
    ],
)
async def test_a_tool_that_fails(opened: Open, acts: Any, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prosa.services.runs.calls.GRACE", 0.0)
    house = await opened(rounds(calling(LISBON), SPOKEN), Weather(acts=acts))
    _, events = await house.turn()
    [returned] = of(ToolReturned, events)
    assert (returned.status, told in returned.result) == ("failed", True)
    assert "sk-secret" not in repr(events)
    assert end_of(events).status == "completed"


@pytest.mark.hostile(51)
async def test_an_endless_loop_ends(opened: Open) -> None:
    def again(request: ChatRequest) -> list[Step]:
        return calling((f"c{len(request.turns)}", "weather", '{"city": "x"}'))

    house = await opened(again, Weather(), tool_rounds=3)
    run, events = await house.turn()
    done = end_of(events)
    assert (done.status, done.reason, len(house.model.calls)) == ("incomplete", "tool_rounds", 4)
    assert house.count("ai_usage", f"run_id = '{run.id}'") == 4


@pytest.mark.hostile(51)
async def test_a_thousand_calls_at_once(opened: Open) -> None:
    tool = Weather()
    many = [(f"c{n}", "weather", '{"city": "x"}') for n in range(1_000)]
    house = await opened(rounds(calling(*many), SPOKEN), tool)
    _, events = await house.turn()
    assert len(tool.calls) == 64
    assert len(of(ToolReturned, events)) == 1_000
    assert end_of(events).status == "completed"


async def test_the_same_ids_in_every_round(opened: Open) -> None:
    def script(request: ChatRequest) -> list[Step]:
        done = sum(turn.role is Role.TOOL for turn in request.turns)
        return calling(("call_0", "weather", '{"city": "x"}')) if done < 3 else SPOKEN

    house = await opened(script, Weather())
    run, events = await house.turn()
    ids = [each.id for each in of(ToolReturned, events)]
    assert len(set(ids)) == 3
    assert [step.call_id for step in await house.store.of(ANA).steps.of(run.id)] == ids


async def test_a_choice_that_forces_a_tool_does_so_once(opened: Open) -> None:
    house = await opened(rounds(calling(LISBON), SPOKEN), Weather())
    await house.turn(tool_choice=ToolChoice("required"))
    first, second = (call.request.tool_choice for call in house.model.calls)
    assert (first, second) == (ToolChoice("required"), None)


async def test_thoughts_go_back_with_the_results(opened: Open) -> None:
    thought = ThinkingPart("Hm.", "signed")
    said = [Asked("fake", "echo"), ThinkingDelta("Hm."), Thought(thought), *calling(LISBON)]
    house = await opened(rounds(said, SPOKEN), Weather())
    run, _ = await house.turn()
    assert house.model.calls[1].request.turns[1].parts[0] == ThinkingPart("Hm.", "signed", None, "fake")
    assert (await house.answer(run)).parts[0] == ThinkingPart("Hm.", "signed", None, "fake")


async def test_a_limit_is_held_to_between_the_rounds(opened: Open) -> None:
    long = [*calling(LISBON)[:-2], UsageReport(Usage(300, 200)), Finish(FinishReason.TOOL_CALLS)]
    house = await opened(rounds(long, SPOKEN), Weather(), limits=Limits(tokens_per_day=1_400), most=200)
    run, events = await house.turn(max_tokens=200)
    done = end_of(events)
    assert (done.status, done.reason) == ("incomplete", "limit")
    assert len(house.model.calls) == 1
    assert house.rows("SELECT sum(total_tokens) FROM ai_usage") == [(500,)]
    assert (await house.run(run)).status is RunStatus.INCOMPLETE


async def test_a_stop_while_a_tool_works(opened: Open) -> None:
    tool = Weather(acts=asyncio.Event())
    tool.timeout = 10
    house = await opened(rounds(calling(LISBON), SPOKEN), tool)
    run, reader = await house.send(await house.conversation())
    await soon(tool.begun.get())
    await soon(house.engine.stop(ANA, run.id), 3)
    assert end_of(await events_of(reader)).status == "cancelled"
    [step] = await house.store.of(ANA).steps.of(run.id)
    assert step.status is StepStatus.CANCELLED
    assert house.rows("SELECT attempt, prompt_tokens FROM ai_usage") == [(1, 10)]


async def test_later_rounds_fit_into_the_window(opened: Open) -> None:
    """What the tools gave stays, with the question; older exchanges make room for it."""

    class Talkative(Weather):
        async def call(self, arguments: dict[str, Any], caller: Caller) -> str:
            await super().call(arguments, caller)
            return "sun " * 1_500

    def script(request: ChatRequest) -> list[Step]:
        asked = request.turns[-1]
        return calling(LISBON) if asked.content == "How is it?" else SPOKEN

    house = await opened(script, Talkative(), window=4_000, most=500)
    of_it = await house.conversation()
    for number in range(3):
        _, reader = await house.send(of_it, f"{number}" * 2_400)
        await events_of(reader)
    run, reader = await house.send(of_it, "How is it?")
    assert text_of(await events_of(reader)) == "It is sunny."
    first, second = (call.request.turns for call in house.model.calls[-2:])
    assert [turn.content[:1] for turn in first if turn.role is Role.USER] == ["0", "1", "2", "H"]
    assert [turn.content[:1] for turn in second if turn.role is Role.USER] == ["2", "H"]
    assert second[-1].parts[0] == ToolResult("c1", "sun " * 1_500, "weather")
    assert (await house.run(run)).status is RunStatus.COMPLETED
