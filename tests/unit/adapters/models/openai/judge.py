"""OpenAI's own client as the judge: what it reads from bytes that never crossed a network."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2
from openai import OpenAI
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ParsedChatCompletion
from tests.shared import pieces

from prosa.adapters.models.openai.decode import OpenAIDecoder, whole
from prosa.domain.assembly import Assembly
from prosa.domain.content import ThinkingPart, ToolCall, text_of
from prosa.domain.models import Finish, FinishReason, ModelEvent, RefusalDelta, TextDelta, Usage, UsageReport

QUESTION: dict[str, Any] = {"model": "some-model", "messages": [{"role": "user", "content": "Oi"}]}
REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.REFUSAL,
}


class Pieces(httpx2.SyncByteStream):
    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)


class Said(NamedTuple):
    """An answer as both have to read it."""

    text: str
    refusal: str
    thinking: str
    calls: list[tuple[str, str, str]]
    reason: FinishReason
    usage: Usage | None


def client(response: dict[str, Any], body: bytes, size: int = 0) -> OpenAI:
    """A client whose every request is answered with a recorded status, and `body` in pieces."""
    kind = "text/event-stream" if response.get("framing") == "sse" else "application/json"

    def answer(_: httpx2.Request) -> httpx2.Response:
        stream = Pieces(pieces(body, size))
        return httpx2.Response(response["status"], headers={"content-type": kind}, stream=stream)

    transport = httpx2.MockTransport(answer)
    return OpenAI(api_key="none", max_retries=0, http_client=httpx2.Client(transport=transport))


def judged(response: dict[str, Any], body: bytes, size: int = 0) -> Said:
    """What the official client reads of an answer."""
    with client(response, body, size) as asked:
        if response.get("framing") != "sse":
            return spoken(asked.chat.completions.create(**QUESTION))
        state = ChatCompletionStreamState()
        with asked.chat.completions.create(**QUESTION, stream=True) as stream:
            for chunk in stream:
                if chunk.choices is not None:  # the client itself stumbles over the pings of other servers
                    state.handle_chunk(chunk)
        return spoken(state.current_completion_snapshot)


def spoken(completion: ChatCompletion | ParsedChatCompletion[None]) -> Said:
    choice = completion.choices[0]
    message = choice.message
    calls = [
        (call.id, call.function.name, call.function.arguments)
        for call in message.tool_calls or ()
        if call.type == "function"
    ]
    reason = REASONS[choice.finish_reason]
    if message.refusal:
        reason = FinishReason.REFUSAL
    elif calls and reason is FinishReason.STOP:  # so end the answers to whom a tool was prescribed
        reason = FinishReason.TOOL_CALLS
    extra = message.model_extra or {}
    thinking = extra.get("reasoning_content") or extra.get("reasoning") or ""
    return Said(message.content or "", message.refusal or "", thinking, calls, reason, counted(completion))


def counted(completion: ChatCompletion | ParsedChatCompletion[None]) -> Usage | None:
    told = completion.usage
    if told is None:
        return None
    read, thought = told.prompt_tokens_details, told.completion_tokens_details
    return Usage(
        told.prompt_tokens,
        told.completion_tokens,
        (read and read.cached_tokens) or 0,
        (thought and thought.reasoning_tokens) or 0,
        (read and read.cache_write_tokens) or 0,
    )


def read(response: dict[str, Any], body: bytes, size: int = 0) -> list[ModelEvent]:
    """The events that we make of an answer."""
    if response.get("framing") != "sse":
        return whole(body, OpenAIDecoder())
    decoder = OpenAIDecoder()
    events = [event for part in pieces(body, size) for event in decoder.feed(part)]
    return events + decoder.end()


def heard(events: list[ModelEvent]) -> Said:
    """What our events say."""
    assembly = Assembly()
    usage = None
    for event in events:
        assembly.add(event)
        if isinstance(event, UsageReport):
            usage = event.usage
    last = events[-1]
    assert isinstance(last, Finish)
    refusal = "".join(event.text for event in events if isinstance(event, RefusalDelta))
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert sorted(text_of(assembly.parts)) == sorted(text + refusal)
    return Said(
        text,
        refusal,
        "".join(part.text for part in assembly.parts if isinstance(part, ThinkingPart)),
        [(part.id, part.name, part.arguments) for part in assembly.parts if isinstance(part, ToolCall)],
        last.reason,
        usage,
    )
