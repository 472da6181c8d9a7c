"""What only one provider does."""

import pytest
from tests.unit.adapters.models.speech import chunk, fed, line, message, sse, usage_of

from prosa.adapters.models.anthropic.decode import AnthropicDecoder
from prosa.adapters.models.mistral.decode import MistralDecoder
from prosa.adapters.models.ollama.address import server_base
from prosa.adapters.models.ollama.decode import OllamaDecoder
from prosa.adapters.models.openai.decode import OpenAIDecoder
from prosa.domain.content import ThinkingPart
from prosa.domain.errors import ProviderError, RateLimited
from prosa.domain.models import (
    Finish,
    FinishReason,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    Thought,
    Usage,
    UsageReport,
)

DONE = b"data: [DONE]\n\n"


def test_openai_refusals_have_their_own_end() -> None:
    stream = (
        chunk({"content": None, "refusal": ""}) + chunk({"refusal": "Não "}) + chunk({"refusal": "posso."})
    )
    events = fed(OpenAIDecoder(), [stream + chunk({}, "stop") + DONE])
    assert events == [RefusalDelta("Não posso."), Finish(FinishReason.REFUSAL)]


def test_openai_content_filter_is_a_refusal() -> None:
    assert fed(OpenAIDecoder(), [chunk({}, "content_filter")]) == [Finish(FinishReason.REFUSAL)]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_servers_like_openais_think_in_two_fields(field: str) -> None:
    stream = chunk({field: "Hm"}) + chunk({field: "m", "content": ""}) + chunk({"content": "Sim"}) + DONE
    assert fed(OpenAIDecoder(), [stream])[:2] == [ThinkingDelta("Hmm"), TextDelta("Sim")]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"total_tokens": 30, "completion_tokens_details": {"reasoning_tokens": 5}}, Usage(10, 20, 0, 5)),
        ({"total_tokens": 35, "completion_tokens_details": {"reasoning_tokens": 5}}, Usage(10, 25, 0, 5)),
        ({"total_tokens": 103}, Usage(10, 93, 0, 73)),  # Gemini's thoughts
        ({"total_tokens": 7}, Usage(10, 20)),
        ({"total_tokens": 40, "completion_tokens_details": {"reasoning_tokens": 5}}, Usage(10, 20, 0, 5)),
        ({"total_tokens": 30, "prompt_tokens_details": {"cached_tokens": 8}}, Usage(10, 20, 8, 0)),
        ({"total_tokens": 30, "prompt_tokens_details": None, "completion_tokens_details": 7}, Usage(10, 20)),
        ({"prompt_tokens_details": {"cached_tokens": 999}}, Usage(10, 20, 10, 0)),
    ],
)
def test_openai_usage(usage: dict[str, object], expected: Usage) -> None:
    told = {"prompt_tokens": 10, "completion_tokens": 20, **usage}
    assert usage_of(fed(OpenAIDecoder(), [sse({"choices": [], "usage": told}) + DONE])) == expected


def test_an_error_frame_may_hold_a_status() -> None:
    decoder = OpenAIDecoder()
    decoder.feed(chunk({"content": "Me"}) + sse({"error": {"code": 429, "message": "slow down"}}))
    with pytest.raises(RateLimited):
        decoder.end()


def test_anthropic_adds_up_what_it_read_and_wrote() -> None:
    counts = {"input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 40}
    stream = message("message_start", message={"usage": {**counts, "output_tokens": 1}})
    stream += message("message_delta", delta={"stop_reason": "refusal"}, usage={"output_tokens": 9})
    events = fed(AnthropicDecoder(), [stream + message("message_stop")])
    assert events == [
        UsageReport(Usage(145, 1, 100, cache_write_tokens=40)),
        UsageReport(Usage(145, 9, 100, cache_write_tokens=40)),
        Finish(FinishReason.REFUSAL),
    ]


def test_anthropic_blocks_of_other_kinds_say_nothing() -> None:
    stream = message("content_block_start", content_block={"type": "server_tool_use", "id": "x", "input": {}})
    stream += message("content_block_delta", delta={"type": "input_json_delta", "partial_json": "{"})
    stream += message("content_block_delta", delta={"type": "signature_delta", "signature": "x"})
    stream += message("content_block_stop") + message("something_new", text="x") + message("message_stop")
    assert fed(AnthropicDecoder(), [stream]) == [Finish(FinishReason.STOP)]


def test_mistral_thinks_in_parts() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
        {"type": "text", "text": "Sim"},
    ]
    others = [{"type": "reference", "reference_ids": [1]}]
    stream = chunk({"content": parts}) + chunk({"content": others}) + chunk({"content": "!"}, "model_length")
    expected = [
        ThinkingDelta("Hm"),
        Thought(ThinkingPart("Hm", provider="mistral")),
        TextDelta("Sim!"),
        Finish(FinishReason.LENGTH),
    ]
    assert fed(MistralDecoder(), [stream + DONE]) == expected


def test_mistral_may_end_with_an_error_for_a_reason() -> None:
    decoder = MistralDecoder()
    decoder.feed(chunk({"content": "Me"}, "error"))
    with pytest.raises(ProviderError):
        decoder.end()


def test_ollama_without_one_of_its_counts_has_no_usage() -> None:
    last = {
        "message": {"content": "Sim", "thinking": "Hm"},
        "done": True,
        "done_reason": "stop",
        "eval_count": 3,
    }
    assert fed(OllamaDecoder(), [line(last)]) == [
        ThinkingDelta("Hm"),
        Thought(ThinkingPart("Hm", provider="ollama")),
        TextDelta("Sim"),
        Finish(FinishReason.STOP),
    ]


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://localhost:11434", "http://localhost:11434"),
        ("http://localhost:11434/", "http://localhost:11434"),
        ("http://localhost:11434/api/generate", "http://localhost:11434"),
        ("http://localhost:11434/api/chat/", "http://localhost:11434"),
        ("http://localhost:11434/api", "http://localhost:11434"),
        ("http://localhost:11434/v1/", "http://localhost:11434"),
        ("https://h.example/ollama/api/generate", "https://h.example/ollama"),
        ("https://h.example/ollama/", "https://h.example/ollama"),
        ("localhost:11434", "http://localhost:11434"),
        (" 10.0.0.5:11434/api/generate ", "http://10.0.0.5:11434"),
        ("https://u:p@h.example/api/chat?key=1", "https://u:p@h.example?key=1"),
        ("https://h.example/my-api/generate", "https://h.example/my-api/generate"),
    ],
)
def test_ollamas_address(url: str, base: str) -> None:
    assert server_base(url) == base
