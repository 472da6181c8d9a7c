"""What each provider says on the wire, in the few words that the tests of all of them need."""

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.json import encode

from prosa.adapters.models.anthropic.client import AnthropicModel
from prosa.adapters.models.anthropic.decode import AnthropicDecoder
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.http import IN_GENERAL, Timeouts
from prosa.adapters.models.mistral.client import MistralModel
from prosa.adapters.models.mistral.decode import MistralDecoder
from prosa.adapters.models.ollama.client import OllamaModel
from prosa.adapters.models.ollama.decode import OllamaDecoder
from prosa.adapters.models.openai.client import OpenAIModel
from prosa.adapters.models.openai.decode import OpenAIDecoder
from prosa.domain.errors import ProviderError
from prosa.domain.models import (
    ChatRequest,
    ModelEvent,
    Role,
    TextDelta,
    ThinkingDelta,
    Turn,
    Usage,
    UsageReport,
)
from prosa.ports.models import ChatModel

KEY = "sk-canary-0123456789"
HELLO = ChatRequest(model="some-model", turns=(Turn(Role.USER, "Oi"),))
Make = Callable[..., ChatModel]


class Speech(NamedTuple):
    """How one provider opens, says a piece of text, and ends with a reason and counts."""

    provider: str
    make: Make
    decoder: Callable[[], Decoder]
    opening: bytes
    text: Callable[[str], bytes]
    end: Callable[[str, int, int], bytes]

    def whole(self, *texts: str) -> bytes:
        return self.opening + b"".join(map(self.text, texts)) + self.end("stop", 12, 3)


def sse(value: Any, event: str = "") -> bytes:
    return (f"event: {event}\n".encode() if event else b"") + b"data: " + encode(value) + b"\n\n"


def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    return sse({"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more})


def counts(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def message(kind: str, **more: Any) -> bytes:
    return sse({"type": kind, **more}, kind)


def line(value: Any) -> bytes:
    return encode(value) + b"\n"


def openai(base: str, timeouts: Timeouts = IN_GENERAL) -> ChatModel:
    return OpenAIModel(api_key=KEY, base_url=base + "/v1", timeouts=timeouts)


def anthropic(base: str, timeouts: Timeouts = IN_GENERAL) -> ChatModel:
    return AnthropicModel(api_key=KEY, base_url=base, timeouts=timeouts)


def mistral(base: str, timeouts: Timeouts = IN_GENERAL) -> ChatModel:
    return MistralModel(api_key=KEY, base_url=base, timeouts=timeouts)


def ollama(base: str, timeouts: Timeouts = IN_GENERAL) -> ChatModel:
    return OllamaModel(base_url=base, api_key=KEY, timeouts=timeouts)


SPEECHES = {
    "openai": Speech(
        "openai",
        openai,
        OpenAIDecoder,
        opening=chunk({"role": "assistant", "content": "", "refusal": None}, usage=None),
        text=lambda text: chunk({"content": text}, usage=None, obfuscation="abc"),
        end=lambda reason, prompt, completion: (
            chunk({}, reason, usage=None)
            + sse({"id": "x", "choices": [], "usage": counts(prompt, completion)})
            + b"data: [DONE]\n\n"
        ),
    ),
    "anthropic": Speech(
        "anthropic",
        anthropic,
        AnthropicDecoder,
        opening=message("message_start", message={"usage": {"input_tokens": 12, "output_tokens": 1}})
        + message("content_block_start", index=0, content_block={"type": "text", "text": ""})
        + message("ping"),
        text=lambda text: message("content_block_delta", index=0, delta={"type": "text_delta", "text": text}),
        end=lambda reason, _, completion: (
            message("content_block_stop", index=0)
            + message(
                "message_delta",
                delta={"stop_reason": {"stop": "end_turn", "length": "max_tokens"}[reason]},
                usage={"output_tokens": completion},
            )
            + message("message_stop")
        ),
    ),
    "mistral": Speech(
        "mistral",
        mistral,
        MistralDecoder,
        opening=chunk({"role": "assistant", "content": ""}),
        text=lambda text: chunk({"content": text}, p="abc"),
        end=lambda reason, prompt, completion: (
            chunk({"content": ""}, reason, usage=counts(prompt, completion)) + b"data: [DONE]\n\n"
        ),
    ),
    "ollama": Speech(
        "ollama",
        ollama,
        OllamaDecoder,
        opening=b"",
        text=lambda text: line({"message": {"role": "assistant", "content": text}, "done": False}),
        end=lambda reason, prompt, completion: line(
            {
                "message": {"role": "assistant", "content": ""},
                "done": True,
                "done_reason": reason,
                "prompt_eval_count": prompt,
                "eval_count": completion,
            }
        ),
    ),
}


def text_of(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thinking_of(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThinkingDelta))


def usage_of(events: list[ModelEvent]) -> Usage | None:
    return next((event.usage for event in reversed(events) if isinstance(event, UsageReport)), None)


async def told(model: ChatModel) -> tuple[list[ModelEvent], ProviderError | None]:
    """The events of one answer to `HELLO`, and what broke it if something did."""
    events = []
    try:
        async for event in model.stream(HELLO):
            events.append(event)  # noqa: PERF401 - those before the fault count
    except ProviderError as fault:
        return events, fault
    return events, None


def fed(decoder: Decoder, parts: list[bytes]) -> list[ModelEvent]:
    """Everything that `decoder` makes of `parts`, to the end."""
    events = [event for part in parts for event in decoder.feed(part)]
    return events + decoder.end()
