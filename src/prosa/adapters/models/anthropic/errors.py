"""Tells what an error of Anthropic means."""

import re
from http import HTTPStatus

from prosa.adapters.models.anthropic.limits import until_reset
from prosa.adapters.models.faults import Complaint, Reply, Rules, texts
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

PROVIDER = "anthropic"
NO_MODEL = "model_not_found"
"""Ours: Anthropic says `not_found_error` of models, files and addresses alike."""
MODEL = re.compile(r"\bmodel\b", re.IGNORECASE)
UNKNOWN_ROUTE = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}

RULES = Rules(
    PROVIDER,
    names={
        "contract_spend_limit_reached": QuotaExhausted,
        "enforced_spend_limit_reached": QuotaExhausted,
        "organization_on_hold": ProviderKeyRefused,
        "authentication_error": ProviderKeyRefused,
        "permission_error": ProviderKeyRefused,
        "billing_error": QuotaExhausted,
        "rate_limit_error": RateLimited,
        "request_too_large": ContextTooLong,
        "exceed_context_size_error": ContextTooLong,  # llama.cpp's
        "overloaded_error": ProviderOverloaded,
        "timeout_error": ProviderTimeout,
        NO_MODEL: NoSuchModel,
        "not_found_error": ProviderRefused,
    },
    phrases={
        "prompt is too long": ContextTooLong,
        "exceed context limit": ContextTooLong,
        "credit balance is too low": QuotaExhausted,
        "reached your specified api usage limits": QuotaExhausted,
        "organization has been disabled": ProviderKeyRefused,
        "blocked by content filtering": ContentRefused,
    },
)


def fault(reply: Reply, model: str = "") -> ProviderError:
    """The error for a response that is no answer."""
    wait = reply.retry_after
    if wait is None and reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = until_reset(reply.headers)
    return RULES.judge(complaint(reply.body, reply.status, wait), model)


def midstream(payload: bytes, model: str = "") -> ProviderError:
    """The error for an `error` event inside a stream."""
    return RULES.judge(complaint(payload), model)


def unknown_route(error: ProviderError) -> bool:
    """Whether a server that only resembles Anthropic's does not know the address that was asked."""
    return type(error) is ProviderError and error.details.get("status") in UNKNOWN_ROUTE


def complaint(body: bytes, status: int | None = None, retry_after: float | None = None) -> Complaint:
    """Reads `{"type": "error", "error": {"type", "message", "details": {"error_code"}}}`."""
    told = loose(body)
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return Complaint("", (), status, retry_after)
    message = next(iter(texts(error.get("message"))), "")
    details = error.get("details")
    names = texts(details.get("error_code") if isinstance(details, dict) else None, error.get("type"))
    if "not_found_error" in names and MODEL.search(message):
        names = (NO_MODEL, *names)
    return Complaint(message, names, status, retry_after)
