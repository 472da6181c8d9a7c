"""Tells what an error of OpenAI, or of a server like it, means."""

from typing import Any

from prosa.adapters.models.faults import Complaint, Kind, Reply, Rules, texts
from prosa.adapters.models.repair import loose
from prosa.domain.errors import (
    ContentRefused,
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    QuotaExhausted,
    RateLimited,
)

NAMES: dict[str, Kind] = {
    "invalid_api_key": ProviderKeyRefused,
    "authentication_error": ProviderKeyRefused,
    "model_not_found": NoSuchModel,
    "context_length_exceeded": ContextTooLong,
    "exceed_context_size_error": ContextTooLong,
    "insufficient_quota": QuotaExhausted,
    "billing_hard_limit_reached": QuotaExhausted,
    "billing_not_active": QuotaExhausted,
    "content_filter": ContentRefused,
    "content_policy_violation": ContentRefused,
    "rate_limit_exceeded": RateLimited,
    "overloaded_error": ProviderOverloaded,
    "engine_overloaded": ProviderOverloaded,
}
PHRASES: dict[str, Kind] = {
    "maximum context length": ContextTooLong,
    "context window": ContextTooLong,
    "prompt too long": ContextTooLong,
    "prompt is too long": ContextTooLong,
    "does not exist or you do not have access": NoSuchModel,
    "the model `": NoSuchModel,
    "overloaded": ProviderOverloaded,
}


def fault(provider: str, reply: Reply, model: str = "") -> ProviderError:
    """The error for a response that is no answer."""
    return judge(provider, complaint(reply.body, reply.status, reply.retry_after), model)


def midstream(provider: str, payload: bytes, model: str = "") -> ProviderError:
    """The error for an error frame inside a stream."""
    return judge(provider, complaint(payload), model)


def judge(provider: str, said: Complaint, model: str) -> ProviderError:
    return Rules(provider, NAMES, PHRASES).judge(said, model)


def complained(told: Any) -> bool:
    """Whether a response that should hold something else holds an error."""
    return isinstance(told, dict) and bool(told.get("error"))


def complaint(body: bytes, status: int | None = None, retry_after: float | None = None) -> Complaint:
    """Reads `{"error": {...}}`, `{"error": "text"}`, and the same fields with nothing around them."""
    told = loose(body)
    error: Any = told.get("error") or told if isinstance(told, dict) else None
    if isinstance(error, str):
        return Complaint(error, (), status, retry_after)
    if not isinstance(error, dict):
        return Complaint("", (), status, retry_after)
    code, kind = error.get("code"), error.get("type")
    if status is None and isinstance(code, int):  # some servers put the status there
        status = code
    message = next(iter(texts(error.get("message"), error.get("detail"))), "")
    return Complaint(message, texts(code, kind), status, retry_after)
