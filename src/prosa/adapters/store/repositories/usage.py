"""Sums of the ledger, and its entries one by one."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, or_, select

from prosa.adapters.store.repositories.limits import remaining
from prosa.adapters.store.repositories.sums import EACH, Days, summing, to_sum
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Row, Statement, owned
from prosa.adapters.store.tables import ai_usage, conversations, messages
from prosa.domain.calendar import Calendar
from prosa.domain.conversations import MessageKind
from prosa.domain.ending import Entry
from prosa.domain.limits import Limits, Remaining
from prosa.domain.models import Role, Usage
from prosa.domain.time import DAY, SECOND, Instant
from prosa.domain.usage import Day, Place, Share, merged

_u, _c, _m = ai_usage.c, conversations.c, messages.c

FIRST = "00000000-0000-0000-0000-000000000000"
DAYS = Days(_u.created_at).label("day")
SUMS = tuple(summing(each) for each in EACH.values())
"""The columns that `to_sum` takes."""

IN_TIME = and_(_u.created_at >= bindparam("since"), _u.created_at < bindparam("until"))
ENTRY = tuple(_u[name] for name in Entry.__struct_fields__ if name != "usage")
COUNTED = tuple(_u[name] for name in Usage.__struct_fields__)

_SUMS = Statement(
    select(DAYS, _u.provider, _u.model, *SUMS)
    .where(IN_TIME, owned(ai_usage))
    .group_by("day", _u.provider, _u.model)
)
NEXT = and_(IN_TIME, or_(_u.created_at > bindparam("since"), _u.id > bindparam("last_id")))
"""Past the place that `from_place` tells."""
_ENTRIES = Statement(
    select(*ENTRY, *COUNTED)
    .where(NEXT, owned(ai_usage))
    .order_by(_u.created_at, _u.id)
    .limit(bindparam("limit", type_=Integer))
)
_MESSAGES = Statement(
    select(func.count())
    .select_from(conversations.join(messages, _m.conversation_id == _c.id))
    .where(
        _c.updated_at >= bindparam("since"),
        _m.created_at >= bindparam("since"),
        _m.created_at < bindparam("until"),
        _m.kind == MessageKind.MESSAGE.value,
        or_(_m.role == Role.USER.value, _m.role == Role.ASSISTANT.value),
        owned(conversations),
        owned(messages),
    )
)


def _sums(since: Instant, until: Instant, calendar: Calendar) -> Plan[tuple[tuple[Share, ...], int]]:
    shares: list[Share] = []
    for span in calendar.spans(since, until):
        rows = yield Ask(_SUMS, since=span.since, until=span.until, offset=span.offset)
        shares += [to_share(row) for row in rows]
    rows = yield Ask(_MESSAGES, since=since, until=until)
    return merged(shares), rows[0][0]


def _entries(since: Instant, until: Instant, after: Place | None, limit: int) -> Plan[list[Entry]]:
    rows = yield Ask(_ENTRIES, until=until, limit=limit, **from_place(since, after))
    return [to_entry(row) for row in rows]


def from_place(since: Instant, after: Place | None) -> dict[str, Any]:
    return dict(zip(("since", "last_id"), after or (since, FIRST), strict=True))


def to_share(row: Row) -> Share:
    """From a day, a provider, a model, and what `to_sum` takes."""
    day, provider, model, *sums = row
    return Share(to_day(day), provider, model, to_sum(sums))


def to_day(number: int) -> Day:
    return Day(datetime.fromtimestamp(number * (DAY // SECOND), UTC).date().isoformat())


def to_entry(row: Row) -> Entry:
    """From the columns `ENTRY` and `COUNTED`."""
    names = [column.key for column in ENTRY]
    fields = dict(zip(names, row[: len(names)], strict=True))
    fields["estimated"] = bool(fields["estimated"])
    return Entry(**fields, usage=Usage(*row[len(names) :]))


class Usages:
    """Serves `ports.usage.Usages`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def sums(self, since: Instant, until: Instant, calendar: Calendar) -> tuple[tuple[Share, ...], int]:
        return await self._session.read(_sums, since, until, calendar)

    async def entries(self, since: Instant, until: Instant, after: Place | None, limit: int) -> list[Entry]:
        return await self._session.read(_entries, since, until, after, limit)

    async def remaining(self, limits: Limits, now: Instant) -> Remaining:
        return await self._session.write(remaining, limits, now)
