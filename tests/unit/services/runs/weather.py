"""A tool of the house and one of the caller, and models that call them."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from tests.unit.services.house import House, soon

from prosa.adapters.models.fake.client import Script, Step
from prosa.domain.events import (
    Event,
    RequiresAction,
    decode,
)
from prosa.domain.models import (
    ChatRequest,
    Finish,
    FinishReason,
    Role,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    ToolSpec,
    Usage,
    UsageReport,
)
from prosa.ports.tools import Caller

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

CLIENT = (ToolSpec("ask_user", "Asks.", {"type": "object"}),)
ASKS = calling(("c1", "ask_user", '{"q": "Which?"}'))


def of(kind: type, events: Iterable[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def paused(house: House, **fields: Any) -> tuple[Any, Any, list[Event]]:
    """A run that waits for its caller, its reader, and the events so far."""
    run, reader = await house.send(await house.conversation(), **fields)
    events: list[Event] = []
    while not events or not isinstance(events[-1], RequiresAction):
        events += [decode(line) for line in await soon(reader.read())]
    return run, reader, events
