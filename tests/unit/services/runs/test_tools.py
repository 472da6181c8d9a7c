"""Runs that call tools: rounds, results, pauses, decisions, and what a crash leaves."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from tests.stores import ANA
from tests.unit.services.house import House, end_of, events_of, lines_of, soon, text_of

from prosa.adapters.models.fake.client import Script, Step
from prosa.domain.content import TextPart, ThinkingPart, ToolCall, ToolResult, ToolStatus
from prosa.domain.errors import InvalidRequest, RunNotWaiting, ToolFailed
from prosa.domain.events import (
    Done,
    Event,
    Queued,
    RequiresAction,
    Reset,
    Text,
    ToolArguments,
    ToolCalled,
    ToolReturned,
    decode,
)
from prosa.domain.limits import Limits
from prosa.domain.models import (
    Asked,
    ChatRequest,
    Finish,
    FinishReason,
    Recalled,
    Role,
    ThinkingDelta,
    Thought,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    ToolChoice,
    ToolSpec,
    Usage,
    UsageReport,
)
from prosa.domain.models import Queued as QueuedUp
from prosa.domain.models import Reset as Anew
from prosa.domain.runs import RunStatus
from prosa.domain.steps import StepStatus, Verdict
from prosa.domain.time import Instant
from prosa.ports.tools import Caller
from prosa.services.tools.registry import Toolbox

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        "additionalProperties": False}  # fmt: skip


class Weather:
    """A tool that notes its calls, and does what `acts` says."""

    kind = "function"
    always = True
    timeout = 0.2

    def __init__(self, name: str = "weather", *, needs_approval: bool = False, acts: Any = None) -> None:
        self.spec = ToolSpec(name, "The weather.", CITY)
        self.needs_approval = needs_approval
        self.acts = acts
        self.calls: list[tuple[dict[str, Any], Caller]] = []
        self.begun: asyncio.Queue[str] = asyncio.Queue()

    async def call(self, arguments: dict[str, Any], caller: Caller) -> str:
        self.calls.append((arguments, caller))
        self.begun.put_nowait(caller.call_id)
        if isinstance(self.acts, Exception):
            raise self.acts
        if isinstance(self.acts, asyncio.Event):
            await self.acts.wait()
        return f"sunny in {arguments['city']}"

    async def close(self) -> None:
        pass


def calling(*calls: tuple[str, str, str], says: str = "") -> list[Step]:
    """The steps of an answer that calls (id, name, arguments)."""
    steps: list[Step] = [says] if says else []
    for identity, name, arguments in calls:
        steps += [ToolCallStart(identity, name), ToolCallDelta(identity, arguments), ToolCallEnd(identity)]
    return [*steps, UsageReport(Usage(10, 5)), Finish(FinishReason.TOOL_CALLS)]


def rounds(*answers: Iterable[Step]) -> Script:
    """Each request gets the next of the answers, by how many results it brings."""

    def script(request: ChatRequest) -> Iterator[Step]:
        done = sum(turn.role is Role.TOOL for turn in request.turns)
        yield from answers[done]

    return script


LISBON = ("c1", "weather", '{"city": "Lisboa"}')
OSLO = ("c2", "weather", '{"city": "Oslo"}')
SPOKEN: list[Step] = ["It is sunny.", UsageReport(Usage(30, 4))]

Open = Callable[..., Awaitable[House]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    houses: list[House] = []

    async def house(script: Any, *tools: Weather, **settings: Any) -> House:
        made = House(tmp_path, script, tools=Toolbox(tools), **settings)
        houses.append(made)
        await made.__aenter__()
        return made

    yield house
    for made in houses:
        await made.__aexit__()


def of(kind: type, events: Iterable[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


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


# Tools of the caller's

CLIENT = (ToolSpec("ask_user", "Asks.", {"type": "object"}),)
ASKS = calling(("c1", "ask_user", '{"q": "Which?"}'))


async def paused(house: House, **fields: Any) -> tuple[Any, Any, list[Event]]:
    """A run that waits for its caller, its reader, and the events so far."""
    run, reader = await house.send(await house.conversation(), **fields)
    events: list[Event] = []
    while not events or not isinstance(events[-1], RequiresAction):
        events += [decode(line) for line in await soon(reader.read())]
    return run, reader, events


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


# Money, and what breaks


async def test_a_limit_is_held_to_between_the_rounds(opened: Open) -> None:
    long = [*calling(LISBON)[:-2], UsageReport(Usage(300, 200)), Finish(FinishReason.TOOL_CALLS)]
    house = await opened(rounds(long, SPOKEN), Weather(), limits=Limits(tokens_per_day=1_000), most=200)
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


# What policies tell


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
    [Asked("openai", "unheard-of"), Asked("other", "cheaper"), "Hi."],
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


async def test_a_run_that_asked_before_it_got_a_kept_answer_was_not_for_nothing(opened: Open) -> None:
    kept: list[Step] = [Recalled("fake", "echo", Instant(1)), "It is sunny.", Finish(FinishReason.STOP)]
    house = await opened(rounds(calling(LISBON), kept), Weather())
    run, events = await house.turn()
    done = end_of(events)
    assert isinstance(done, Done)
    assert (done.cached, run.usage.total_tokens) == (UNSET, 15)
