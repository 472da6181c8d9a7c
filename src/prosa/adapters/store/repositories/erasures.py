"""Erasures that go on, their receipts, and what they do to the ledger."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    literal,
    null,
    or_,
    select,
    union,
    update,
)

from prosa.adapters.store.repositories.audit import note
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Json, Plan, Row, Statement, Tell, begins
from prosa.adapters.store.tables import (
    ai_usage,
    alerts,
    answer_cache,
    api_keys,
    conversations,
    erasures,
    files,
    prompt_templates,
    reservations,
    runs,
)
from prosa.domain.audit import Deed
from prosa.domain.erasure import Erasure, Scope
from prosa.domain.time import Instant
from prosa.ports.erasure import SIZE

_e, _u = erasures.c, ai_usage.c
_COLUMNS = (_e.id, _e.scope, _e.subject, _e.hash, _e.counts, _e.begun_at, _e.erased_at)
_this = _e.id == bindparam("erasure_id")

_OPEN = Statement(select(*_COLUMNS).where(_e.scope == bindparam("scope"), _e.subject == bindparam("subject")))
_ADD = Statement(insert(erasures).values({column.name: bindparam(column.name) for column in _e}))
_nobodys = or_(
    _e.lease_until < bindparam("now"),
    and_(bindparam("alone", type_=Boolean), _e.holder != bindparam("new_holder")),
)
_due = select(_e.id).where(_e.subject.is_not(None), _nobodys).order_by(_e.id).limit(1)
_CLAIM = Statement(
    update(erasures)
    .where(_e.id.in_(_due), _nobodys)
    .values(holder=bindparam("new_holder"), lease_until=bindparam("until"))
    .returning(*_COLUMNS)
)
_RENEW = Statement(
    update(erasures)
    .where(_this, _e.holder == bindparam("old_holder"), _e.subject.is_not(None))
    .values(lease_until=bindparam("until"))
    .returning(_e.id)
)
_DONE = Statement(
    update(erasures).where(_this, _e.subject.is_not(None)).values(subject=null(), erased_at=bindparam("now"))
)
_COUNTED = Statement(
    update(erasures).where(_this).values(counts=bindparam("new_counts", type_=_e.counts.type))
)
_ONE = Statement(select(*_COLUMNS).where(_this))
_DROP_ALERTS = Statement(delete(alerts).where(alerts.c.subject == bindparam("about")))
"""Of limits that came near: they name whose."""
_page = select(*_COLUMNS).order_by(_e.id.desc()).limit(bindparam("most"))
_FIRST = Statement(_page)
_BEFORE = Statement(_page.where(_e.id < bindparam("before")))


def _owners_of(table: Table) -> Any:
    return select(table.c.user_id.label("user_id")).where(
        table.c.client_id == bindparam("client_id"), table.c.user_id > bindparam("after")
    )


def _guests_of(table: Table) -> Any:
    return select(table.c.user_id.label("user_id")).where(
        begins(table.c.user_id, "space"), table.c.user_id > bindparam("after")
    )


_OF_GUESTS = (conversations, files, prompt_templates, ai_usage, reservations, answer_cache)
_some = union(*map(_owners_of, (*_OF_GUESTS, runs, api_keys))).subquery()
_OWNERS = Statement(select(_some.c.user_id).order_by(_some.c.user_id).limit(SIZE))
_guests = union(*map(_guests_of, _OF_GUESTS)).subquery()
_GUESTS = Statement(select(_guests.c.user_id).order_by(_guests.c.user_id).limit(SIZE))


@cache
def _going_on(*, client: bool) -> Statement:
    found = select(runs.c.id).where(runs.c.user_id == bindparam("whose"), runs.c.ended_at.is_(None))
    return Statement(found.where(runs.c.client_id == bindparam("of_client")) if client else found)


@cache
def _holding(*, client: bool) -> Statement:
    found = exists().where(reservations.c.user_id == bindparam("whose"))
    return Statement(
        select(found.where(reservations.c.client_id == bindparam("of_client")) if client else found)
    )


@cache
def _dropping_keys(*, client: bool) -> Statement:
    gone = delete(api_keys).where(api_keys.c.user_id == bindparam("whose")).returning(api_keys.c.id)
    return Statement(gone.where(api_keys.c.client_id == bindparam("of_client")) if client else gone)


@cache
def _forgetting(*, client: bool) -> Statement:
    some = select(_u.id).where(_u.user_id == bindparam("whose")).limit(SIZE)
    values: dict[str, Any] = {"user_id": bindparam("pseudonym")}
    if client:
        some = some.where(_u.client_id == bindparam("of_client"))
        values["client_id"] = bindparam("pseudonym")
    return Statement(update(ai_usage).where(_u.id.in_(some)).values(values).returning(literal(1)))


def _begin(erasure: Erasure, holder: str, until: Instant, noted: Deed) -> Plan[Erasure]:
    rows = yield Ask(_OPEN, scope=str(erasure.scope), subject=erasure.subject)
    if rows:
        return _to_erasure(rows[0])
    fields = msgspec.structs.asdict(erasure) | {"scope": str(erasure.scope)}
    counts = Json(msgspec.json.encode(erasure.counts).decode())
    yield Ask(_ADD, **fields | {"counts": counts, "holder": holder, "lease_until": until})
    yield from note(noted, erasure.begun_at)
    yield Tell("access", [])
    return erasure


def _claim(holder: str, now: Instant, until: Instant, *, alone: bool) -> Plan[Erasure | None]:
    rows = yield Ask(_CLAIM, new_holder=holder, now=now, until=until, alone=alone)
    return _to_erasure(rows[0]) if rows else None


def _renew(erasure_id: str, holder: str, until: Instant) -> Plan[bool]:
    return bool((yield Ask(_RENEW, erasure_id=erasure_id, old_holder=holder, until=until)))


def _counted(erasure_id: str, counts: Mapping[str, int]) -> Plan[None]:
    yield Ask(_COUNTED, erasure_id=erasure_id, new_counts=Json(msgspec.json.encode(counts).decode()))


def _done(erasure_id: str, now: Instant) -> Plan[Erasure]:
    for row in (yield Ask(_ONE, erasure_id=erasure_id)):
        found = _to_erasure(row)
        yield Ask(_DROP_ALERTS, about=f"{found.scope}:{found.subject}")
    yield Ask(_DONE, erasure_id=erasure_id, now=now)
    yield Tell("access", [])
    return _to_erasure((yield Ask(_ONE, erasure_id=erasure_id))[0])


def _listed(limit: int, before: str | None) -> Plan[list[Erasure]]:
    asked = Ask(_FIRST, most=limit) if before is None else Ask(_BEFORE, most=limit, before=before)
    return [_to_erasure(row) for row in (yield asked)]


def _owners(client_id: str, after: str) -> Plan[list[str]]:
    return [row[0] for row in (yield Ask(_OWNERS, client_id=client_id, after=after))]


def _next_guests(space: str, after: str) -> Plan[list[str]]:
    return [row[0] for row in (yield Ask(_GUESTS, space=space, after=after))]


def _given(client_id: str | None) -> dict[str, str]:
    return {} if client_id is None else {"of_client": client_id}


def _runs(user_id: str, client_id: str | None) -> Plan[list[str]]:
    statement = _going_on(client=client_id is not None)
    return [row[0] for row in (yield Ask(statement, whose=user_id, **_given(client_id)))]


def _held(user_id: str, client_id: str | None) -> Plan[bool]:
    statement = _holding(client=client_id is not None)
    return bool((yield Ask(statement, whose=user_id, **_given(client_id)))[0][0])


def _drop_keys(user_id: str, client_id: str | None) -> Plan[list[str]]:
    statement = _dropping_keys(client=client_id is not None)
    rows = yield Ask(statement, whose=user_id, **_given(client_id))
    ids = [row[0] for row in rows]
    if ids:
        yield Tell("access", ids)
    return ids


def _forget(user_id: str, client_id: str | None, pseudonym: str) -> Plan[bool]:
    if client_id is None:
        yield Ask(_DROP_ALERTS, about=f"{Scope.USER}:{user_id}")
    statement = _forgetting(client=client_id is not None)
    return bool((yield Ask(statement, whose=user_id, pseudonym=pseudonym, **_given(client_id))))


def _to_erasure(row: Row) -> Erasure:
    """From the columns `_COLUMNS`."""
    identity, scope, subject, hashed, counts, begun_at, erased_at = row
    return Erasure(identity, Scope(scope), subject, hashed, msgspec.json.decode(counts), begun_at, erased_at)


class Erasures:
    """Serves `ports.erasure.Erasures`. `alone` says that the store serves one process only."""

    def __init__(self, session: Session, *, alone: bool) -> None:
        self._session = session
        self._alone = alone

    async def begin(self, erasure: Erasure, holder: str, until: Instant, noted: Deed) -> Erasure:
        return await self._session.write(_begin, erasure, holder, until, noted)

    async def claim(self, holder: str, now: Instant, until: Instant) -> Erasure | None:
        return await self._session.write(_claim, holder, now, until, alone=self._alone)

    async def renew(self, erasure_id: str, holder: str, until: Instant) -> bool:
        return await self._session.write(_renew, erasure_id, holder, until)

    async def counted(self, erasure_id: str, counts: Mapping[str, int]) -> None:
        await self._session.write(_counted, erasure_id, counts)

    async def done(self, erasure_id: str, now: Instant) -> Erasure:
        return await self._session.write(_done, erasure_id, now)

    async def page(self, limit: int, before: str | None) -> list[Erasure]:
        return await self._session.read(_listed, limit, before)

    async def owners(self, client_id: str, after: str) -> list[str]:
        return await self._session.read(_owners, client_id, after)

    async def guests(self, space: str, after: str) -> list[str]:
        return await self._session.read(_next_guests, space, after)

    async def runs(self, user_id: str, client_id: str | None) -> list[str]:
        return await self._session.read(_runs, user_id, client_id)

    async def held(self, user_id: str, client_id: str | None) -> bool:
        return await self._session.read(_held, user_id, client_id)

    async def drop_keys(self, user_id: str, client_id: str | None) -> list[str]:
        return await self._session.write(_drop_keys, user_id, client_id)

    async def forget(self, user_id: str, client_id: str | None, pseudonym: str) -> bool:
        return await self._session.write(_forget, user_id, client_id, pseudonym)
