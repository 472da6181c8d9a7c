"""Fields of JSON objects that somebody else wrote: taken where they are what they should be."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from prosa.domain.imports import Malformed, TooMuch
from prosa.domain.time import SECOND, Instant

MOST_METADATA = 16_384
DEEPEST_METADATA = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799
"""The last second that has a date."""


def obj(value: Any) -> dict[str, Any]:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def maybe(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def strict(raw: dict[str, Any], name: str) -> str | None:
    """A text or null. Raises Malformed."""
    value = raw.get(name)
    if value is not None and not isinstance(value, str):
        raise Malformed(name)
    return value


def seconds(value: Any) -> Instant | None:
    """Seconds since 1970, whole or not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return Instant(round(value * SECOND)) if 0 <= value <= _LAST else None


def iso(value: Any) -> Instant | None:
    """An ISO 8601 date; without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return Instant((found - _EPOCH) // timedelta(microseconds=1))
    except (ValueError, OverflowError):
        return None


def metadata(value: Any) -> dict[str, Any]:
    """An object that may be kept as metadata. Raises Malformed, TooMuch."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed("metadata")
    level: list[Any] = [value]
    for _ in range(DEEPEST_METADATA):
        level = [below for each in level for below in _inside(each)]
    if level or len(msgspec.json.encode(value)) > MOST_METADATA:
        raise TooMuch("metadata")
    return value


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
