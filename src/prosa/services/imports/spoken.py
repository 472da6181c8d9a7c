"""The parts of a message as they are put together from what another program wrote."""

from collections.abc import Iterable

import msgspec

from prosa.domain.content import (
    Part,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
    ToolStatus,
    plain,
    text_of,
)

NOTHING = "{}"


class Spoken:
    """Grows part by part; each result stands behind a call. There may be very many: what is said piece by
    piece is put together once, at the end."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._open: ToolCall | None = None
        self._calls: dict[str, ToolCall] = {}
        self._answered: set[str] = set()
        self._more: list[str] = []
        self._spoke = False

    def say(self, text: str) -> None:
        if not text.strip():
            return
        if self.parts and isinstance(self.parts[-1], TextPart):
            self._more.append(text)
        else:
            self._add(TextPart(f"\n\n{text}" if self._spoke else text))
            self._spoke = True

    def think(self, text: str) -> None:
        if text.strip():
            self._add(ThinkingPart(text))

    def call(self, identity: str, name: str, arguments: object) -> None:
        """`arguments`: an object, or a text that is JSON or the one thing that the tool was given."""
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        elif not arguments.lstrip().startswith("{"):
            arguments = msgspec.json.encode({"input": arguments}).decode()
        self._open = ToolCall(identity, name or "tool", arguments)
        self._calls.setdefault(identity, self._open)
        self._add(self._open)

    def result(self, identity: str, name: str, text: str, *, failed: bool = False) -> None:
        """Of the call `identity`; where there is none, of the last one; where there is none either, of one
        that nobody told of."""
        named = self._named(identity)
        if named is None and self.parts and isinstance(self.parts[-1], ToolResult):
            self._more.append(text)
            return
        if named is None and self._open is None:
            self.call(identity, name, NOTHING)
        called = named or self._open
        assert called is not None
        status = ToolStatus.FAILED if failed else ToolStatus.COMPLETED
        self._add(ToolResult(called.id, text, called.name, status))
        self._answered.add(called.id)
        self._open = None

    def content(self) -> tuple[str, tuple[Part, ...]]:
        """The text, and the parts where the text is not all."""
        self._settle()
        text = text_of(self.parts)
        return text, () if plain(self.parts) else tuple(self.parts)

    def _named(self, identity: str) -> ToolCall | None:
        return None if identity in self._answered else self._calls.get(identity)

    def _add(self, part: Part) -> None:
        self._settle()
        self.parts.append(part)

    def _settle(self) -> None:
        """Puts what came to the last part into it."""
        more, self._more = self._more, []
        if not more:
            return
        last = self.parts[-1]
        if isinstance(last, TextPart):
            self.parts[-1] = TextPart("\n\n".join([last.text, *more]))
        elif isinstance(last, ToolResult):
            self.parts[-1] = msgspec.structs.replace(last, result=joined([last.result, *more], "\n").strip())


def joined(texts: Iterable[str], between: str = "\n\n") -> str:
    return between.join(each for each in texts if each.strip())
