"""Moments and dates in a query."""

from datetime import date
from typing import Annotated

from msgspec import Meta

from prosa.domain.calendar import Calendar
from prosa.domain.errors import InvalidRequest
from prosa.domain.time import DAY, Instant, from_iso

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?([Zz]|[+-][0-9]{2}:[0-9]{2})?"

Moment = Annotated[str, Meta(max_length=40, pattern=f"^{_DATE}({_TIME})?$")]


def since(text: str | None, name: str = "from") -> Instant | None:
    """The moment that the field `name` gives; of a date alone, its first. Raises InvalidRequest."""
    return None if text is None else _moment(text, name)


def until(text: str | None, name: str = "to") -> Instant | None:
    """The moment that the field `name` gives; of a date alone, the first of the next day. Raises
    InvalidRequest."""
    if text is None:
        return None
    found = _moment(text, name)
    return found if "T" in text.upper() else Instant(found + DAY)


def day_or_moment(text: str, name: str, calendar: Calendar, *, last: bool = False) -> Instant:
    """The moment that the field `name` says; of a date alone, its beginning by `calendar`, or the next day's
    where it is the `last` one that is meant. Raises InvalidRequest."""
    if "T" in text.upper():
        return _moment(text, name)
    try:
        day = date.fromisoformat(text)
        begins = calendar.moment(day.year, day.month, day.day)
        return calendar.start_of_day(begins, ahead=1) if last else begins
    except (ValueError, OverflowError):
        return _moment(text, name)


def span(since: str | None, until: str | None, calendar: Calendar) -> tuple[Instant | None, Instant | None]:
    """The moments that `since` and `until` name, days by `calendar`. Raises InvalidRequest."""
    begins = None if since is None else day_or_moment(since, "since", calendar)
    ends = None if until is None else day_or_moment(until, "until", calendar, last=True)
    return begins, ends


def _moment(text: str, name: str) -> Instant:
    found = from_iso(text)
    if found is None:
        raise InvalidRequest(
            f"{name} must be a date, as in 2026-11-21, or a moment, as in 2026-11-21T09:30:00Z."
        )
    return found
