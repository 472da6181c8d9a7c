"""How old things are, for the sweep."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Statement
from prosa.adapters.store.tables import (
    answer_cache,
    conversations,
    duties,
    files,
    journal,
    places,
    rates,
    runs,
    spending,
)
from prosa.domain.ids import first_id
from prosa.domain.retention import Kind, Old
from prosa.domain.time import SECOND, Instant
from prosa.ports.retention import LOOK

_d = duties.c
_put = postgresql.insert(duties).values(
    name=bindparam("duty"), holder=bindparam("holder"), lease_until=bindparam("until")
)
_nobodys = or_(_d.lease_until < bindparam("now"), _d.holder == bindparam("holder"))
_TAKE = Statement(
    _put.on_conflict_do_update(
        index_elements=[_d.name],
        set_={"holder": _put.excluded.holder, "lease_until": _put.excluded.lease_until},
        where=or_(_nobodys, bindparam("alone", type_=Boolean)),
    ).returning(_d.name)
)
_SETTLE = Statement(delete(spending).where(spending.c.until < bindparam("before")).returning(literal(1)))
_MINUTES_OVER = Statement(delete(rates).where(rates.c.slot < bindparam("slot")))
_LEFT = Statement(delete(places).where(places.c.until < bindparam("now")))


def _old(table: Table, at: Column[Any], *more: ColumnElement[bool]) -> Statement:
    c = table.c
    known = and_(c.id > bindparam("after"), c.id < bindparam("below"), at < bindparam("before"), *more)
    return Statement(select(c.id, c.user_id, c.client_id, at).where(known).order_by(c.id).limit(LOOK))


_OLD: dict[Kind, Statement] = {
    "messages": _old(conversations, conversations.c.updated_at),
    "files": _old(files, files.c.created_at),
    "journal": _old(runs, runs.c.ended_at, exists().where(journal.c.run_id == runs.c.id)),
    "cache": _old(answer_cache, answer_cache.c.created_at),
}
"""Ids tell when a row was made: what is younger is not even looked at."""
_EXPIRED = _old(answer_cache, answer_cache.c.expires_at)


def _take(duty: str, holder: str, now: Instant, until: Instant, *, alone: bool) -> Plan[bool]:
    return bool((yield Ask(_TAKE, duty=duty, holder=holder, now=now, until=until, alone=alone)))


def _older(kind: Kind, before: Instant, after: str) -> Plan[list[Old]]:
    rows = yield Ask(_OLD[kind], after=after, below=first_id(before), before=before)
    return [Old(*row) for row in rows]


def _expired(now: Instant, after: str) -> Plan[list[Old]]:
    rows = yield Ask(_EXPIRED, after=after, below=first_id(now), before=now)
    return [Old(*row) for row in rows]


def _settle(before: Instant, now: Instant) -> Plan[None]:
    yield Ask(_SETTLE, before=before)
    yield Ask(_MINUTES_OVER, slot=now // (60 * SECOND) - 1)
    yield Ask(_LEFT, now=now)


class Ages:
    """Serves `ports.retention.Ages`. `alone` says that the store serves one process only."""

    def __init__(self, session: Session, *, alone: bool) -> None:
        self._session = session
        self._alone = alone

    async def take(self, duty: str, holder: str, now: Instant, until: Instant) -> bool:
        return await self._session.write(_take, duty, holder, now, until, alone=self._alone)

    async def old(self, kind: Kind, before: Instant, after: str) -> list[Old]:
        return await self._session.read(_older, kind, before, after)

    async def expired(self, now: Instant, after: str) -> list[Old]:
        return await self._session.read(_expired, now, after)

    async def settle(self, before: Instant, now: Instant) -> None:
        await self._session.write(_settle, before, now)
