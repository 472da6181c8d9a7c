"""An answer in windows, each of which is told once those who judge it have let it pass."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from prosa.domain.errors import LimitReached, PriceUnknown, ProviderError
from prosa.domain.models import (
    BLOCKED,
    Finish,
    Flagged,
    ModelEvent,
    Origin,
    Reset,
    TextDelta,
    Thought,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Withheld,
)
from prosa.domain.moderation import AnswerBlocked, ModerationUnavailable
from prosa.services.guard.inspection import REMOVED
from prosa.services.guard.remote import AT_ONCE, Remote
from prosa.services.guard.screen import Said, Thoughts, bounded

WINDOW = 800
OVERLAP = 200
"""Characters of what was told before that are judged with a window, so that nothing falls between two."""
NOTHING = "{}"
"""In place of a call's arguments."""


def window_of(checks: Sequence[Remote]) -> int:
    """How many characters are asked about at once."""
    return min(check.table.window or WINDOW for check in checks)


class Windows:
    """The events of one answer to `origin`. `note` hears of what is worth a look, and of who was asked."""

    def __init__(
        self, checks: Sequence[Remote], origin: Origin | None, note: Callable[[ModelEvent], None]
    ) -> None:
        self._checks = checks
        self._origin = origin
        self._note = note
        self._window = window_of(checks)
        self._kind: type[Said] = TextDelta
        self._held = ""
        self._told = ""
        self._calls: dict[str, list[str]] = {}
        self._thoughts = Thoughts()
        self._unjudged = 0
        """Characters of arguments that were held so far."""

    async def pass_on(self, events: AsyncGenerator[ModelEvent, None]) -> AsyncGenerator[ModelEvent, None]:
        """Raises AnswerBlocked, before anything of the window is told, ModerationUnavailable, and what asking
        a judge raises where nobody can pay for it."""
        try:
            try:
                async with aclosing(events):
                    async for event in events:
                        for told in await self._take(event):
                            yield self._thoughts.kept(told)
            except ProviderError:
                for told in await self._flush():
                    yield told
                raise
            for told in await self._flush():
                yield told
        except (AnswerBlocked, ModerationUnavailable, LimitReached, PriceUnknown, asyncio.CancelledError):
            yield Withheld(len(self._held))
            raise

    async def _take(self, event: ModelEvent) -> list[ModelEvent]:
        if isinstance(event, Said):
            return await self._say(event)
        told: list[ModelEvent] = []
        match event:
            case ToolCallStart(identity):
                self._calls[identity] = []
                told = await self._flush()
            case ToolCallDelta(identity, text) if identity in self._calls:
                self._calls[identity].append(text)
                self._unjudged += len(text)
                bounded(self._unjudged)
                return []
            case ToolCallEnd(identity) if identity in self._calls:
                told = await self._end_call(identity)
            case Thought() | Finish():
                told = await self._flush()
            case Reset():
                self._held = self._told = ""
                self._calls.clear()
        return [*told, event]

    async def _say(self, event: Said) -> list[ModelEvent]:
        told: list[ModelEvent] = []
        if type(event) is not self._kind:
            told = await self._flush()
            self._kind, self._told = type(event), ""
        self._held += event.text
        while len(self._held) >= self._window:
            told += await self._pass(min(len(self._held), AT_ONCE))
        return told

    async def _flush(self) -> list[ModelEvent]:
        return await self._pass(len(self._held)) if self._held else []

    async def _pass(self, length: int) -> list[ModelEvent]:
        text, kind = self._held[:length], self._kind
        shown = await self._judged(text, self._told[-OVERLAP:])
        self._told, self._held = (self._told + text)[-OVERLAP:], self._held[length:]
        return [kind(shown)]

    async def _end_call(self, identity: str) -> list[ModelEvent]:
        arguments = "".join(self._calls.pop(identity))
        if not arguments:
            return []
        shown = await self._judged(arguments, "")
        return [ToolCallDelta(identity, arguments if shown is arguments else NOTHING)]

    async def _judged(self, text: str, before: str) -> str:
        shown = text
        for check in self._checks:
            verdict = await check.ask(before + text, self._origin, self._note)
            if not verdict.flagged:
                continue
            if check.table.action == "block":
                self._note(Flagged(check.name, "output", (*verdict.categories, BLOCKED)))
                raise AnswerBlocked
            if check.table.action == "mask":
                shown = REMOVED
            else:
                self._note(Flagged(check.name, "output", verdict.categories))
        return shown
