"""The audit log: links are added one behind the other, read, and walked along."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Row, Statement, Together
from prosa.adapters.store.tables import audit_head, audit_log
from prosa.domain.audit import Deed, Finding, Head, Link, Walk, Wanted, canonical, chained, sweeping
from prosa.domain.principal import Principal
from prosa.domain.time import Instant

PIECE = 200
"""Links that a walk holds at a time."""

_a, _h = audit_log.c, audit_head.c
_COLUMNS = tuple(audit_log.c)

_HEAD = Statement(select(_h.rows, _h.hash))
_LOCKED = Statement(select(_h.rows, _h.hash).with_for_update())
_LAST = Statement(select(_a.id).order_by(_a.id.desc()).limit(1))
_FIRST_HEAD = Statement(
    upsert(audit_head).values(id=1, rows=bindparam("rows"), hash=bindparam("hash")).on_conflict_do_nothing()
)  # SQLite says it in the same words
_SET_HEAD = Statement(update(audit_head).values(rows=bindparam("new_rows"), hash=bindparam("new_hash")))
_ADD = Statement(insert(audit_log).values({column.name: bindparam(column.name) for column in _COLUMNS}))
_SWEPT = Statement(select(_h.swept, _h.swept_hash))
_STAYS = Statement(select(_a.id).where(_a.at >= bindparam("before")).order_by(_a.id).limit(1))
_HASH = Statement(select(_a.hash).where(_a.id == bindparam("last")))
_SWEEP = Statement(update(audit_head).values(swept=bindparam("rows"), swept_hash=bindparam("last_hash")))
_gone = select(_a.id).where(_a.id <= select(_h.swept).scalar_subquery()).order_by(_a.id).limit(literal(PIECE))
_DROP = Statement(delete(audit_log).where(_a.id.in_(_gone)).returning(_a.id))
_NEXT = Statement(select(*_COLUMNS).where(_a.id > bindparam("after")).order_by(_a.id).limit(literal(PIECE)))

_FILTERS = {
    "actor": _a.actor == bindparam("actor"),
    "action": _a.action == bindparam("action"),
    "since": _a.at >= bindparam("since"),
    "until": _a.at < bindparam("until"),
    "before": _a.id < bindparam("before"),
}
_newest = select(*_COLUMNS).order_by(_a.id.desc()).limit(bindparam("most"))


@cache
def _page_of(names: frozenset[str]) -> Statement:
    return Statement(_newest.where(*(_FILTERS[name] for name in sorted(names))))


def note(done: Deed, at: Instant) -> Plan[Link]:
    """Adds a link in the transaction that is open; until it ends, nobody adds another."""
    head = yield from _head()
    link = chained(done, at, head)
    yield Together(
        Ask(
            _ADD,
            id=link.id,
            at=at,
            actor=done.actor,
            client_id=done.client_id,
            action=done.action,
            target=done.target,
            details=canonical(done.details),
            previous=link.previous,
            hash=link.hash,
        ),
        Ask(_SET_HEAD, new_rows=link.id, new_hash=link.hash),
    )
    return link


def _head() -> Plan[Head]:
    """The head, locked. Where somebody took it away, or put rows behind it, the log goes on behind all that
    is there: what is added then does not follow what was there, and a walk finds it."""
    rows = yield Ask(_LOCKED)
    if not rows:
        yield Ask(_FIRST_HEAD, rows=0, hash="")
        rows = yield Ask(_LOCKED)
    [(number, hashed)], last = rows, (yield Ask(_LAST))
    return Head(max(number, last[0][0]) if last else number, hashed)


def _page(wanted: Wanted, limit: int, before: int | None) -> Plan[list[Link]]:
    given = {name: getattr(wanted, name, before) for name in _FILTERS}
    asked = {name: value for name, value in given.items() if value is not None}
    return [_to_link(row) for row in (yield Ask(_page_of(frozenset(asked)), most=limit, **asked))]


def _next(after: int) -> Plan[tuple[list[Link], Head, Head]]:
    """The next links, the head, and what is swept."""
    links = [_to_link(row) for row in (yield Ask(_NEXT, after=after))]
    heads: Sequence[Row] = yield Ask(_HEAD)
    swept = yield from _swept()
    return links, Head(*heads[0]) if heads else Head(), swept


def _swept() -> Plan[Head]:
    rows = yield Ask(_SWEPT)
    return Head(*rows[0]) if rows else Head()


def _sweep(by: Principal, before: Instant, at: Instant) -> Plan[bool]:
    """Puts down that all links before the first of those that stay are swept; they themselves go later."""
    yield Ask(_LOCKED)
    swept = yield from _swept()
    stays, newest = (yield Ask(_STAYS, before=before)), (yield Ask(_LAST))
    last = stays[0][0] - 1 if stays else newest[0][0] if newest else 0
    if last <= swept.rows:
        return False
    for row in (yield Ask(_HASH, last=last)):
        swept = Head(last, row[0])
        yield Ask(_SWEEP, rows=swept.rows, last_hash=swept.hash)
        yield from note(sweeping(by, swept), at)
        return True
    return False


def _drop() -> Plan[int]:
    return len((yield Ask(_DROP)))


def _to_link(row: Row) -> Link:
    place, at, actor, client, action, target, details, previous, hashed = row
    return Link(place, at, Deed(actor, client, action, target, _details(details)), previous, hashed)


def _details(text: str) -> dict[str, Any]:
    """As they were put down; what no deed can have is told by its hash."""
    try:
        found = json.loads(text)
    except ValueError:
        return {"": text}
    return found if isinstance(found, dict) and canonical(found) == text else {"": text}


class AuditLog:
    """Serves `ports.audit.AuditLog`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, done: Deed, at: Instant) -> Link:
        return await self._session.write(note, done, at)

    async def page(self, wanted: Wanted, limit: int, before: int | None) -> list[Link]:
        return await self._session.read(_page, wanted, limit, before)

    async def verify(self, known: Head | None = None) -> Finding:
        walk = Walk(known)
        while True:
            links, head, swept = await self._session.read(_next, walk.head.rows)
            if swept != walk.swept:  # just now, or before: from there on
                walk = Walk(known, swept)
            elif not walk.over(links) or not links:
                return walk.end(head)

    async def sweep(self, by: Principal, before: Instant, at: Instant) -> bool:
        return await self._session.write(_sweep, by, before, at)

    async def drop(self) -> int:
        return await self._session.write(_drop)
