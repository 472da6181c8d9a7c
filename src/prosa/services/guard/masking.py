"""A request with something else in place of what its provider must not see."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart, ToolCall, ToolResult, text_of
from prosa.domain.files import is_text
from prosa.domain.models import ChatRequest, Turn


def texts(request: ChatRequest) -> Iterator[str]:
    """All that a request says, but for thoughts, which go back as they are."""
    if request.system:
        yield request.system
    for turn in request.turns:
        yield from said(turn)


def said(turn: Turn) -> Iterator[str]:
    """The texts of a turn."""
    if not turn.parts:
        yield turn.content
    for part in turn.parts:
        yield from _texts(part)


def _texts(part: Part) -> Iterator[str]:
    match part:
        case TextPart(text):
            yield text
        case ToolCall():
            yield part.arguments
        case ToolResult():
            yield part.result
        case DocumentPart():
            yield text_in(part)


def text_in(document: DocumentPart) -> str:
    """Of a document that is text and is at hand; else nothing."""
    if document.data is None or not is_text(document.media_type):
        return ""
    return document.data.decode("utf-8", "replace")


Mask = Callable[[str], str]


def masked(request: ChatRequest, mask: Mask, older: Mask | None = None, start: int = 0) -> ChatRequest:
    """`request` with `mask` over all its texts, with `older` over those of turns before the one at `start`.
    Pictures, PDFs and what is behind an address stay as they are."""
    new, old = _Masker(mask), _Masker(older or mask)
    turns = [*map(old.turn, request.turns[:start]), *map(new.turn, request.turns[start:])]
    return replace(request, system=request.system and mask(request.system), turns=tuple(turns))


class _Masker:
    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def turn(self, turn: Turn) -> Turn:
        if not turn.parts:
            content = self._mask(turn.content)
            return turn if content is turn.content else replace(turn, content=content)
        parts = tuple(self._part(part) for part in turn.parts)
        return replace(turn, content=text_of(parts), parts=parts)

    def _part(self, part: Part) -> Part:
        match part:
            case TextPart(text):
                return TextPart(self._mask(text))
            case ToolCall(arguments=arguments):
                return replace(part, arguments=self._arguments(arguments))
            case ToolResult(result=result):
                return replace(part, result=self._mask(result))
            case ImagePart(name=str(name)):
                return replace(part, name=self._mask(name))
            case DocumentPart():
                return self._document(part)
        return part

    def _document(self, part: DocumentPart) -> DocumentPart:
        name = part.name and self._mask(part.name)
        if not (text := text_in(part)):
            return replace(part, name=name)
        return replace(part, name=name, data=self._mask(text).encode("utf-8", "replace"))

    def _arguments(self, arguments: str) -> str:
        """JSON stays JSON: a number that tells somebody's telephone becomes a string."""
        if self._mask(arguments) == arguments:
            return arguments
        try:
            return msgspec.json.encode(self._value(msgspec.json.decode(arguments))).decode()
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return self._mask(arguments)

    def _value(self, value: Any) -> Any:
        match value:
            case str():
                return self._mask(value)
            case bool():
                return value
            case int():
                text = self._mask(str(value))
                return value if text == str(value) else text
            case list():
                return [self._value(each) for each in value]
            case dict():
                return {self._mask(key): self._value(each) for key, each in value.items()}
        return value
