"""Tells what an error of OpenAI, or of a server like it, means."""

from collections.abc import Iterator
from typing import Any

from prosa.adapters.models.faults import Complaint, Kind, Reply, Rules, texts, wait_told
from prosa.adapters.models.repair import loose
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

NAMES: dict[str, Kind] = {
    **dict.fromkeys(
        ["invalid_api_key", "authentication_error", "account_deactivated", "UNAUTHENTICATED"],
        ProviderKeyRefused,
    ),
    **dict.fromkeys(
        ["model_not_found", "model_not_available", "DeploymentNotFound", "NotFoundError", "NOT_FOUND"],
        NoSuchModel,
    ),
    **dict.fromkeys(
        ["context_length_exceeded", "exceed_context_size_error", "string_above_max_length"], ContextTooLong
    ),
    **dict.fromkeys(
        ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"], QuotaExhausted
    ),
    **dict.fromkeys(
        [
            "content_filter",
            "content_policy_violation",
            "ResponsibleAIPolicyViolation",
            "flagged_input",
            "data_inspection_failed",
        ],
        ContentRefused,
    ),
    **dict.fromkeys(["rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"], RateLimited),
    **dict.fromkeys(
        ["overloaded_error", "engine_overloaded", "server_overloaded", "unavailable_error", "UNAVAILABLE"],
        ProviderOverloaded,
    ),
    **dict.fromkeys(["timeout", "DEADLINE_EXCEEDED"], ProviderTimeout),
    "unsupported_country_region_territory": ProviderRefused,
}
PHRASES: dict[str, Kind] = {
    "maximum context length": ContextTooLong,
    "context window": ContextTooLong,
    "context length": ContextTooLong,
    "exceeds the maximum number of tokens": ContextTooLong,
    "maximum prompt length": ContextTooLong,
    "`max_new_tokens` must be": ContextTooLong,
    "prompt too long": ContextTooLong,
    "prompt is too long": ContextTooLong,
    "does not exist or you do not have access": NoSuchModel,
    "does not exist or your team": NoSuchModel,
    "the model `": NoSuchModel,
    "model not exist": NoSuchModel,
    "model not found": NoSuchModel,
    "not a valid model": NoSuchModel,
    "no endpoints found": NoSuchModel,
    "incorrect api key": ProviderKeyRefused,
    "api key not valid": ProviderKeyRefused,
    "violating our usage policy": ContentRefused,
    "overloaded": ProviderOverloaded,
}


def fault(provider: str, reply: Reply, model: str = "") -> ProviderError:
    """The error for a response that is no answer."""
    return judge(provider, complaint(reply.body, reply.status, reply.retry_after), model)


def midstream(provider: str, payload: bytes, model: str = "") -> ProviderError:
    """The error for an error frame inside a stream, or in a response that says it is none."""
    return judge(provider, complaint(payload), model)


def judge(provider: str, said: Complaint, model: str) -> ProviderError:
    return Rules(provider, NAMES, PHRASES).judge(said, model)


def complained(told: Any) -> bool:
    """Whether a response that should hold something else holds an error, bare or in a list."""
    told = told[0] if isinstance(told, list) and told else told
    return isinstance(told, dict) and bool(told.get("error"))


def complaint(body: bytes, status: int | None = None, retry_after: float | None = None) -> Complaint:
    """Reads `{"error": {...}}`, `{"error": "text"}`, the same fields with nothing around them, a list of one
    of these (Gemini), `{"detail": ...}`, and the error of a choice (OpenRouter)."""
    told = loose(body)
    if isinstance(told, list) and told:
        told = told[0]
    if not isinstance(told, dict):
        return Complaint("", (), status, retry_after)
    error = told.get("error") or _of_choice(told) or told
    if not isinstance(error, dict):
        error = {"message": error, "code": told.get("code")}
    message = " ".join(_sentences(error)) or " ".join(_sentences(told))
    return Complaint(
        message,
        tuple(_names(error)),
        status or _status(error),
        wait_told(message) if retry_after is None else retry_after,
    )


def _of_choice(told: dict[str, Any]) -> Any:
    choices = told.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first.get("error") if isinstance(first, dict) else None


def _names(error: dict[str, Any]) -> Iterator[str]:
    """Codes and types, the more telling first: Azure's cause lies deeper, OpenRouter's beside."""
    inner, metadata = error.get("innererror"), error.get("metadata")
    if isinstance(inner, dict):
        yield from texts(inner.get("code"))
    if isinstance(metadata, dict) and "flagged_input" in metadata:
        yield "flagged_input"
    yield from texts(error.get("code"), error.get("type"), error.get("status"))


def _sentences(error: dict[str, Any]) -> Iterator[str]:
    """The message, or what is wrong where. The `input` of such a line, which a user wrote, is left out."""
    message = error.get("message") or error.get("detail")
    lines = message if isinstance(message, list) else [message]
    for line in lines:
        yield from texts(line.get("msg") if isinstance(line, dict) else line)


def _status(error: dict[str, Any]) -> int | None:
    """The status that some servers write into the error itself, as a number or as text."""
    for value in (error.get("code"), error.get("status")):
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value[:3])
        if isinstance(value, int):
            return value
    return None
