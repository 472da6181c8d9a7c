"""Errors on the wire: one table of statuses, one form of body, in the reader's language."""

from typing import Any

import msgspec
from msgspec import Struct

from prosa.domain import access as a
from prosa.domain import errors as e
from prosa.domain import files as f
from prosa.domain import moderation, sockets
from prosa.domain.imports import ImportFailed
from prosa.domain.limits import TooManyRuns
from prosa.domain.rates import RequestLimitReached
from prosa.domain.time import SECOND, from_iso, now

_STATUSES: tuple[tuple[type[e.ProsaError], int], ...] = (
    (e.InvalidRequest, 400),
    (e.NotSupported, 400),
    (e.NoSuchProvider, 400),
    (e.NotAuthenticated, 401),
    (e.CostLimitReached, 402),
    (e.PriceUnknown, 402),
    (e.Forbidden, 403),
    (e.OriginRefused, 403),
    (e.HostRefused, 403),
    (e.ClientMismatch, 403),
    (a.Suspended, 403),
    (a.ScopeMissing, 403),
    (e.NotFound, 404),
    (e.NoSuchRoute, 404),
    (e.MethodNotAllowed, 405),
    (f.UploadTooSlow, 408),
    (e.Conflict, 409),
    (a.TooManyApiKeys, 409),
    (a.AlreadySuspended, 409),
    (e.MisconfiguredError, 409),
    (e.TooLarge, 413),
    (f.FilesFull, 413),
    (e.UnsupportedMediaType, 415),
    (e.IdempotencyMismatch, 422),
    (e.ContextTooLong, 422),
    (moderation.ContentBlocked, 422),
    (moderation.ModerationUnavailable, 503),
    (f.InvalidFile, 422),
    (f.ModelTakesNoImages, 422),
    (e.TokenLimitReached, 429),
    (e.QueueFull, 429),
    (TooManyRuns, 429),
    (RequestLimitReached, 429),
    (sockets.TooManySockets, 429),
    (sockets.TooManyMessages, 429),
    (f.TooManyUploads, 429),
    (e.ProviderNotConfigured, 503),
    (e.ProviderSuspended, 503),
    (e.ProviderError, 502),
    (e.AnswerFailed, 502),
    (e.ShuttingDown, 503),
    (a.AccessBusy, 503),
    (e.StoreUnavailable, 503),
    (ImportFailed, 400),
    (e.ProsaError, 500),
)
"""The first row that fits counts."""

RETRY_AFTER = 2
"""Seconds, for failures that pass by themselves."""

_PASSING = e.ShuttingDown | e.StoreUnavailable | a.AccessBusy | moderation.ModerationUnavailable

Headers = list[tuple[bytes, bytes]]


class Refusal(Struct, frozen=True):
    """A whole answer that tells of an error."""

    status: int
    headers: Headers
    body: bytes


def refusal(error: e.ProsaError, language: str) -> Refusal:
    """As the native API tells it."""
    return Refusal(status_of(type(error)), headers_of(error), body_of(error, language))


def status_of(kind: type[e.ProsaError]) -> int:
    return next(status for known, status in _STATUSES if issubclass(kind, known))


def body_of(error: e.ProsaError, language: str) -> bytes:
    """`{"success": false, "code", "message"}` and the details that a caller may read."""
    body: dict[str, Any] = {"success": False, "code": error.code, "message": error.sentence(language)}
    body |= {name: error.details[name] for name in error.shown if name in error.details}
    return msgspec.json.encode(body)


def headers_of(error: e.ProsaError) -> Headers:
    headers: Headers = [(b"content-type", b"application/json")]
    if isinstance(error, _PASSING):
        headers.append((b"retry-after", b"%d" % RETRY_AFTER))
    if isinstance(error, e.QueueFull | e.ProviderSuspended | RequestLimitReached):
        headers.append((b"retry-after", b"%d" % error.details["retryAfter"]))
    if isinstance(error, e.LimitReached | TooManyRuns | sockets.TooManySockets):
        headers.append((b"retry-after", b"%d" % until(error)))
    if isinstance(error, e.NotAuthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    return headers


def until(error: e.ProsaError) -> int:
    """Whole seconds until a limit leaves more, at least one."""
    resets = from_iso(error.details.get("resetsAt", ""))
    return 1 if resets is None else max(1, -((now() - resets) // SECOND))


def language_of(accept: str | None, default: str) -> str:
    """The first of "en" and "pt" that an `Accept-Language` header asks for, by its weights."""
    best, weight = default, 0.0
    for part in (accept or "").split(",")[:20]:
        tag, _, quality = part.replace(" ", "").partition(";q=")
        try:
            wanted = float(quality) if quality else 1.0
        except ValueError:
            continue
        language = tag.partition("-")[0].lower()
        if language in ("en", "pt") and wanted > weight:
            best, weight = language, wanted
    return best
