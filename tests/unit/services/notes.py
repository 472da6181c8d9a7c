"""A model that answers and writes notes, and what tests of summaries do with it."""

import asyncio
from collections.abc import Iterable
from typing import Any

from tests.stores import ANA
from tests.unit.services.house import House, end_of, events_of, soon

from prosa.adapters.models.fake.client import Step
from prosa.domain.conversations import Conversation, Message, MessageKind
from prosa.domain.models import ChatRequest, Usage, UsageReport
from prosa.domain.runs import Run
from prosa.services.context import summary
from prosa.services.messages import Placed

WINDOW = 8_200
LONG = "word " * 700
"""About 1,170 tokens, as estimates go."""


def asks_for_notes(request: ChatRequest) -> bool:
    return (request.system or "").startswith(summary.INSTRUCTIONS[:40])


class Writer:
    """Answers "ok"; where notes are asked for, numbered ones, once `gate` is open."""

    def __init__(self) -> None:
        self.notes: list[ChatRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.usage = Usage(10, 1)
        self.first: list[Step] = []
        """What happens in place of the next notes."""

    def __call__(self, request: ChatRequest) -> Iterable[Step]:
        if not asks_for_notes(request):
            return ["ok", UsageReport(self.usage)]
        self.notes.append(request)
        self.asked.set()
        if self.first:
            return [self.first.pop()]
        return [self.gate, f"Notes {len(self.notes)}.", UsageReport(Usage(100, 7))]


async def say(house: House, of: Conversation, content: str = LONG, **fields: Any) -> Run:
    run, reader = await house.send(of, content, **fields)
    end_of(await events_of(reader))
    return run


async def quiet(house: House) -> None:
    """Until no summary is being written any more."""
    await asyncio.sleep(0)
    await soon(house.chat.summaries.background.drain(None))
    await asyncio.sleep(0)


async def branch(house: House, of: Conversation, head: str | None = None) -> list[Message]:
    placed: list[Placed] = []
    cursor = None
    while True:
        page, cursor = await house.chat.messages.page(
            ANA, of.id, head=head, order="asc", limit=200, cursor=cursor
        )
        placed += page
        if cursor is None:
            return [each.message for each in placed]


def kinds(messages: list[Message]) -> str:
    """The branch at a glance: users, assistants and summaries."""
    return "".join("s" if each.kind is MessageKind.SUMMARY else each.role[0] for each in messages)
