"""An upstream that knows no test: it derives its tool calls and its JSON from the request's own schemas."""

import json
import re
from collections.abc import Iterator
from typing import Any

from prosa.adapters.models.fake.client import Step, heard
from prosa.domain.models import (
    ChatRequest,
    Finish,
    FinishReason,
    Role,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    ToolSpec,
    Usage,
    UsageReport,
)

PIECE = 7
"""Characters of a delta."""


def oracle(request: ChatRequest) -> Iterator[Step]:
    """Calls a tool where it must, or where it may and the user spoke last; gives JSON where that is asked
    for; else says the user's words again."""
    said = next((turn.content for turn in reversed(request.turns) if turn.role is Role.USER), "")
    tool = chosen(request)
    if tool is not None:
        text = json.dumps(instance(tool.parameters, said), ensure_ascii=False)
        yield ToolCallStart("call_1", tool.name)
        yield from (ToolCallDelta("call_1", piece) for piece in pieces(text))
        yield ToolCallEnd("call_1")
        yield from _end(request, text, FinishReason.TOOL_CALLS)
        return
    text = answer(request, said)
    for stop in request.stop:
        text = text.partition(stop)[0]
    yield from (TextDelta(piece) for piece in pieces(text))
    yield from _end(request, text, FinishReason.STOP)


def chosen(request: ChatRequest) -> ToolSpec | None:
    choice = request.tool_choice
    mode = "auto" if choice is None else choice.mode
    if not request.tools or mode == "none":
        return None
    if choice is not None and mode == "tool":
        return next(tool for tool in request.tools if tool.name == choice.name)
    return request.tools[0] if mode == "required" or request.turns[-1].role is Role.USER else None


def answer(request: ChatRequest, said: str) -> str:
    wanted = request.response_format
    if wanted is None:
        return f"You said: {said}"
    # Without a schema the words have to tell which keys the object has.
    schema = wanted.schema or {"properties": {key: {"type": "string"} for key in quoted(said)}}
    return json.dumps(instance(schema, said), ensure_ascii=False)


def instance(schema: dict[str, Any], said: str) -> Any:
    """Something that fits `schema`, made of the words that were said where it can be."""
    return _Maker(schema, said).make(schema)


class _Maker:
    def __init__(self, root: dict[str, Any], said: str) -> None:
        self._root = root
        self._said = said
        self._numbers = iter(re.findall(r"-?\d+", said))
        self._texts = iter(quoted(said))

    def make(self, schema: dict[str, Any]) -> Any:
        if "$ref" in schema:
            return self.make(self._found(schema["$ref"]))
        for fixed in ("const", "default"):
            if fixed in schema:
                return schema[fixed]
        if "enum" in schema:
            return schema["enum"][0]
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return self.make(schema[several][0])
        return self._of_type(schema)

    def _of_type(self, schema: dict[str, Any]) -> Any:
        kind = schema.get("type", "object")
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                return {name: self.make(each) for name, each in schema.get("properties", {}).items()}
            case "array":
                return [self.make(schema.get("items", {"type": "string"}))]
            case "integer" | "number":
                return int(next(self._numbers, schema.get("minimum", 1)))
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return next(self._texts, self._said or "text")

    def _found(self, ref: str) -> dict[str, Any]:
        found: Any = self._root
        for key in ref.removeprefix("#/").split("/"):
            found = found[key]
        return found


def quoted(said: str) -> list[str]:
    return re.findall(r"'([^']+)'", said)


def pieces(text: str) -> Iterator[str]:
    for at in range(0, len(text), PIECE):
        yield text[at : at + PIECE]


def _end(request: ChatRequest, text: str, reason: FinishReason) -> Iterator[Step]:
    yield UsageReport(Usage(heard(request) + len(request.tools), len(text) // 4 + 1))
    yield Finish(reason)
