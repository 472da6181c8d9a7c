"""Checks that need nobody else: the operator's words and patterns, in whole texts and in streams."""

import re
from collections.abc import Callable
from typing import Protocol

from prosa.domain.errors import MisconfiguredError
from prosa.domain.models import BLOCKED, Flagged
from prosa.domain.moderation import AnswerBlocked, ModerationUnavailable
from prosa.kit.log import log
from prosa.kit.pii import Span
from prosa.services.guard.patterns import Patterns, PatternStream, TooSlow, apart
from prosa.services.guard.placeholders import Vault
from prosa.services.guard.tables import CheckTable, Side
from prosa.services.guard.words import Words, WordStream

WINDOW = 200
TIMEOUT = 0.05

Note = Callable[[Flagged], None]
"""Takes what is worth a look."""


class Rule:
    """The lists of one table."""

    def __init__(self, name: str, table: CheckTable) -> None:
        """Raises MisconfiguredError."""
        self.name = name
        self.table = table
        self.slow = bool(table.patterns)
        """Whether it may take long."""
        self.placeholder = re.sub("[^A-Z]", "", name.upper())[:20] or "HIDDEN"
        try:
            self._words = Words(table.words) if table.words else None
            self._patterns = Patterns(table.patterns, table.timeout or TIMEOUT) if table.patterns else None
        except ValueError as error:
            raise MisconfiguredError(f"prosa.toml, [moderation.{name}]: {error}.") from None

    def on(self, side: Side) -> bool:
        return side in self.table.on

    def find(self, text: str) -> list[Span]:
        """Raises ModerationUnavailable."""
        found = [] if self._words is None else self._words.find(text)
        if self._patterns is not None:
            try:
                found += self._patterns.find(text)
            except TooSlow:
                self.failed()
        return apart(found)

    def masked(self, text: str, vault: Vault) -> str:
        """`text` with placeholders for what is found. Raises ModerationUnavailable."""
        return replaced(text, self.find(text), lambda value: vault.placeholder(self.placeholder, value))

    def failed(self) -> None:
        """It can't be done. Raises ModerationUnavailable, unless the operator lets pass what is not
        checked."""
        log.warning("check_failed", check=self.name, reason="too slow")
        if self.table.fail == "closed":
            raise ModerationUnavailable

    def stages(self, vault: Vault, note: Note) -> "list[RuleStage]":
        """For one text of an answer."""
        streams: list[WordStream | PatternStream] = []
        if self._words is not None:
            streams.append(WordStream(self._words))
        if self._patterns is not None:
            streams.append(PatternStream(self._patterns, self.table.window or WINDOW))
        return [RuleStage(self, stream, vault, note) for stream in streams]


class Stream(Protocol):
    met: bool

    def push(self, piece: str) -> tuple[str, list[Span]]: ...

    def end(self) -> tuple[str, list[Span]]: ...

    def let_go(self) -> str: ...

    def before_hit(self) -> str: ...


class RuleStage:
    """Lets a text through as its rule allows; see `screen.Stage`. Raises AnswerBlocked,
    ModerationUnavailable. `left` is what was held before the place where it blocked: that may be seen."""

    def __init__(self, rule: Rule, stream: WordStream | PatternStream, vault: Vault, note: Note) -> None:
        self._rule = rule
        self._stream: Stream = stream
        self._vault = vault
        self._note = note
        self._noted = False
        self.left = ""

    def push(self, piece: str) -> str:
        try:
            text, hits = self._stream.push(piece)
        except TooSlow:
            return self._unchecked()
        return self._acted(text, hits) if self._stream.met else text

    def end(self) -> str:
        try:
            text, hits = self._stream.end()
        except TooSlow:
            return self._unchecked()
        return self._acted(text, hits) if self._stream.met else text

    def _unchecked(self) -> str:
        self._rule.failed()
        return self._stream.let_go()

    def _acted(self, text: str, hits: list[Span]) -> str:
        rule = self._rule
        if rule.table.action == "block":
            self._note(Flagged(rule.name, "output", (BLOCKED,)))
            self.left = text[: hits[0][0]] if hits else text + self._stream.before_hit()
            raise AnswerBlocked
        if rule.table.action == "flag":
            if not self._noted:
                self._noted = True
                self._note(Flagged(rule.name, "output"))
            return text
        return replaced(text, hits, lambda value: self._vault.placeholder(rule.placeholder, value))


def replaced(text: str, spans: list[Span], placeholder: Callable[[str], str]) -> str:
    """`text` with something else in place of these spans, none of which overlap."""
    pieces: list[str] = []
    place = 0
    for start, end in spans:
        pieces += (text[place:start], placeholder(text[start:end]))
        place = end
    return "".join((*pieces, text[place:]))
