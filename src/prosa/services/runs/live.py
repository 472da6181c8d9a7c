"""A run while it goes on, in memory: its numbered lines, and whoever waits for the next one."""

import asyncio
from collections.abc import Callable
from functools import partial

from prosa.domain.assembly import Assembly
from prosa.domain.content import ToolResult
from prosa.domain.events import Event, Text, Thinking, ToolArguments, ToolCalled, ToolReturned, encode, said
from prosa.domain.models import RefusalDelta, ThinkingDelta, ToolCallDelta, ToolCallStart
from prosa.domain.runs import Run
from prosa.kit.text import well_formed

LONGEST = 960
"""Bytes of text in one event: so a whole event fits into a write of 2 KB, even if all of it is escaped."""


WIDEST = 6
"""Bytes that JSON makes of one character at most."""


SHORT = LONGEST // WIDEST
"""Characters that fit into one event, whatever they are."""

LOST = "lost"
"""`Live.stopping` of a run that is no longer this process's: its end is somebody else's to store."""


class Live:
    """The lines of one run of this process. A reader is a cursor into them; line n has seq `offset` + n + 1.

    `committed` is how many of them the journal holds, `answer` what the model says in this round. `lines` are
    encoded once, however many doors and readers there are. `task` is set while the run can be broken off:
    cancelling it then, with the reason in `stopping`, does so. A run that has `left` goes on elsewhere, or
    later: the journal tells of it.
    """

    __slots__ = (
        "_waiting", "answer", "committed", "ended", "left", "lines", "offset", "run", "stopping", "task",
    )  # fmt: skip

    def __init__(self, run: Run, offset: int = 0) -> None:
        self.run = run
        self.offset = offset
        self.lines: list[bytes] = []
        self.committed = 0
        self.ended = False
        self.left = False
        self.answer = Assembly()
        self.stopping: str | None = None
        self.task: asyncio.Task[object] | None = None
        self._waiting: list[Callable[[], None]] = []

    @property
    def last(self) -> int:
        """The number of the last event."""
        return self.offset + len(self.lines)

    def publish(self, event: Event) -> None:
        """Numbers the event and wakes all readers."""
        self.lines.append(encode(event, self.last + 1))
        self.wake()

    def write(self, text: str) -> None:
        """Publishes a piece of the answer, cut between characters where its line would pass `LONGEST`."""
        if len(text) > SHORT or "\0" in text:
            self.answer.write(self._say(Text, text))
            return
        try:
            self.lines.append(said(text, self.offset + len(self.lines) + 1))
        except UnicodeEncodeError:  # half a character, which nothing can store or send
            self.answer.write(self._say(Text, text))
            return
        if self._waiting:
            self.wake()
        self.answer.write(text)

    def refuse(self, text: str) -> None:
        """Publishes a piece of a refusal: to readers it is the answer."""
        self.answer.add(RefusalDelta(self._say(Text, text)))

    def think(self, text: str) -> None:
        """Publishes a piece of what the model thinks, cut in the same way."""
        self.answer.add(ThinkingDelta(self._say(Thinking, text)))

    def call(self, identity: str, name: str) -> None:
        """Publishes that the model begins to call a tool."""
        self.answer.add(ToolCallStart(identity, name))
        self.publish(ToolCalled(identity, name))

    def pass_arguments(self, identity: str, text: str) -> None:
        """Publishes a piece of the call's arguments."""
        self.answer.add(ToolCallDelta(identity, self._say(partial(ToolArguments, identity), text)))

    def returned(self, result: ToolResult) -> None:
        """Publishes what a call gave, as far as it fits into an event."""
        text = well_formed(result.result)
        shown = _pieces(text)[0] if len(text) > SHORT else text
        cut = {} if shown == text else {"truncated": True}
        self.publish(ToolReturned(result.id, str(result.status), shown, **cut))

    def _say(self, kind: Callable[[str], Event], text: str) -> str:
        """Publishes `text` in as many events as it takes, and answers what was published."""
        if "\0" in text:
            text = well_formed(text)
        try:
            first = self.offset + len(self.lines) + 1
            if len(text) <= SHORT:
                lines = [encode(kind(text), first)]
            else:
                lines = [encode(kind(piece), seq) for seq, piece in enumerate(_pieces(text), first)]
        except UnicodeEncodeError:  # half a character, which nothing can store or send
            return self._say(kind, well_formed(text))
        self.lines += lines
        self.wake()
        return text

    def tell(self, line: bytes) -> None:
        """Gives readers the next line, which the journal holds already, as it does all before."""
        self.lines.append(line)
        self.committed += 1
        self.wake()

    def end(self, last: bytes | None) -> None:
        """The end, once it is stored: `last` is its line, None where the run goes on elsewhere, or later."""
        if last is None:
            self.left = True
        else:
            self.lines.append(last)
        self.ended = True
        self.wake()

    def forget(self) -> None:
        """Frees the lines of a run that has ended: who has not read them yet finds them in the journal."""
        self.offset += len(self.lines)
        self.lines = []

    def wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def when_more(self, call: Callable[[], None]) -> None:
        """Calls `call` once, at the next event or the end."""
        self._waiting.append(call)

    def never_mind(self, call: Callable[[], None]) -> None:
        if call in self._waiting:
            self._waiting.remove(call)


def _pieces(text: str) -> list[str]:
    step = LONGEST if text.isascii() and text.isprintable() else SHORT
    return [text[start : start + step] for start in range(0, len(text), step)]
