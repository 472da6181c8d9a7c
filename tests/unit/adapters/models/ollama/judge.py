"""Ollama's own client as the judge: what it reads from bytes that never crossed a network."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import msgspec
from ollama import ChatResponse, Client
from tests.shared import pieces

from prosa.adapters.models.ollama.decode import OllamaDecoder, whole
from prosa.domain import content
from prosa.domain.assembly import Assembly
from prosa.domain.models import Finish, FinishReason, ModelEvent, Usage, UsageReport

QUESTION: dict[str, Any] = {"model": "some-model", "messages": [{"role": "user", "content": "Oi"}]}


class Pieces(httpx.SyncByteStream):
    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)


class Said(NamedTuple):
    """An answer as both have to read it; the client knows no ids of calls."""

    text: str
    thinking: str
    calls: list[tuple[str, Any]]
    reason: FinishReason
    usage: Usage | None


def client(response: dict[str, Any], body: bytes, size: int = 0) -> Client:
    """A client whose every request is answered with a recorded status, and `body` in pieces."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(response["status"], stream=Pieces(pieces(body, size)))

    return Client(host="http://127.0.0.1:9", transport=httpx.MockTransport(answer))


def judged(response: dict[str, Any], body: bytes, size: int = 0) -> Said:
    """What the official client reads of an answer."""
    asked = client(response, body, size)
    if response.get("framing") == "ndjson":
        told: list[ChatResponse] = list(asked.chat(**QUESTION, stream=True))
    else:
        told = [asked.chat(**QUESTION)]
    calls = [
        (call.function.name, dict(call.function.arguments))
        for line in told
        for call in line.message.tool_calls or ()
    ]
    last = told[-1]
    assert last.done
    reason = FinishReason(last.done_reason)
    usage = None
    if last.prompt_eval_count is not None and last.eval_count is not None:
        usage = Usage(last.prompt_eval_count, last.eval_count)
    return Said(
        "".join(line.message.content or "" for line in told),
        "".join(line.message.thinking or "" for line in told),
        calls,
        FinishReason.TOOL_CALLS if calls and reason is FinishReason.STOP else reason,
        usage,
    )


def read(response: dict[str, Any], body: bytes, size: int = 0) -> list[ModelEvent]:
    """The events that we make of an answer."""
    if response.get("framing") != "ndjson":
        return whole(body)
    decoder = OllamaDecoder()
    events = [event for part in pieces(body, size) for event in decoder.feed(part)]
    return events + decoder.end()


def assembled(events: list[ModelEvent]) -> tuple[content.Part, ...]:
    assembly = Assembly()
    for event in events:
        assembly.add(event)
    return assembly.parts


def heard(events: list[ModelEvent]) -> Said:
    """What our events say."""
    parts = assembled(events)
    last = events[-1]
    assert isinstance(last, Finish)
    calls = [part for part in parts if isinstance(part, content.ToolCall)]
    assert len({call.id for call in calls}) == len(calls)
    assert all(call.id for call in calls)
    return Said(
        content.text_of(parts),
        "".join(part.text for part in parts if isinstance(part, content.ThinkingPart)),
        [(call.name, msgspec.json.decode(call.arguments)) for call in calls],
        last.reason,
        next((event.usage for event in reversed(events) if isinstance(event, UsageReport)), None),
    )
