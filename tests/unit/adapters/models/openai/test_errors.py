"""What an error means, of OpenAI and of the servers like it: by status and type first, by its text last."""

import json
from typing import Any

import pytest

from prosa.adapters.models.faults import Reply, duration, retry_after, wait_told
from prosa.adapters.models.openai.errors import fault, midstream
from prosa.domain.errors import (
    ContentRefused,
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderRefused,
    ProviderTimeout,
    QuotaExhausted,
    RateLimited,
)

FILTER = {
    "message": "The response was filtered",
    "type": None,
    "param": "prompt",
    "code": "content_filter",
    "status": 400,
    "innererror": {"code": "ResponsibleAIPolicyViolation"},
}
SAID: dict[str, tuple[int, Any, type[ProviderError]]] = {
    "openai, context": (
        400,
        {
            "error": {
                "message": "too long",
                "type": "invalid_request_error",
                "code": "context_length_exceeded",
            }
        },
        ContextTooLong,
    ),
    "openai, flagged": (
        400,
        {"error": {"message": "Invalid prompt: … violating our usage policy.", "code": "invalid_prompt"}},
        ContentRefused,
    ),
    "openai, another country": (
        403,
        {"error": {"message": "Country", "code": "unsupported_country_region_territory"}},
        ProviderRefused,
    ),
    "openai, no such model for this project": (
        403,
        {"error": {"message": "Project has no access", "code": "model_not_found"}},
        NoSuchModel,
    ),
    "azure, filtered": (400, {"error": FILTER}, ContentRefused),
    "azure, key": (401, {"statusCode": 401, "message": "Unauthorized."}, ProviderKeyRefused),
    "azure, wait": (429, {"error": {"code": "429", "message": "Please retry after 6 seconds."}}, RateLimited),
    "groq, full": (498, {"error": {"message": "capacity", "code": "capacity_exceeded"}}, ProviderOverloaded),
    "deepseek, no credit": (402, {"error": {"message": "Insufficient Balance"}}, QuotaExhausted),
    "deepseek, no such model": (
        400,
        {
            "error": {
                "message": "Model Not Exist",
                "type": "invalid_request_error",
                "code": "invalid_request_error",
            }
        },
        NoSuchModel,
    ),
    "openrouter, moderation": (
        403,
        {"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["x"], "flagged_input": "…"}}},
        ContentRefused,
    ),
    "openrouter, no such model": (
        400,
        {"error": {"code": 400, "message": "a/b is not a valid model ID"}},
        NoSuchModel,
    ),
    "xai, key": (
        400,
        {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***yz."},
        ProviderKeyRefused,
    ),
    "xai, no such model": (
        404,
        {"code": "Not found", "error": "The model grok-0 does not exist or you do not have access to it."},
        NoSuchModel,
    ),
    "gemini, no such model": (
        404,
        [{"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}}],
        NoSuchModel,
    ),
    "gemini, key": (
        400,
        [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}],
        ProviderKeyRefused,
    ),
    "gemini, wait": (
        429,
        [{"error": {"code": 429, "message": "Please retry in 34.07s.", "status": "RESOURCE_EXHAUSTED"}}],
        RateLimited,
    ),
    "vllm, no such model": (
        404,
        {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404},
        NoSuchModel,
    ),
    "llama.cpp, context": (
        400,
        {"error": {"code": 400, "message": "request exceeds", "type": "exceed_context_size_error"}},
        ContextTooLong,
    ),
    "llama.cpp, loading": (
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        ProviderOverloaded,
    ),
    "cloudflare": (524, "<html>", ProviderTimeout),
    "a gateway": (502, "<html>", ProviderError),
    "another page": (404, "<html>", ProviderError),
    "Gemini's window": (
        400,
        [
            {
                "error": {
                    "message": "The input token count (9) exceeds the maximum number of tokens allowed (8)."
                }
            }
        ],
        ContextTooLong,
    ),
    "xAI's window": (
        400,
        {"code": "Client specified an invalid argument", "error": "This model's maximum prompt length is 8"},
        ContextTooLong,
    ),
    "Together's window": (
        422,
        {"error": {"message": "`inputs` tokens + `max_new_tokens` must be <= 8"}},
        ContextTooLong,
    ),
    "xAI's models": (
        404,
        {"code": "Some requested entity was not found", "error": "The model x does not exist or your team 1"},
        NoSuchModel,
    ),
}


@pytest.mark.parametrize(("status", "body", "kind"), SAID.values(), ids=SAID)
def test_of_a_response(status: int, body: Any, kind: type[ProviderError]) -> None:
    assert type(fault("p", Reply(status, json.dumps(body).encode()), "some-model")) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "boom", "type": "server_error"}}, ProviderError),
        ({"error": {"message": "boom", "code": 502}}, ProviderError),
        ({"error": {"message": "boom", "code": "503"}}, ProviderOverloaded),
        ({"error": {"message": "slow", "status": "DEADLINE_EXCEEDED"}}, ProviderTimeout),
        ({"error": "The engine is currently overloaded"}, ProviderOverloaded),
        ({"choices": [{"error": {"code": 429, "message": "slow"}}]}, RateLimited),
    ],
)
def test_in_mid_stream(body: Any, kind: type[ProviderError]) -> None:
    assert type(midstream("p", json.dumps(body).encode())) is kind


