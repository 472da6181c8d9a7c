"""The operator's own patterns, which may be slow: none gets more than its time."""

import time
from collections.abc import Iterable
from typing import Any

from prosa.kit.pii import Span

STEP = 64
"""Characters that are gathered before they are looked at."""
_NOTHING: tuple[str, list[Span]] = ("", [])
LEAST = 0.001
MOMENT = 0.01
"""Seconds that the loop waits for all patterns at a window, at most."""
LOOKBACK = 16
"""Characters that a pattern can look back at."""


class TooSlow(Exception):
    """A pattern was not done with a text in time."""


class Patterns:
    """Regular expressions, which together get `timeout` seconds for a text. While one looks at a text, other
    threads go on."""

    def __init__(self, patterns: Iterable[str], timeout: float) -> None:
        """Raises ValueError for what is no pattern, or one that finds nothing everywhere."""
        import regex  # only where there are patterns: it takes a megabyte

        self._timeout = timeout
        self._patterns: list[Any] = []
        for pattern in patterns:
            try:
                made = regex.compile(pattern)
            except regex.error as error:
                raise ValueError(f"{pattern!r} is no pattern: {error}") from None
            if made.search("") is not None:
                raise ValueError(f"{pattern!r} is found in every text")
            self._patterns.append(made)

    def find(self, text: str, start: int = 0, timeout: float | None = None) -> list[Span]:
        """From `start` on; none over another. Raises TooSlow after `timeout` seconds, if not its own."""
        found: list[Span] = []
        until = time.monotonic() + (timeout or self._timeout)
        try:
            for pattern in self._patterns:
                left = max(until - time.monotonic(), LEAST)
                hits = pattern.finditer(text, start, timeout=left, concurrent=True)
                found += [hit.span() for hit in hits if hit.end() > hit.start()]
        except TimeoutError:
            raise TooSlow from None
        return apart(found)


def apart(spans: list[Span]) -> list[Span]:
    """In their order; those that overlap as one."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined


class PatternStream:
    """Text in pieces, behind a window: nothing comes out before what follows it was looked at, so that no
    match of at most `window` characters is ever cut. `met` says that something was found, come out or not."""

    def __init__(self, patterns: Patterns, window: int) -> None:
        self._patterns = patterns
        self._window = window
        self._text = ""
        self._before = 0
        """Characters at its beginning that came out already: patterns may look back at them."""
        self._new: list[str] = []
        self._length = 0
        self._hit = 0
        self.met = False

    def push(self, piece: str) -> tuple[str, list[Span]]:
        """Raises TooSlow."""
        self._new.append(piece)
        self._length += len(piece)
        return _NOTHING if self._length < STEP else self._look(final=False)

    def end(self) -> tuple[str, list[Span]]:
        """Raises TooSlow."""
        return self._look(final=True)

    def before_hit(self) -> str:
        """What is held before the first place that was found and has not come out."""
        return self._text[self._before : self._hit]

    def let_go(self) -> str:
        """All that is left, as it is."""
        left = "".join((self._text[self._before :], *self._new))
        self._text, self._before = "", 0
        self._new, self._length = [], 0
        return left

    def _look(self, *, final: bool) -> tuple[str, list[Span]]:
        self._text = text = "".join((self._text, *self._new))
        self._new, self._length = [], 0
        before = self._before
        until = len(text) if final else len(text) - self._window
        try:
            hits = self._patterns.find(text, before, MOMENT)
        except TooSlow:  # or the machine was: what is slow is so again
            hits = self._patterns.find(text, before, MOMENT)
        self.met = self.met or bool(hits)
        until = max(until, before)
        decided = [hit for hit in hits if hit[0] < until]
        if decided:
            until = max(until, decided[-1][1])
        self._before = min(until, LOOKBACK)
        gone = until - self._before
        self._text = text[gone:]
        self._hit = next((start - gone for start, _ in hits if start >= until), self._before)
        return text[before:until], [(start - before, end - before) for start, end in decided]
