"""A run while it goes on, in memory: its numbered lines, and whoever waits for the next one."""

import asyncio
from collections.abc import Callable

from prosa.domain.events import Event, Text, Thinking, encode
from prosa.domain.runs import Run
from prosa.kit.text import well_formed

LONGEST = 960
"""Bytes of text in one event: so a whole event fits into a write of 2 KB, even if all of it is escaped."""


WIDEST = 6
"""Bytes that JSON makes of one character at most."""


LOST = "lost"
"""`Live.stopping` of a run that is no longer this process's: its end is somebody else's to store."""


class Live:
    """The lines of one run of this process. A reader is a cursor into `lines`; line n has seq n + 1.

    `committed` is how many of them the journal holds, `text` the answer so far. `lines` are encoded once,
    however many doors and readers there are. `task` is set while the model generates: cancelling it then,
    with the reason in `stopping`, breaks the generation off.
    """

    __slots__ = ("_waiting", "committed", "ended", "lines", "run", "stopping", "task", "text")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.lines: list[bytes] = []
        self.committed = 0
        self.ended = False
        self.text: list[str] = []
        self.stopping: str | None = None
        self.task: asyncio.Task[None] | None = None
        self._waiting: list[Callable[[], None]] = []

    def publish(self, event: Event) -> None:
        """Numbers the event and wakes all readers."""
        self.lines.append(encode(event, len(self.lines) + 1))
        self.wake()

    def write(self, text: str) -> None:
        """Publishes a piece of the answer, cut between characters where its line would pass `LONGEST`."""
        self.text.append(self._say(Text, text))

    def think(self, text: str) -> None:
        """Publishes a piece of what the model thinks, cut in the same way."""
        self._say(Thinking, text)

    def _say(self, kind: Callable[[str], Event], text: str) -> str:
        """Publishes `text` in as many events as it takes, and answers what was published."""
        if "\0" in text:
            text = well_formed(text)
        try:
            first = len(self.lines) + 1
            if len(text) * WIDEST <= LONGEST:
                lines = [encode(kind(text), first)]
            else:
                lines = [encode(kind(piece), seq) for seq, piece in enumerate(_pieces(text), first)]
        except UnicodeEncodeError:  # half a character, which nothing can store or send
            return self._say(kind, well_formed(text))
        self.lines += lines
        self.wake()
        return text

    def end(self, last: bytes | None) -> None:
        """The end, once it is stored: `last` is its line, None where the run was taken over by another."""
        if last is not None:
            self.lines.append(last)
        self.ended = True
        self.wake()

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
    step = LONGEST if text.isascii() and text.isprintable() else LONGEST // WIDEST
    return [text[start : start + step] for start in range(0, len(text), step)]
