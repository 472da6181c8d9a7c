"""Tells what an error of Anthropic means."""

from prosa.adapters.models.faults import Complaint, Reply, Rules, texts
from prosa.adapters.models.repair import loose
from prosa.domain.errors import (
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderTimeout,
    QuotaExhausted,
    RateLimited,
)

PROVIDER = "anthropic"
RULES = Rules(
    PROVIDER,
    names={
        "authentication_error": ProviderKeyRefused,
        "permission_error": ProviderKeyRefused,
        "billing_error": QuotaExhausted,
        "rate_limit_error": RateLimited,
        "request_too_large": ContextTooLong,
        "overloaded_error": ProviderOverloaded,
        "timeout_error": ProviderTimeout,
    },
    phrases={
        "prompt is too long": ContextTooLong,
        "exceed context limit": ContextTooLong,
        "credit balance is too low": QuotaExhausted,
        "model:": NoSuchModel,
    },
)


def fault(reply: Reply, model: str = "") -> ProviderError:
    """The error for a response that is no answer."""
    return RULES.judge(complaint(reply.body, reply.status, reply.retry_after), model)


def midstream(payload: bytes, model: str = "") -> ProviderError:
    """The error for an `error` event inside a stream."""
    return RULES.judge(complaint(payload), model)


def complaint(body: bytes, status: int | None = None, retry_after: float | None = None) -> Complaint:
    """Reads `{"type": "error", "error": {"type", "message"}}`."""
    told = loose(body)
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return Complaint("", (), status, retry_after)
    message = next(iter(texts(error.get("message"))), "")
    return Complaint(message, texts(error.get("type")), status, retry_after)
