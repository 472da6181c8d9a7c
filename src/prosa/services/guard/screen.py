"""What an answer passes on its way to the reader: each kind of its text through stages of its own."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Literal, Protocol

from prosa.domain.content import ThinkingPart
from prosa.domain.errors import ProsaError, ProviderError
from prosa.domain.models import (
    Finish,
    ModelEvent,
    RefusalDelta,
    Reset,
    TextDelta,
    ThinkingDelta,
    Thought,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Withheld,
)
from prosa.domain.moderation import ContentBlocked, ModerationUnavailable

LONG = 16_384
"""Characters: more than this at once is looked at off the loop."""
HELD = 1_000_000
"""Characters that one answer may have held back: no word, and no call's arguments, are longer."""

Kind = Literal["text", "thinking", "arguments"]
Said = TextDelta | ThinkingDelta | RefusalDelta


class Stage(Protocol):
    """Takes a text piece by piece and gives it on, later or changed; `end` gives what is left."""

    def push(self, piece: str) -> str: ...

    def end(self) -> str: ...


Stages = Callable[[Kind], Sequence[Stage]]
"""Makes new ones for a text of this kind."""


class Channel:
    """One text on its way through its stages. Once one of them has blocked it, `cleared` is what had passed
    that one before, and all that come after."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages
        self.cleared: str | None = None
        self.busy = False
        """A thread has it."""

    def push(self, piece: str) -> str:
        for place, stage in enumerate(self._stages):
            if not piece:
                break
            try:
                piece = stage.push(piece)
            except ContentBlocked:
                self._clear(place)
                raise
        return piece

    def end(self, first: int = 0, left: str = "") -> str:
        """What the stages from `first` on make of `left`, and of all that they hold."""
        for place, stage in enumerate(self._stages[first:], first):
            try:
                left = (stage.push(left) if left else "") + stage.end()
            except ContentBlocked:
                self._clear(place)
                raise
        return left

    def _clear(self, blocking: int) -> None:
        self.cleared = ""
        with suppress(ContentBlocked, ModerationUnavailable):
            self.cleared = self.end(blocking + 1, getattr(self._stages[blocking], "left", ""))


class Thoughts:
    """What was told of a thought, which is what is kept of it: if that is something else than was thought, it
    can't go back to its provider."""

    def __init__(self) -> None:
        self._told: list[str] = []

    def kept(self, event: ModelEvent) -> ModelEvent:
        if type(event) is ThinkingDelta:
            self._told.append(event.text)
        elif type(event) is Thought:
            told = "".join(self._told)
            self._told.clear()
            if told and told != event.part.text:
                return Thought(ThinkingPart(told))
        elif type(event) is Reset:
            self._told.clear()
        return event


class Screen:
    """The events of one answer. What one channel holds back is told before anything that comes after it."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._said: type[Said] | None = None
        """What of: the channel that is open, if it is not a call's."""
        self._open = Channel(())
        self._calls: dict[str, Channel] = {}
        self._unseen = 0
        self._thoughts = Thoughts()

    async def pass_on(self, events: AsyncGenerator[ModelEvent, None]) -> AsyncGenerator[ModelEvent, None]:
        """`events` as the reader may have them. Raises what the stages raise; before that it tells how much
        of the answer nobody gets to see."""
        came = gone = 0
        try:
            async with aclosing(events):
                async for event in events:
                    if type(event) is TextDelta and self._said is TextDelta and len(event.text) <= LONG:
                        came += len(event.text)
                        if text := self._open.push(event.text):
                            gone += len(text)
                            yield TextDelta(text)
                        else:
                            bounded(self._unseen + came - gone)
                        continue
                    for told in await self._seldom(event):
                        yield self._thoughts.kept(told)
            for told in self._end():
                yield told
        except (ContentBlocked, ModerationUnavailable) as error:
            for told in self._cleared(error):
                gone += len(told.text)
                yield told
            yield Withheld(max(self._unseen + came - gone, 0))
            raise
        except (ProviderError, asyncio.CancelledError) as error:
            for told in self._left(error):
                yield told
            raise

    def _left(self, error: BaseException) -> list[ModelEvent]:
        """What is held of an answer that breaks off. A stop stays a stop, whatever is in it, and waits for no
        thread that looks at it."""
        if isinstance(error, ProviderError):
            return self._end()
        if not any(channel.busy for channel in (self._open, *self._calls.values())):
            with suppress(ContentBlocked, ModerationUnavailable):
                return self._end()
        return []

    def _cleared(self, error: ProsaError) -> list[Said]:
        """What may still be told of an answer that was blocked, here or before it came here; of one that
        can't be checked, nothing."""
        if not isinstance(error, ContentBlocked):
            return []
        kind, text = self._said, self._open.cleared
        if kind is not None and text is None:
            with suppress(ContentBlocked, ModerationUnavailable):
                text = self._open.end()
        return [kind(text)] if kind is not None and text else []

    async def _seldom(self, event: ModelEvent) -> list[ModelEvent]:
        if isinstance(event, Said):
            return await self._say(event)
        told: list[ModelEvent] = [event]
        match event:
            case ToolCallStart(identity):
                told = [*self._close(), event]
                self._calls[identity] = Channel(self._stages("arguments"))
            case ToolCallDelta(identity, text) if identity in self._calls:
                text = await _pushed(self._calls[identity], text)
                told = [ToolCallDelta(identity, text)] if text else []
            case ToolCallEnd(identity) if identity in self._calls:
                told = [*self._end_call(identity), event]
            case Thought():
                told = [*self._close(), event]
            case Finish():
                told = [*self._end(), event]
            case Reset():
                self._said, self._calls = None, {}
        return told

    async def _say(self, event: Said) -> list[ModelEvent]:
        kind, told = type(event), list[ModelEvent]()
        if self._said is not kind:
            told = self._close()
            self._said = kind
            self._open = Channel(self._stages("thinking" if kind is ThinkingDelta else "text"))
        self._unseen += len(event.text)
        text = await _pushed(self._open, event.text)
        self._unseen -= len(text)
        bounded(self._unseen)
        return [*told, kind(text)] if text else told

    def _close(self) -> list[ModelEvent]:
        """The end of what is being said."""
        kind = self._said
        left = "" if kind is None else self._open.end()
        self._said = None
        return [kind(left)] if kind is not None and left else []

    def _end_call(self, identity: str) -> list[ModelEvent]:
        left = self._calls.pop(identity).end()
        return [ToolCallDelta(identity, left)] if left else []

    def _end(self) -> list[ModelEvent]:
        told = self._close()
        for identity in list(self._calls):
            told += self._end_call(identity)
        return told


def bounded(held: int) -> None:
    """Raises ModerationUnavailable where more characters are held back than anybody looks at."""
    if held > HELD:
        raise ModerationUnavailable


async def _pushed(channel: Channel, text: str) -> str:
    if len(text) <= LONG:
        return channel.push(text)
    channel.busy = True
    text = await asyncio.to_thread(channel.push, text)
    channel.busy = False
    return text