def test_a_type_outweighs_words_and_a_status_too() -> None:
    said = {"error": {"message": "The model `x` has a maximum context length", "code": "rate_limit_exceeded"}}
    assert type(fault("p", Reply(400, json.dumps(said).encode()))) is RateLimited
    words = {"error": {"message": "You are overloaded with a context window"}}
    assert type(fault("p", Reply(401, json.dumps(words).encode()))) is ProviderKeyRefused


def test_what_is_too_large_for_a_limit_is_too_large_for_ever() -> None:
    said = {"error": {"message": "Request too large for model `x`", "code": "rate_limit_exceeded"}}
    assert type(fault("groq", Reply(413, json.dumps(said).encode()))) is ContextTooLong


def test_what_a_user_wrote_is_not_told() -> None:
    said = {"detail": [{"loc": ["body", "messages"], "msg": "Field required", "input": "a user's words"}]}
    error = fault("p", Reply(422, json.dumps(said).encode()))
    assert error.details["detail"] == "Field required"


RESET = {"x-ratelimit-reset-requests": "120ms", "x-ratelimit-reset-tokens": "6m0s"}


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (RESET, 360.0),
        ({**RESET, "x-ratelimit-remaining-requests": "0", "x-ratelimit-remaining-tokens": "5"}, 0.12),
        ({**RESET, "x-ratelimit-remaining-requests": "3", "x-ratelimit-remaining-tokens": "0"}, 360.0),
        ({**RESET, "retry-after": "2"}, 2.0),
        ({**RESET, "retry-after": "soon"}, 360.0),
        ({"x-ratelimit-reset-tokens": "1h"}, 3600.0),
        ({"x-ratelimit-reset-tokens": "9999h"}, 86_400.0),
        ({"x-ratelimit-reset-tokens": "7"}, 7.0),
        ({"x-ratelimit-reset-tokens": ""}, None),
        ({"x-ratelimit-reset-tokens": "soon"}, None),
    ],
)
def test_the_wait_by_headers(headers: dict[str, str], wait: float | None) -> None:
    assert retry_after(headers) == wait


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("6m0s", 360.0), ("1s", 1.0), ("20ms", 0.02), ("2m59.56s", 179.56), ("1h2m3s", 3723.0), ("m", None)],
)
def test_durations(told: str, seconds: float | None) -> None:
    assert duration(told) == seconds


@pytest.mark.parametrize(
    ("message", "wait"),
    [
        ("Please try again in 1.54s. Visit our page.", 1.54),
        ("Please try again in 120ms.", 0.12),
        ("Please try again in 7m12s", 432.0),
        ("Please retry after 6 seconds.", 6.0),
        ("Please retry after 1 second.", 1.0),
        ("Please try again in 20 minutes.", 1200.0),
        ("Please try again in 2 hours", 7200.0),
        ("Please retry after 30 days.", 86_400.0),
        ("Please retry in 34.07s.", 34.07),
        ("try again in a while", None),
        ("try again in ...", None),
        ("", None),
    ],
)
def test_the_wait_in_words(message: str, wait: float | None) -> None:
    assert wait_told(message) == wait
    error = fault("p", Reply(429, json.dumps({"error": {"message": message}}).encode()))
    assert error.details["retry_after"] == wait
    headed = fault("p", Reply(429, json.dumps({"error": {"message": message}}).encode(), 9.0))
    assert headed.details["retry_after"] == 9.0
    busy = fault("p", Reply(503, json.dumps({"error": {"message": message}}).encode()))
    assert busy.details.get("retry_after") == wait
