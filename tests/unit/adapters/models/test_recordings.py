"""Every recorded stream of the four providers is read as a plain reader of its JSON would read it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.shared import body, needs_recordings, pieces, recording, streamed
from tests.unit.adapters.models.speech import fed, text_of, thinking_of, usage_of

from prosa.adapters.models.anthropic.decode import AnthropicDecoder
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.mistral.decode import MistralDecoder
from prosa.adapters.models.ollama.decode import OllamaDecoder
from prosa.adapters.models.openai.decode import OpenAIDecoder
from prosa.domain.models import Finish, FinishReason, ModelEvent, TextDelta, Usage

LENGTH = {"length", "max_tokens"}
SIZES = [0, 1, 7]

MISTRAL = streamed("mistral", "/chat/completions")
MESSAGES = streamed("anthropic", "/v1/messages")
CHATS = streamed("ollama", "/api/chat")

Told = tuple[str, str, Usage | None, FinishReason]


def values(stream: bytes) -> Iterator[Any]:
    """Each JSON object of a stream, by its lines."""
    for line in stream.decode().splitlines():
        if (text := line.removeprefix("data:").strip()).startswith("{"):
            yield json.loads(text)


def completions(stream: bytes) -> Told:
    text, thinking, usage, reason = "", "", None, FinishReason.STOP
    for value in values(stream):
        for choice in value["choices"]:
            if choice["index"] == 0:
                delta = choice["delta"]
                content = delta.get("content") or ""
                parts: list[Any] = [{"text": content}] if isinstance(content, str) else content
                for part in parts:
                    text += part.get("text") or ""
                    thinking += "".join(inner["text"] for inner in part.get("thinking", []))
                text += delta.get("refusal") or ""
                thinking += delta.get("reasoning") or ""
                reason = FinishReason.REFUSAL if delta.get("refusal") else reason
                reason = FinishReason.LENGTH if choice["finish_reason"] in LENGTH else reason
                reason = FinishReason.TOOL_CALLS if delta.get("tool_calls") else reason
        if told := value.get("usage"):
            usage = Usage(
                told["prompt_tokens"],
                told["completion_tokens"],
                (told.get("prompt_tokens_details") or {}).get("cached_tokens", 0),
                (told.get("completion_tokens_details") or {}).get("reasoning_tokens", 0),
            )
    return text, thinking, usage, reason


def messages(stream: bytes) -> Told:
    text, thinking, reason = "", "", FinishReason.STOP
    counts: dict[str, Any] = {}
    for value in values(stream):
        delta = value.get("delta", {})
        text += delta.get("text", "")
        thinking += delta.get("thinking", "")
        counts |= value.get("usage") or value.get("message", {}).get("usage") or {}
        reason = FinishReason.LENGTH if delta.get("stop_reason") in LENGTH else reason
        reason = FinishReason.TOOL_CALLS if delta.get("stop_reason") == "tool_use" else reason
    cached = counts.get("cache_read_input_tokens", 0)
    written = counts.get("cache_creation_input_tokens", 0)
    prompt = counts["input_tokens"] + cached + written
    reasoning = counts.get("output_tokens_details", {}).get("thinking_tokens", 0)
    return text, thinking, Usage(prompt, counts["output_tokens"], cached, reasoning, written), reason


def chats(stream: bytes) -> Told:
    lines = list(values(stream))
    text = "".join(line["message"]["content"] for line in lines)
    thinking = "".join(line["message"].get("thinking", "") for line in lines)
    usage = Usage(lines[-1]["prompt_eval_count"], lines[-1]["eval_count"])
    called = any("tool_calls" in line["message"] for line in lines)
    reason = FinishReason.TOOL_CALLS if called else FinishReason(lines[-1]["done_reason"])
    return text, thinking, usage, reason


def check(name: str, size: int, decoder: Decoder, expected: Callable[[bytes], Told]) -> list[ModelEvent]:
    stream = body(recording(name))
    events = fed(decoder, pieces(stream, size))
    last = events[-1]
    assert isinstance(last, Finish)
    assert (text_of(events), thinking_of(events), usage_of(events), last.reason) == expected(stream)
    return events


@needs_recordings
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", MISTRAL)
def test_mistral(name: str, size: int) -> None:
    check(name, size, MistralDecoder(), completions)


@needs_recordings
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", MESSAGES)
def test_anthropic(name: str, size: int) -> None:
    check(name, size, AnthropicDecoder(), messages)


@needs_recordings
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CHATS)
def test_ollama(name: str, size: int) -> None:
    check(name, size, OllamaDecoder(), chats)


@needs_recordings
def test_a_whole_recording_is_one_delta_of_text() -> None:
    events = check("openai/chat_stream_usage__mirascope__1", 0, OpenAIDecoder(), completions)
    assert len([event for event in events if isinstance(event, TextDelta)]) == 1
