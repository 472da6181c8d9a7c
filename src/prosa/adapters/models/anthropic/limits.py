"""When Anthropic's rate limits are full again, by the headers of a response."""

from collections.abc import Mapping
from datetime import UTC, datetime

from prosa.adapters.models.faults import LONGEST_WAIT, date

LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")
PREFIX = "anthropic-ratelimit-"


def until_reset(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds until every limit that is used up is full again, by the provider's own clock where it tells it.

    Where none is used up, that a request was too large for what remained: then until all are full. None where
    no header tells, or all of them tell of the past.
    """
    now = date(headers.get("date", "")) or now or datetime.now(UTC)
    resets = {name: reset for name in LIMITS if (reset := moment(headers.get(f"{PREFIX}{name}-reset")))}
    spent = [reset for name, reset in resets.items() if headers.get(f"{PREFIX}{name}-remaining") == "0"]
    last = max(spent or resets.values(), default=now)
    wait = (last - now).total_seconds()
    return min(wait, LONGEST_WAIT) if wait > 0 else None


def moment(told: str | None) -> datetime | None:
    """A date in RFC 3339."""
    try:
        value = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    return value if value.tzinfo else None
