"""Follows the blocks of one of Anthropic's messages, which may be open side by side, each at its index."""

import json
from typing import Any

import msgspec
from msgspec import Struct

from prosa.adapters.models.answer import Answer
from prosa.adapters.models.anthropic.errors import PROVIDER
from prosa.adapters.models.repair import Unreadable
from prosa.domain.content import ThinkingPart
from prosa.kit.text import well_formed

NO_ARGUMENTS = "{}"
OURS = ("text", "thinking", "redacted_thinking", "tool_use")


class Block(Struct):
    """A block as it opens, or as it stands in a whole answer."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None


class Delta(Struct, gc=False):
    """What is added to a block, or told of the whole message at its end."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    signature: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None


class Thinking(Struct):
    """A block of thinking that is open."""

    pieces: list[str]
    signature: str | None = None


class Blocks:
    """Writes blocks into the answer. Those that are neither text, thinking nor a call of ours (the provider's
    own tools and their results, citations, what is yet to be invented) say nothing.
    """

    def __init__(self, answer: Answer) -> None:
        self.spoken = False
        self._answer = answer
        self._thoughts: dict[int, Thinking] = {}
        self._inputs: dict[int, Any] = {}

    def begin(self, index: int, told: Any) -> None:
        """A block opens. One that is still open at this index is complete. Raises `Unreadable`."""
        self.end(index)
        if not isinstance(told, dict) or told.get("type") not in OURS:
            return
        try:
            block = msgspec.convert(told, Block)
        except msgspec.ValidationError:
            raise Unreadable from None
        match block.type:
            case "text":
                self.spoken = True
                if block.text:
                    self._answer.text(block.text)
            case "thinking":
                self._thoughts[index] = Thinking([], block.signature)
                if block.thinking:
                    self.think(index, block.thinking)
            case "redacted_thinking" if block.data:
                self._answer.thought(ThinkingPart(redacted=block.data, provider=PROVIDER))
            case "tool_use":
                self._answer.call(index, block.id, block.name or "")
                self._inputs[index] = block.input

    def think(self, index: int, piece: str) -> None:
        open_one = self._thoughts.get(index)
        if open_one is None:
            open_one = self._thoughts[index] = Thinking([])
        open_one.pieces.append(piece)
        self._answer.thinking(piece)

    def sign(self, index: int, signature: str) -> None:
        if index in self._thoughts:
            self._thoughts[index].signature = signature

    def argue(self, index: int, piece: str) -> None:
        """The next piece of a call's arguments; the input that its block opened with counts no more."""
        self._inputs.pop(index, None)
        self._answer.arguments(index, piece)

    def end(self, index: int) -> None:
        """The block at `index`, if one is open, is complete."""
        if (thought := self._thoughts.pop(index, None)) is not None and thought.signature:
            text = well_formed("".join(thought.pieces))
            self._answer.thought(ThinkingPart(text, signature=thought.signature, provider=PROVIDER))
        if self._answer.calling(index):
            if index in self._inputs:
                self._answer.arguments(index, written(self._inputs.pop(index)))
            self._answer.called(index)

    def end_all(self) -> None:
        for index in sorted({*self._thoughts, *self._inputs}):
            self.end(index)


def written(given: Any) -> str:
    """The JSON of a call's input that came as a value, with the lone surrogates that it may hold."""
    if not given:
        return NO_ARGUMENTS
    try:
        return msgspec.json.encode(given).decode()
    except UnicodeEncodeError:
        return json.dumps(given, ensure_ascii=False)
