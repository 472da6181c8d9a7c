"""Puts the parts of an answer together from what its model tells, piece by piece."""

from prosa.domain.content import Part, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.models import (
    ModelEvent,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    Thought,
    ToolCallDelta,
    ToolCallStart,
)


class Assembly:
    """The parts so far, in the order of their beginning. A refusal is text; `refused` says that it is one."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """The answer begins anew."""
        self.refused = False
        self._parts: list[Part] = []
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[str, tuple[int, str, list[str]]] = {}

    def add(self, event: ModelEvent) -> None:
        match event:
            case TextDelta(text):
                self.write(text)
            case RefusalDelta(text):
                self.refused = True
                self.write(text)
            case ThinkingDelta(text):
                self._end_text()
                self._thoughts.append(text)
            case Thought(part):
                self._end_text()
                self._thoughts.clear()
                self._parts.append(part)
            case ToolCallStart(identity, name):
                self._end()
                self._calls[identity] = (len(self._parts), name, [])
                self._parts.append(ToolCall(identity, name))
            case ToolCallDelta(identity, text) if identity in self._calls:
                self._calls[identity][2].append(text)
            case _:
                pass

    def write(self, text: str) -> None:
        """A piece of the text: what `add` does with one, without asking what it is."""
        if self._thoughts:
            self._end_thought()
        self._texts.append(text)

    def returned(self, result: ToolResult) -> None:
        """What a tool gave."""
        self._end()
        self._parts.append(result)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Those so far. To look ends none: what is said next goes on in the last one."""
        parts = [*self._parts]
        for identity, (place, name, pieces) in self._calls.items():
            parts[place] = ToolCall(identity, name, "".join(pieces))
        if self._texts:
            parts.append(TextPart("".join(self._texts)))
        if self._thoughts:
            parts.append(ThinkingPart("".join(self._thoughts)))
        return tuple(parts)

    def _end(self) -> None:
        self._end_text()
        self._end_thought()

    def _end_text(self) -> None:
        if self._texts:
            self._parts.append(TextPart("".join(self._texts)))
            self._texts.clear()

    def _end_thought(self) -> None:
        if self._thoughts:
            self._parts.append(ThinkingPart("".join(self._thoughts)))
            self._thoughts.clear()
