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
    """Grows part by part; each result stands behind a call."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._open: ToolCall | None = None

    def say(self, text: str) -> None:
        if not text.strip():
            return
        if self.parts and isinstance(self.parts[-1], TextPart):
            self.parts[-1] = TextPart(f"{self.parts[-1].text}\n\n{text}")
        else:
            before = any(isinstance(each, TextPart) for each in self.parts)
            self.parts.append(TextPart(f"\n\n{text}" if before else text))

    def think(self, text: str) -> None:
        if text.strip():
            self.parts.append(ThinkingPart(text))

    def call(self, identity: str, name: str, arguments: object) -> None:
        """`arguments`: an object, or a text that is JSON or the one thing that the tool was given."""
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        elif not arguments.lstrip().startswith("{"):
            arguments = msgspec.json.encode({"input": arguments}).decode()
        self._open = ToolCall(identity, name or "tool", arguments)
        self.parts.append(self._open)

    def result(self, identity: str, name: str, text: str, *, failed: bool = False) -> None:
        """Of the call `identity`; where there is none, of the last one; where there is none either, of one
        that nobody told of."""
        last = self.parts[-1] if self.parts else None
        if isinstance(last, ToolResult) and self._named(identity) is None:
            self.parts[-1] = msgspec.structs.replace(last, result=f"{last.result}\n{text}".strip())
            return
        called = self._named(identity) or self._open
        if called is None:
            self.call(identity, name, NOTHING)
            called = self._open
        assert called is not None
        status = ToolStatus.FAILED if failed else ToolStatus.COMPLETED
        self.parts.append(ToolResult(called.id, text, called.name, status))
        self._open = None

    def _named(self, identity: str) -> ToolCall | None:
        answered = {each.id for each in self.parts if isinstance(each, ToolResult)}
        return next(
            (each for each in self.parts
             if isinstance(each, ToolCall) and each.id == identity and each.id not in answered),
            None,
        )  # fmt: skip

    def content(self) -> tuple[str, tuple[Part, ...]]:
        """The text, and the parts where the text is not all."""
        text = text_of(self.parts)
        return text, () if plain(self.parts) else tuple(self.parts)


def joined(texts: Iterable[str], between: str = "\n\n") -> str:
    return between.join(each for each in texts if each.strip())
