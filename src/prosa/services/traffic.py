"""What operators see of the runs of all users."""

from collections.abc import Sequence

from prosa.domain.calendar import Calendar, Period
from prosa.domain.errors import InvalidRequest
from prosa.domain.ids import parse_id
from prosa.domain.principal import Principal
from prosa.domain.runs import END_STATES
from prosa.domain.time import DAY, Instant, now
from prosa.domain.traffic import (
    MOST_BUCKETS,
    Bucket,
    Failures,
    Seen,
    SeenRun,
    Stride,
    Wanted,
)
from prosa.kit.pages import from_cursor, to_cursor
from prosa.ports.store import Store
from prosa.services.usage.reports import within

MOST_FAILURES = 500


class Traffic:
    """Each look leaves a row in the audit log; that the caller is an operator, the door has checked."""

    def __init__(self, store: Store, calendar: Calendar) -> None:
        self.calendar = calendar
        self._store = store

    async def flow(
        self, by: Principal, since: Instant | None, until: Instant | None, stride: Stride
    ) -> list[Bucket]:
        """One bucket for each step, also where nothing happened. Raises InvalidRequest where they are more
        than `MOST_BUCKETS`, or the period is none."""
        period = _period(since, until)
        if period.until - period.since > MOST_BUCKETS * stride:
            raise InvalidRequest(
                f"these are more than {MOST_BUCKETS} steps. Ask for a shorter time or a longer step."
            )
        return [*await self._store.operator(by).traffic.flow(stride.steps(period, self.calendar))]

    async def failures(
        self, by: Principal, since: Instant | None, until: Instant | None
    ) -> Sequence[Failures]:
        """The most frequent first. Raises InvalidRequest (the period)."""
        return await self._store.operator(by).traffic.failures(_period(since, until), MOST_FAILURES)

    async def runs(
        self, by: Principal, wanted: Wanted, limit: int, cursor: str | None
    ) -> tuple[list[SeenRun], str | None]:
        """Newest first, and where the next page begins. Raises InvalidRequest (the cursor)."""
        found = [*await self._store.operator(by).traffic.runs(wanted, limit + 1, _place(cursor))]
        return found[:limit], to_cursor(found[limit - 1].id) if len(found) > limit else None

    async def run(self, by: Principal, run_id: str) -> Seen:
        """Raises RunNotFound."""
        return await self._store.operator(by).traffic.run(run_id)


def ended(bucket: Bucket) -> int:
    """How many of the bucket's runs have ended."""
    return sum(count for status, count in bucket.runs.items() if status in END_STATES)


def _period(since: Instant | None, until: Instant | None) -> Period:
    """The last day, or the day before `until`, where nothing else is said."""
    end = now() if until is None else until
    begin = Instant(end - DAY) if since is None else since
    if begin >= end:
        raise InvalidRequest("since must be before until.")
    return Period(within(begin, now()), within(end, now()))


def _place(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    match from_cursor(cursor):
        case [str(text)] if (run_id := parse_id(text)) is not None:
            return run_id
    raise InvalidRequest("the cursor is none that a list gave.")
