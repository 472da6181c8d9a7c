"""Sums of the ledger, and its entries one by one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, and_, bindparam, case, cast, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement

from prosa.adapters.store.repositories.limits import remaining
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Row, Statement, owned
from prosa.adapters.store.tables import ai_usage, conversations, messages
from prosa.domain.calendar import Calendar
from prosa.domain.conversations import MessageKind
from prosa.domain.ending import Entry
from prosa.domain.limits import Limits, Remaining
from prosa.domain.models import Role, Usage
from prosa.domain.money import Picodollars
from prosa.domain.time import DAY, Instant
from prosa.domain.usage import Day, Place, Share, Sum, merged

_u, _c, _m = ai_usage.c, conversations.c, messages.c

FIRST = "00000000-0000-0000-0000-000000000000"
MILLION = 10**6
"""Costs are summed in two parts: a sum of picodollars may be more than 64 bits hold."""


class _Days(ColumnElement[int]):
    """How many whole days `column` is after 1970, on clocks that are the microseconds bound as `offset` ahead
    of UTC."""

    inherit_cache = False
    type = BigInteger()

    def __init__(self, column: ColumnElement[int]) -> None:
        self.column = column
        self.offset = bindparam("offset", type_=BigInteger())


@compiles(_Days)
def _days_in_sqlite(element: _Days, compiler: Any, **kw: Any) -> str:
    column, offset = compiler.process(element.column, **kw), compiler.process(element.offset, **kw)
    return f"(({column} + {offset}) / {DAY})"


@compiles(_Days, "postgresql")
def _days_in_postgres(element: _Days, compiler: Any, **kw: Any) -> str:
    column, offset = compiler.process(element.column, **kw), compiler.process(element.offset, **kw)
    return f"CAST(floor((extract(epoch FROM {column}) * 1000000 + {offset}) / {DAY}) AS BIGINT)"


def _sum(column: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


DAYS = _Days(_u.created_at).label("day")
SUMS = (
    func.count(),
    *(_sum(_u[name]) for name in Usage.__struct_fields__),
    _sum(_u.cost // MILLION),
    _sum(_u.cost % MILLION),
    _sum(case((_u.estimated, 1), else_=0)),
    func.count() - func.count(_u.cost),
)
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
    return Day(datetime.fromtimestamp(number * (DAY // MILLION), UTC).date().isoformat())


def to_sum(row: Sequence[int]) -> Sum:
    """From the columns `SUMS`."""
    requests, *counted, millions, rest, estimated, unpriced = row
    return Sum(requests, Usage(*counted), Picodollars(millions * MILLION + rest), estimated, unpriced)


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
