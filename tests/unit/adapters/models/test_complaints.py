"""Every error that was recorded or reported becomes the domain's error that fits it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.json import encode
from tests.shared import body, needs_recordings, recording
from tests.unit.adapters.models.speech import fed, text_of

from prosa.adapters.models.anthropic import errors as anthropic
from prosa.adapters.models.anthropic.decode import AnthropicDecoder
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.faults import Reply, retry_after
from prosa.adapters.models.mistral import errors as mistral
from prosa.adapters.models.ollama import errors as ollama
from prosa.adapters.models.ollama.decode import OllamaDecoder
from prosa.adapters.models.openai import errors as openai
from prosa.adapters.models.openai.decode import OpenAIDecoder
from prosa.domain.errors import (
    BrokenStream,
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderRefused,
    QuotaExhausted,
    RateLimited,
)

FAULTS: dict[str, Any] = {
    "anthropic": anthropic.fault,
    "mistral": mistral.fault,
    "ollama": ollama.fault,
    "openai": lambda reply, model: openai.fault("openai", reply, model),
}

RECORDED: dict[str, type[ProviderError]] = {
    "openai/chat_error_400__crewAI__1": ProviderRefused,
    "openai/chat_error_400__mirascope__1": ProviderRefused,
    "openai/chat_error_400__ruby-openai__1": ProviderRefused,
    "openai/chat_error_401__dd-trace-py__1": ProviderKeyRefused,
    "openai/chat_error_401__openinference__1": ProviderKeyRefused,
    "openai/chat_error_404__crewAI__1": NoSuchModel,
    "openai/chat_error_404__openllmetry__1": NoSuchModel,
    "anthropic/msg_error_400__pydantic-ai__1": ProviderRefused,
    "anthropic/msg_error_400__rig__2": ProviderRefused,
    "anthropic/msg_error_400__ruby_llm__1": ContextTooLong,
    "anthropic/msg_error_401__dd-trace-py__1": ProviderKeyRefused,
    "anthropic/msg_error_401__mirascope__1": ProviderKeyRefused,
    "anthropic/msg_error_404__braintrust__1": NoSuchModel,
    "anthropic/msg_error_404__pydantic-ai__1": NoSuchModel,
    "mistral/chat_error_400__rig__1": ProviderRefused,
    "mistral/chat_error_400__rig__4": NoSuchModel,
    "mistral/chat_error_401__ruby_llm__1": ProviderKeyRefused,
    "ollama/errors__ruby_llm__1": ContextTooLong,
    "ollama/errors__ruby_llm__2": ProviderKeyRefused,
    "reported/anthropic_429_no_retry_after": RateLimited,
    "reported/anthropic_429_rate_limit": RateLimited,
    "reported/anthropic_500_api_error": ProviderError,
    "reported/anthropic_529_overloaded": ProviderOverloaded,
    "reported/mistral_422_detail_list": ProviderRefused,
    "reported/mistral_422_extra_forbidden": ProviderRefused,
    "reported/mistral_429_plain_message": RateLimited,
    "reported/mistral_429_rate_limited": RateLimited,
    "reported/ollama_400_no_thinking": ProviderRefused,
    "reported/ollama_400_no_tools": ProviderRefused,
    "reported/ollama_404_model": NoSuchModel,
    "reported/ollama_500_runner": ProviderError,
    "reported/ollama_503_queue_full": ProviderOverloaded,
    "reported/openai_429_insufficient_quota": QuotaExhausted,
    "reported/openai_429_no_ratelimit_headers": RateLimited,
    "reported/openai_429_rate_limit_tokens": RateLimited,
    "reported/openai_503_overloaded": ProviderOverloaded,
}


@needs_recordings
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_and_reported(name: str) -> None:
    found = recording(name)
    response = found["response"]
    reply = Reply(response["status"], body(found), retry_after(response["headers"]))
    error = FAULTS[found["provider"]](reply, "some-model")
    assert type(error) is RECORDED[name]
    assert error.details["provider"] == found["provider"]
    assert error.sentence("pt")


@needs_recordings
def test_the_wait_is_the_one_in_milliseconds_where_both_are_told() -> None:
    assert retry_after(recording("reported/openai_429_rate_limit_tokens")["response"]["headers"]) == 1.54
    assert retry_after(recording("reported/anthropic_429_rate_limit")["response"]["headers"]) == 17
    assert retry_after(recording("reported/anthropic_429_no_retry_after")["response"]["headers"]) is None


@needs_recordings
@pytest.mark.parametrize(
    ("name", "decoder", "kind", "text"),
    [
        ("anthropic_stream_error_before_output", AnthropicDecoder(), ProviderOverloaded, ""),
        ("anthropic_stream_error_mid", AnthropicDecoder(), ProviderOverloaded, "Hel"),
        ("ollama_stream_error_mid", OllamaDecoder(), ProviderError, "Hel"),
        ("openai_stream_error_mid", OpenAIDecoder(), ProviderError, "Hel"),
        ("openai_stream_truncated_no_done", OpenAIDecoder(), BrokenStream, ""),
    ],
)
def test_reported_in_mid_stream(name: str, decoder: Decoder, kind: type[ProviderError], text: str) -> None:
    assert text_of(decoder.feed(body(recording(f"reported/{name}")))) == text
    with pytest.raises(ProviderError) as raised:
        decoder.end()
    assert type(raised.value) is kind


@needs_recordings
def test_pings_of_compatible_servers_say_nothing() -> None:
    stream = body(recording("reported/openai_compat_stream_ping_keepalive"))
    assert text_of(fed(OpenAIDecoder(), [stream])) == "Hello!"


BODIES = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b'{"error": null}',
    b'{"error": [1]}',
    b"<html>",
    b"\xff" * 99,
    b"[" * 99_999,
]


@pytest.mark.parametrize("provider", FAULTS)
@pytest.mark.parametrize("said", BODIES, ids=range(len(BODIES)))
def test_any_body_is_survived(provider: str, said: bytes) -> None:
    statuses = {400: ProviderRefused, 401: ProviderKeyRefused, 404: ProviderError, 503: ProviderOverloaded}
    for status, kind in statuses.items():
        assert type(FAULTS[provider](Reply(status, said), "m")) is kind


@pytest.mark.parametrize(
    ("provider", "said", "kind"),
    [
        (
            "openai",
            '{"error": {"message": "This model\'s maximum context length is 8 tokens"}}',
            ContextTooLong,
        ),
        ("openai", '{"error": {"code": "context_length_exceeded"}}', ContextTooLong),
        ("openai", '{"error": "no such thing"}', ProviderRefused),
        ("openai", '{"error": {"message": "The model `x` does not exist", "code": 404}}', NoSuchModel),
        ("openai", '{"message": "bad", "code": 400, "object": "error"}', ProviderRefused),
        ("anthropic", '{"error": {"message": "Your credit balance is too low to go on"}}', QuotaExhausted),
        ("mistral", '{"message": "Prompt contains 9 tokens, too large for model with 8"}', ContextTooLong),
    ],
)
def test_names_and_phrases(provider: str, said: str, kind: type[ProviderError]) -> None:
    assert type(FAULTS[provider](Reply(400, said.encode()), "m")) is kind


def test_a_status_outweighs_a_type_that_says_nothing() -> None:
    said = {"object": "error", "message": "Service unavailable.", "type": "internal_server_error"}
    told = mistral.fault(Reply(503, encode(said)))
    assert type(told) is ProviderOverloaded


def test_mistrals_details_name_the_field_and_never_what_was_in_it() -> None:
    said = b'{"detail": [{"loc": ["body", "stop"], "msg": "Not permitted", "input": "a user\'s words"}]}'
    error = mistral.fault(Reply(422, said))
    assert error.details["detail"] == "body.stop: Not permitted"


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e9"}, 86_400.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
    ],
)
def test_the_wait_in_seconds(headers: dict[str, str], wait: float | None) -> None:
    assert retry_after(headers, NOW) == wait
