"""Mistral's own client as the judge: what it reads from bytes that never crossed a network."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2
from mistralai.client import Mistral
from mistralai.client.models import ChatCompletionResponse, TextChunk, ThinkChunk, ToolCall, UsageInfo
from tests.shared import pieces

from prosa.adapters.models.mistral.decode import MistralDecoder, whole
from prosa.domain import content
from prosa.domain.assembly import Assembly
from prosa.domain.models import Finish, FinishReason, ModelEvent, Usage, UsageReport

QUESTION: dict[str, Any] = {"model": "some-model", "messages": [{"role": "user", "content": "Oi"}]}
REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
}


class Pieces(httpx2.SyncByteStream):
    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)


class Said(NamedTuple):
    """An answer as both have to read it."""

    text: str
    thinking: str
    calls: list[tuple[str, str, str]]
    reason: FinishReason | None
    usage: Usage | None


def client(response: dict[str, Any], body: bytes, size: int = 0) -> Mistral:
    """A client whose every request is answered with a recorded status, and `body` in pieces."""
    kind = "text/event-stream" if response.get("framing") == "sse" else "application/json"

    def answer(_: httpx2.Request) -> httpx2.Response:
        stream = Pieces(pieces(body, size))
        return httpx2.Response(response["status"], headers={"content-type": kind}, stream=stream)

    return Mistral(api_key="none", client=httpx2.Client(transport=httpx2.MockTransport(answer)))


def judged(response: dict[str, Any], body: bytes, size: int = 0) -> Said:
    """What the official client reads of an answer."""
    with client(response, body, size) as asked:
        if response.get("framing") != "sse":
            return of_message(asked.chat.complete(**QUESTION))
        text, thinking, calls, reason, usage = "", "", [], None, None
        with asked.chat.stream(**QUESTION) as events:
            for event in events:
                for choice in event.data.choices:
                    said, thought = spoken(choice.delta.content)
                    text, thinking = text + said, thinking + thought
                    calls += called(choice.delta.tool_calls)
                    reason = choice.finish_reason or reason
                usage = event.data.usage or usage
        return Said(text, thinking, calls, REASONS[reason or ""], counted(usage))


def of_message(completion: ChatCompletionResponse) -> Said:
    choice = completion.choices[0]
    message = choice.message
    assert message is not None
    usage = counted(completion.usage)
    return Said(
        *spoken(message.content), called(message.tool_calls), REASONS[choice.finish_reason or ""], usage
    )


def spoken(said: Any) -> tuple[str, str]:
    """The text and the thoughts of a content."""
    if not isinstance(said, list):
        return said or "", ""
    text, thinking = "", ""
    for chunk in said:
        if isinstance(chunk, TextChunk):
            text += chunk.text
        elif isinstance(chunk, ThinkChunk):
            thinking += "".join(inner.text for inner in chunk.thinking if isinstance(inner, TextChunk))
    return text, thinking


def called(calls: Any) -> list[tuple[str, str, str]]:
    made: list[ToolCall] = calls or []
    return [(call.id or "", call.function.name, str(call.function.arguments)) for call in made]


def counted(told: UsageInfo | None) -> Usage | None:
    if told is None:
        return None
    details = (told.model_extra or {}).get("prompt_tokens_details") or {}
    return Usage(told.prompt_tokens or 0, told.completion_tokens or 0, details.get("cached_tokens", 0))


def read(response: dict[str, Any], body: bytes, size: int = 0) -> list[ModelEvent]:
    """The events that we make of an answer."""
    if response.get("framing") != "sse":
        return whole(body)
    decoder = MistralDecoder()
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
    return Said(
        content.text_of(parts),
        "".join(part.text for part in parts if isinstance(part, content.ThinkingPart)),
        [(part.id, part.name, part.arguments) for part in parts if isinstance(part, content.ToolCall)],
        last.reason,
        next((event.usage for event in reversed(events) if isinstance(event, UsageReport)), None),
    )
