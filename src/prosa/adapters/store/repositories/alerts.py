"""Alerts: put down once, whichever node sees why, and taken on by one node at a time."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Integer, and_, bindparam, delete, literal, or_, select, update
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Ids, Json, Plan, Row, Statement, among
from prosa.adapters.store.tables import alerts, spending
from prosa.domain.alerts import Alert, Kind, Spent, Subject
from prosa.domain.calendar import Calendar
from prosa.domain.ids import first_id
from prosa.domain.time import DAY, Instant

_a = alerts.c
_FIELDS = Alert.__struct_fields__
_COLUMNS = tuple(_a[name] for name in _FIELDS)

_PUT = Statement(
    postgresql.insert(alerts)
    .values({name: bindparam(name) for name in _FIELDS})
    .on_conflict_do_nothing(index_elements=["kind", "subject", "period", "level"])
    .returning(_a.id)
)
_RECENT = Statement(
    select(_a.id)
    .where(_a.kind == bindparam("kind"), _a.subject == bindparam("subject"), _a.at > bindparam("since"))
    .limit(literal(1, Integer))
)
_WAITING = Statement(select(_a.id).where(_a.next_at <= bindparam("now")).limit(literal(1, Integer)))
_due = (
    select(_a.id)
    .where(_a.next_at <= bindparam("now"))
    .order_by(_a.next_at)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True)
)
_TAKE = Statement(
    update(alerts)
    .where(_a.id.in_(_due.scalar_subquery()))
    .values(next_at=bindparam("until"), attempts=_a.attempts + literal(1, Integer))
    .returning(*_COLUMNS)
)
_SETTLE = Statement(
    update(alerts)
    .where(_a.id == bindparam("key"))
    .values({name: bindparam(f"new_{name}") for name in ("owed", "next_at", "delivered_at")})
)
KEPT = 400 * DAY
"""How long they are listed: a year can be compared with the one before."""
_FORGET = Statement(delete(alerts).where(_a.id < bindparam("first_id", type_=_a.id.type)))
_newest = select(*_COLUMNS).order_by(_a.id.desc()).limit(bindparam("limit", type_=Integer))
_FIRST_PAGE = Statement(_newest)
_NEXT_PAGE = Statement(_newest.where(_a.id < bindparam("before")))

_s = spending.c
_SPENT = Statement(
    select(_s.subject, _s.since, _s.until, _s.tokens, _s.cost).where(
        _s.scope == bindparam("scope"),
        among(_s.subject, "ids"),
        or_(
            and_(_s.since == bindparam("day_since"), _s.until == bindparam("day_until")),
            and_(_s.since == bindparam("month_since"), _s.until == bindparam("month_until")),
        ),
    )
)

_details = msgspec.json.Decoder(dict[str, str])


def _put(found: Sequence[Alert], since: Instant | None) -> Plan[list[Alert]]:
    put = []
    for alert in found:
        if since is not None:
            recent = yield Ask(_RECENT, kind=str(alert.kind), subject=alert.subject, since=since)
            if recent:
                continue
        if (yield Ask(_PUT, **_params(alert))):
            put.append(alert)
    if put:
        yield Ask(_FORGET, first_id=first_id(put[0].at - KEPT))
    return put


def _waiting(now: Instant) -> Plan[bool]:
    return bool((yield Ask(_WAITING, now=now)))


def _take(now: Instant, until: Instant, limit: int) -> Plan[list[Alert]]:
    rows = yield Ask(_TAKE, now=now, until=until, limit=limit)
    return sorted((_to_alert(row) for row in rows), key=lambda alert: alert.id)


def _settle(alert: Alert) -> Plan[None]:
    new = {f"new_{name}": getattr(alert, name) for name in ("next_at", "delivered_at")}
    yield Ask(_SETTLE, key=alert.id, new_owed=" ".join(alert.owed), **new)


def _spent(subjects: Sequence[Subject], calendar: Calendar, now: Instant) -> Plan[dict[Subject, Spent]]:
    day, month = calendar.day_of(now), calendar.month_of(now)
    spans = {"day_since": day.since, "day_until": day.until}
    spans |= {"month_since": month.since, "month_until": month.until}
    found: dict[Subject, Spent] = {}
    for scope in dict.fromkeys(scope for scope, _ in subjects):
        names = [name for each, name in subjects if each is scope]
        for name, *span, tokens, cost in (yield Ask(_SPENT, scope=scope.value, ids=Ids(names), **spans)):
            known = found.get((scope, name), Spent())
            of_day = span == [day.since, day.until]
            found[scope, name] = replace(known, tokens=tokens) if of_day else replace(known, cost=cost)
    return found


def _page(limit: int, before: str | None) -> Plan[list[Alert]]:
    asked = Ask(_FIRST_PAGE, limit=limit) if before is None else Ask(_NEXT_PAGE, limit=limit, before=before)
    return [_to_alert(row) for row in (yield asked)]


def _params(alert: Alert) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(alert),
        "kind": str(alert.kind),
        "owed": " ".join(alert.owed),
        "details": Json(msgspec.json.encode(alert.details).decode()),
    }


def _to_alert(row: Row) -> Alert:
    """From the columns `_COLUMNS`."""
    values = dict(zip(_FIELDS, row, strict=True))
    values["kind"] = Kind(values["kind"])
    values["owed"] = tuple(values["owed"].split())
    values["details"] = _details.decode(values["details"])
    return Alert(**values)


class Alerts:
    """Serves `ports.alerts.Alerts`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, alerts: Sequence[Alert], since: Instant | None = None) -> list[Alert]:
        return await self._session.write(_put, alerts, since)

    async def due(self, now: Instant, until: Instant, limit: int) -> list[Alert]:
        if not await self._session.read(_waiting, now):  # mostly there is nothing to write
            return []
        return await self._session.write(_take, now, until, limit)

    async def settle(self, alert: Alert) -> None:
        await self._session.write(_settle, alert)

    async def spent(
        self, subjects: Sequence[Subject], calendar: Calendar, now: Instant
    ) -> dict[Subject, Spent]:
        return await self._session.read(_spent, subjects, calendar, now)

    async def page(self, limit: int, before: str | None) -> list[Alert]:
        return await self._session.read(_page, limit, before)
