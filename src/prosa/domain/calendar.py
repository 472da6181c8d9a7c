"""Days and months in the time zone that an operator counts in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from msgspec import Struct

from prosa.domain.time import SECOND, Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Span(Struct, frozen=True):
    """From `since` until before `until` the clocks are `offset` microseconds ahead of UTC."""

    since: Instant
    until: Instant
    offset: int


class Period(Struct, frozen=True):
    """From `since` on, until before `until`."""

    since: Instant
    until: Instant


class Calendar(Struct, frozen=True):
    """That of one time zone, by its name in the IANA database: "America/Sao_Paulo"."""

    zone: str = "UTC"

    def start_of_day(self, instant: Instant, ahead: int = 0) -> Instant:
        """The first moment of the day of `instant`, or of the day `ahead` days later."""
        moment = self._local(instant) + timedelta(days=ahead)
        return self._first(moment.year, moment.month, moment.day)

    def start_of_month(self, instant: Instant, ahead: int = 0) -> Instant:
        """The first moment of the month of `instant`, or of the month `ahead` months later."""
        moment = self._local(instant)
        months = moment.year * 12 + moment.month - 1 + ahead
        return self._first(months // 12, months % 12 + 1, 1)

    def start_of(self, length: int, instant: Instant) -> Instant:
        """The first moment of the hour, or minute, of so many microseconds that `instant` is in."""
        return Instant(instant - (instant + self._offset(instant)) % length)

    def day(self, instant: Instant) -> str:
        """`2026-11-29`."""
        return self._local(instant).date().isoformat()

    def moment(self, year: int, month: int, day: int) -> Instant:
        """The first moment of that day. Raises ValueError where there is no such day."""
        return self._first(year, month, day)

    def day_of(self, instant: Instant) -> Period:
        """The day of `instant`: 23 or 25 hours where its clocks are changed."""
        return self._known("day", instant, self.start_of_day)

    def month_of(self, instant: Instant) -> Period:
        return self._known("month", instant, self.start_of_month)

    def _known(self, kind: str, instant: Instant, start: Callable[[Instant, int], Instant]) -> Period:
        period = _latest.get((kind, self.zone))
        if period is None or not period.since <= instant < period.until:
            period = _latest[kind, self.zone] = Period(start(instant, 0), start(instant, 1))
        return period

    def spans(self, since: Instant, until: Instant) -> list[Span]:
        """The time from `since` until before `until`, cut where the clocks are changed."""
        spans = []
        while since < until:
            change = self._change(since, until)
            spans.append(Span(since, change, self._offset(since)))
            since = change
        return spans

    def _change(self, since: Instant, until: Instant) -> Instant:
        """When the clocks are changed next, or `until`; two changes are never within a day."""
        offset, low = self._offset(since), since
        while low < until:
            high = Instant(min(low + 86_400 * SECOND, until))
            if self._offset(high) == offset:
                low = high
                continue
            while high - low > 1:
                middle = Instant((low + high) // 2)
                low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
            return high
        return until

    def _offset(self, instant: Instant) -> int:
        offset = self._local(instant).utcoffset() or timedelta()
        return offset // _MICROSECOND

    def _local(self, instant: Instant) -> datetime:
        return (_EPOCH + instant * _MICROSECOND).astimezone(_zone(self.zone))

    def _first(self, year: int, month: int, day: int) -> Instant:
        return Instant((datetime(year, month, day, tzinfo=_zone(self.zone)) - _EPOCH) // _MICROSECOND)


_latest: dict[tuple[str, str], Period] = {}
"""The latest day and month that were asked for: reckoning is dear, and nearly all ask for today."""


@lru_cache
def _zone(name: str) -> tzinfo:
    """Raises ValueError where nobody knows it."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name} is no time zone that this machine knows; it is written as in America/Sao_Paulo"
        ) from None


def check(zone: str) -> str:
    """`zone`, if it is one. Raises ValueError."""
    _zone(zone)
    return zone
