"""Instants: whole microseconds since 1970 in UTC, and their ISO 8601 form."""

import time
from datetime import UTC, datetime, timedelta
from typing import NewType

Instant = NewType("Instant", int)

SECOND = 1_000_000
DAY = 86_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> Instant:
    return Instant(time.time_ns() // 1_000)


def to_iso(instant: Instant) -> str:
    """`2026-11-21T09:30:00.123456Z`."""
    seconds, micros = divmod(instant, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micros:06d}Z"


def from_iso(text: str) -> Instant | None:
    """The moment that a date and time of ISO 8601 names, in UTC where it has no offset; of a date alone, its
    beginning. None for what is none."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return Instant((moment - _EPOCH) // timedelta(microseconds=1))
    except (ValueError, OverflowError):
        return None
