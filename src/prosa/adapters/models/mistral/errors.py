"""Tells what an error of Mistral means."""

from typing import Any

from prosa.adapters.models.faults import Complaint, Reply, Rules, texts
from prosa.adapters.models.repair import loose
from prosa.domain.errors import (
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    QuotaExhausted,
    RateLimited,
)

PROVIDER = "mistral"
RULES = Rules(
    PROVIDER,
    names={
        "invalid_model": NoSuchModel,
        "rate_limited": RateLimited,
        "unauthorized": ProviderKeyRefused,
        "context_length_exceeded": ContextTooLong,
        "insufficient_quota": QuotaExhausted,
        "service_tier_capacity_exceeded": RateLimited,
        "service_unavailable": ProviderOverloaded,
    },
    phrases={
        "invalid model": NoSuchModel,
        "too large for model": ContextTooLong,
        "maximum context length": ContextTooLong,
        "too many tokens": ContextTooLong,
    },
)


def fault(reply: Reply, model: str = "") -> ProviderError:
    """The error for a response that is no answer."""
    return RULES.judge(complaint(reply.body, reply.status, reply.retry_after), model)


def midstream(payload: bytes, model: str = "") -> ProviderError:
    """The error for an error frame inside a stream."""
    return RULES.judge(complaint(payload), model)


def complaint(body: bytes, status: int | None = None, retry_after: float | None = None) -> Complaint:
    """Reads `{"message", "type", "code"}`, whose message may hold a `detail`; `{"detail"}`, a text
    or a list of what is wrong where; and either of them inside an `error`.
    """
    told = loose(body)
    error = told.get("error") or told if isinstance(told, dict) else {}
    if not isinstance(error, dict):
        error = {"message": error}
    message = said(error.get("message")) or said(error.get("detail"))
    return Complaint(message, texts(error.get("type"), error.get("code")), status, retry_after)


def said(message: Any) -> str:
    """The text of a message, of its detail, or of each line of its detail."""
    if isinstance(message, dict):
        message = message.get("detail")
    if isinstance(message, list):
        return "; ".join(line(item) for item in message if isinstance(item, dict))
    return message if isinstance(message, str) else ""


def line(item: dict[str, Any]) -> str:
    """One complaint about one field. Its `input`, which may be what a user wrote, is left out."""
    place = item.get("loc")
    where = ".".join(str(step) for step in place) if isinstance(place, list) else ""
    return f"{where}: {item.get('msg', '')}" if where else str(item.get("msg", ""))
