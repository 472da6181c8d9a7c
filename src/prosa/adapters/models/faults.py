"""Turns what a provider complains of into the error that fits, with nothing secret in it."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isfinite

from msgspec import Struct

from prosa.domain.errors import (
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
from prosa.kit.text import well_formed

LONGEST_DETAIL = 300
LONGEST_WAIT = 86_400.0
OVERLOADED = 529
"""Anthropic's own status; no standard has it. Nor has any the next three: Groq's, and two of Cloudflare's."""
AT_CAPACITY = 498
SLOW_TO_CONNECT = 522
SLOW_TO_ANSWER = 524

Kind = type[ProviderError]

BY_STATUS: Mapping[int, Kind] = {
    HTTPStatus.BAD_REQUEST: ProviderRefused,
    HTTPStatus.UNAUTHORIZED: ProviderKeyRefused,
    HTTPStatus.PAYMENT_REQUIRED: QuotaExhausted,
    HTTPStatus.FORBIDDEN: ProviderKeyRefused,
    HTTPStatus.REQUEST_TIMEOUT: ProviderTimeout,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ContextTooLong,
    HTTPStatus.UNPROCESSABLE_ENTITY: ProviderRefused,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimited,
    HTTPStatus.SERVICE_UNAVAILABLE: ProviderOverloaded,
    HTTPStatus.GATEWAY_TIMEOUT: ProviderTimeout,
    OVERLOADED: ProviderOverloaded,
    AT_CAPACITY: ProviderOverloaded,
    SLOW_TO_CONNECT: ProviderTimeout,
    SLOW_TO_ANSWER: ProviderTimeout,
}

USERINFO = re.compile(r"(?<=://)[^\s/@]{1,200}@")
QUERY = re.compile(r"(?<=\?)[^\s\"'<>]*=[^\s\"'<>]*")
KEY = re.compile(r"\b(?:sk|xai|gsk|hf|fw|pk|rk)[-_][\w*-]{6,}|\bAIza[\w*-]{6,}|(?<=[Bb]earer )\S+")
DURATION = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d+)?)s)?(?:(\d{1,9}(?:\.\d+)?)ms)?")
TRY_AGAIN = re.compile(
    r"(?:try again|retry) (?:in|after) ([\d.hms]{1,40})(?: (second|minute|hour|day)s?\b)?", re.IGNORECASE
)
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Reply(Struct, frozen=True):
    """An HTTP response that is no answer: `body` is the first part of it, `retry_after` in seconds."""

    status: int
    body: bytes = b""
    retry_after: float | None = None
    headers: Mapping[str, str] = {}


class Complaint(Struct, frozen=True):
    """What a provider says is wrong. `names` are its codes and types, the more telling first."""

    message: str = ""
    names: tuple[str, ...] = ()
    status: int | None = None
    retry_after: float | None = None


class Rules(Struct, frozen=True):
    """How one provider's complaints are told apart: by a name, or by a phrase in what it refused."""

    provider: str
    names: Mapping[str, Kind]
    phrases: Mapping[str, Kind]

    def judge(self, complaint: Complaint, model: str = "") -> ProviderError:
        """By name and status first, by the text last, and only for a request that was refused. One that is
        too large for a limit (Groq's 413) is so however long one waits."""
        names = () if complaint.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else complaint.names
        kind = self._named(names) or BY_STATUS.get(complaint.status or 0, ProviderError)
        unclear = complaint.status in {None, HTTPStatus.NOT_FOUND}
        if kind is ProviderRefused or (kind is ProviderError and unclear):
            kind = self._phrased(complaint.message) or kind
        return self._made(kind, complaint, model)

    def _named(self, names: Iterable[str]) -> Kind | None:
        return next((self.names[name] for name in names if name in self.names), None)

    def _phrased(self, message: str) -> Kind | None:
        said = message.lower()
        return next((kind for phrase, kind in self.phrases.items() if phrase in said), None)

    def _made(self, kind: Kind, complaint: Complaint, model: str) -> ProviderError:
        if kind is RateLimited:
            return RateLimited(self.provider, complaint.retry_after)
        if kind is ProviderRefused:
            return ProviderRefused(self.provider, detail=complaint.message or "no reason was given")
        if kind is NoSuchModel:
            return NoSuchModel(self.provider, model=model)
        wait = {} if complaint.retry_after is None else {"retry_after": complaint.retry_after}
        return kind(self.provider, status=complaint.status, **wait)


def texts(*values: object) -> tuple[str, ...]:
    """Those of `values` that are text: the codes and types of a complaint, of which any may be missing."""
    return tuple(value for value in values if isinstance(value, str) and value)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds until a limit lets the request through: what is told outright, else the time in which the limit
    that is used up is reset, as OpenAI and Groq tell it."""
    wait = told_outright(headers, now)
    if wait is None and (wait := reset_after(headers)) is not None:
        wait = min(wait, LONGEST_WAIT)
    return wait


def told_outright(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait: `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110, 10.2.3). Of an
    error that is no limit's this is all that counts: limits are told with every response."""
    told = headers.get("retry-after", "")
    wait = number(headers.get("retry-after-ms", ""))
    if wait is not None:
        wait /= 1000
    elif (wait := number(told)) is None and (until := date(told)) is not None:
        wait = (until - (now or datetime.now(UTC))).total_seconds()
    return None if wait is None else min(max(wait, 0.0), LONGEST_WAIT)


def reset_after(headers: Mapping[str, str]) -> float | None:
    """The longest reset among the limits of which nothing remains, or among all where each has a rest."""
    waits = {
        what: wait
        for what in ("requests", "tokens")
        if (wait := duration(headers.get(f"x-ratelimit-reset-{what}", ""))) is not None
    }
    used_up = [wait for what, wait in waits.items() if headers.get(f"x-ratelimit-remaining-{what}") == "0"]
    return max(used_up or waits.values(), default=None)


def wait_told(message: str) -> float | None:
    """Seconds to wait as a sentence tells them: "Please try again in 1m2.5s", "retry after 6 seconds"."""
    found = TRY_AGAIN.search(message)
    wait = duration(found[1].rstrip(".")) if found else None
    if found is None or wait is None:
        return None
    return min(wait * UNITS.get((found[2] or "").lower(), 1), LONGEST_WAIT)


def duration(told: str) -> float | None:
    """The seconds of "6m0s", "1.5s", "20ms", "1h2m", or of a bare number."""
    found = DURATION.fullmatch(told)
    if found is None or not told:
        return number(told)
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def number(told: str) -> float | None:
    try:
        value = float(told)
    except ValueError:
        return None
    return value if isfinite(value) else None


def date(told: str) -> datetime | None:
    try:
        value = parsedate_to_datetime(told)
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def scrubbed(error: ProviderError, secrets: Iterable[str]) -> ProviderError:
    """`error` with each text in its details cut short and freed of keys, and of what URLs may carry."""
    for name, value in error.details.items():
        if isinstance(value, str):
            error.details[name] = clean(value, secrets)
    error.args = (error.sentence("en"),)
    return error


def clean(text: str, secrets: Iterable[str]) -> str:
    text = well_formed(text)
    for secret in secrets:
        text = text.replace(secret, "…")
    text = text[: 4 * LONGEST_DETAIL]
    text = KEY.sub("…", QUERY.sub("…", USERINFO.sub("…@", text)))
    return text if len(text) <= LONGEST_DETAIL else text[:LONGEST_DETAIL] + "…"
