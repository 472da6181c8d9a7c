"""Anthropic's own client as the judge: what it reads from bytes that never crossed a network."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2
from anthropic import Anthropic
from anthropic.types import Message, RedactedThinkingBlock, TextBlock, ThinkingBlock, ToolUseBlock
from tests.shared import pieces

from prosa.adapters.models.anthropic.decode import AnthropicDecoder, whole
from prosa.domain.assembly import Assembly
from prosa.domain.content import Part, TextPart, ThinkingPart, ToolCall
from prosa.domain.models import Finish, FinishReason, ModelEvent, Usage, UsageReport

QUESTION: dict[str, Any] = {
    "model": "some-model",
    "max_tokens": 16,
    "messages": [{"role": "user", "content": "Oi"}],
}
REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "tool_use": FinishReason.TOOL_CALLS,
    "max_tokens": FinishReason.LENGTH,
    "pause_turn": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FinishReason.REFUSAL,
}


class Pieces(httpx2.SyncByteStream):
    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)


class Said(NamedTuple):
    """An answer as both have to read it: thoughts with what is to go back, calls with their input as a value."""

    text: str
    thoughts: list[tuple[str, str | None, str | None]]
    calls: list[tuple[str, str, Any]]
    finish: Finish
    usage: Usage


def client(response: dict[str, Any], body: bytes, size: int = 0) -> Anthropic:
    """A client whose every request is answered with a recorded status and headers, and `body` in pieces."""
    kept = {
        name: value
        for name, value in response.get("headers", {}).items()
        if name.lower() in {"content-type", "retry-after", "request-id"}
        or name.lower().startswith("anthropic")
    }
    kind = "text/event-stream" if response.get("framing") == "sse" else "application/json"
    headers = {"content-type": kind, **kept}

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(response["status"], headers=headers, stream=Pieces(pieces(body, size)))

    transport = httpx2.MockTransport(answer)
    return Anthropic(api_key="none", max_retries=0, http_client=httpx2.Client(transport=transport))


def judged(response: dict[str, Any], body: bytes, size: int = 0) -> Said:
    """What the official client reads of an answer."""
    with client(response, body, size) as asked:
        if response.get("framing") == "sse":
            with asked.messages.stream(**QUESTION) as stream:
                return spoken(stream.get_final_message())
        return spoken(asked.messages.create(**QUESTION))


def spoken(message: Message) -> Said:
    said = Said(
        "", [], [], Finish(REASONS[message.stop_reason or ""], message.stop_sequence), counted(message)
    )
    text = ""
    for block in message.content:
        match block:
            case TextBlock():
                text += block.text
            case ThinkingBlock():
                said.thoughts.append((block.thinking, block.signature or None, None))
            case RedactedThinkingBlock():
                said.thoughts.append(("", None, block.data))
            case ToolUseBlock():
                said.calls.append((block.id, block.name, block.input))
            case _:
                pass
    return said._replace(text=text)


def counted(message: Message) -> Usage:
    told = message.usage
    read, written = told.cache_read_input_tokens or 0, told.cache_creation_input_tokens or 0
    details = told.output_tokens_details
    return Usage(
        told.input_tokens + read + written,
        told.output_tokens,
        read,
        details.thinking_tokens if details else 0,
        written,
    )


def read(response: dict[str, Any], body: bytes, size: int = 0) -> list[ModelEvent]:
    """The events that we make of an answer."""
    if response.get("framing") != "sse":
        return list(whole(body, "some-model"))
    decoder = AnthropicDecoder("some-model")
    events = [event for part in pieces(body, size) for event in decoder.feed(part)]
    return events + decoder.end()


def assembled(events: list[ModelEvent]) -> tuple[Part, ...]:
    assembly = Assembly()
    for event in events:
        assembly.add(event)
    return assembly.parts


def heard(events: list[ModelEvent]) -> Said:
    """An answer of ours in the judge's words."""
    finish = events[-1]
    assert isinstance(finish, Finish)
    usage = [event.usage for event in events if isinstance(event, UsageReport)][-1]
    said = Said("", [], [], finish, usage)
    text = ""
    for part in assembled(events):
        match part:
            case TextPart():
                text += part.text
            case ThinkingPart():
                said.thoughts.append((part.text, part.signature, part.redacted))
            case ToolCall():
                said.calls.append((part.id, part.name, json.loads(part.arguments)))
            case _:
                pass
    return said._replace(text=text)
