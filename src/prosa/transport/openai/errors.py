"""Errors as OpenAI's clients read them: by status, type and code, with the time to wait."""

import math
import re
from typing import Any, Literal

import msgspec
from msgspec import Struct

from prosa.domain import errors as e
from prosa.domain import moderation
from prosa.domain.limits import TooManyRuns
from prosa.domain.rates import RequestLimitReached
from prosa.transport.errors import RETRY_AFTER, Headers, Refusal, headers_of
from prosa.transport.errors import status_of as native_status_of
from prosa.transport.operation import Failures

Kind = Literal[
    "invalid_request_error", "authentication_error", "permission_error", "rate_limit_error",
    "insufficient_quota", "server_error",
]  # fmt: skip


class FailureBody(Struct, frozen=True):
    """`param` is the part of the request that is wrong, where it is one part."""

    message: str
    type: Kind
    param: str | None
    code: str


class FailureForm(Struct, frozen=True):
    """What every failure on `/v1` looks like."""

    error: FailureBody


class Named(Struct, frozen=True):
    """What OpenAI calls an error; None: as we do."""

    status: int | None = None
    type: Kind | None = None
    code: str | None = None


_NAMED: tuple[tuple[type[e.ProsaError], Named], ...] = (
    (e.NotAuthenticated, Named(type="authentication_error", code="invalid_api_key")),
    (e.NoSuchModel, Named(404, code="model_not_found")),
    (e.NoSuchProvider, Named(404, code="model_not_found")),
    (e.ContextTooLong, Named(400, code="context_length_exceeded")),
    (e.ContentRefused, Named(400, code="content_policy_violation")),
    (moderation.ContentBlocked, Named(400)),
    (e.ProviderRefused, Named(400)),
    (e.LimitReached, Named(429, "insufficient_quota")),
    (RequestLimitReached, Named(429, "rate_limit_error", "rate_limit_exceeded")),
    (TooManyRuns, Named(429, "rate_limit_error", "rate_limit_exceeded")),
    (e.RateLimited, Named(429, "rate_limit_error", "rate_limit_exceeded")),
    (e.QueueFull, Named(429, "rate_limit_error")),
    (e.ProviderOverloaded, Named(503)),
    (e.ProviderTimeout, Named(504)),
)
"""The first row that fits counts."""

_TYPES: dict[int, Kind] = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_AS_OURS = Named()
_PLACE = re.compile(r"`\$\.?([^`]*)`|unknown field `([^`]*)`$")
_FIELD = re.compile(r"`([\w.\[\]]+)`")
_SERVER = 500


def refusal(error: e.ProsaError, language: str) -> Refusal:
    """The whole answer that tells of `error`."""
    status, body = _told(error, language)
    return Refusal(status, [*headers_of(error), *_more_headers(error, status)], msgspec.json.encode(body))


def frame(error: e.ProsaError, language: str) -> bytes:
    """`error` in the middle of a stream: the clients raise it as an exception."""
    return b"data: %b\n\n" % msgspec.json.encode(_told(error, language)[1])


def _told(error: e.ProsaError, language: str) -> tuple[int, FailureForm]:
    named = _named(type(error))
    status = status_of(type(error))
    usual: Kind = "server_error" if status >= _SERVER else "invalid_request_error"
    kind = named.type or _TYPES.get(status, usual)
    message = error.sentence(language)
    return status, FailureForm(FailureBody(message, kind, _param(error), named.code or error.code))


def status_of(kind: type[e.ProsaError]) -> int:
    return _named(kind).status or native_status_of(kind)


def _named(kind: type[e.ProsaError]) -> Named:
    return next((named for known, named in _NAMED if issubclass(kind, known)), _AS_OURS)


def _param(error: e.ProsaError) -> str | None:
    if isinstance(error, e.NoSuchModel | e.NoSuchProvider):
        return "model"
    if isinstance(error, e.InvalidRequest):
        place = _PLACE.search(error.details["detail"])
        return (place[1] or place[2] or None) if place else None
    field = _FIELD.match(error.details["what"]) if isinstance(error, e.NotSupported) else None
    return field[1] if field else None


def _more_headers(error: e.ProsaError, status: int) -> Headers:
    headers: Headers = []
    if (seconds := _wait(error)) is not None:
        headers.append((b"retry-after", b"%d" % seconds))
    again = error.retryable and not isinstance(error, e.LimitReached)
    if (status == 429 or status >= _SERVER) and not again:  # noqa: PLR2004 - else the clients would try again
        headers.append((b"x-should-retry", b"false"))
    return headers


def _wait(error: e.ProsaError) -> int | None:
    """Whole seconds until it may be otherwise, where the table of all doors does not tell."""
    if isinstance(error, e.RateLimited):
        told: Any = error.details["retry_after"]
        return RETRY_AFTER if told is None else math.ceil(told)
    if isinstance(error, e.ProviderOverloaded):
        return RETRY_AFTER
    return None


FAILURES = Failures(FailureForm, status_of)
