"""Limits that operators have set, and how a user's stand."""

from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.repositories.limits import standing
from prosa.adapters.store.repositories.watched import Watched
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Row, Statement, Tell
from prosa.adapters.store.tables import limits
from prosa.domain.limits import Cap, LimitNotFound, Limits, Rule, Scope, Standing
from prosa.domain.time import Instant

_CAP = Cap.__struct_fields__
_l = limits.c
_ALL = Statement(select(*limits.c).order_by(_l.scope, _l.subject))
_put = postgresql.insert(limits).values({column.name: bindparam(column.name) for column in limits.c})
_PUT = Statement(
    _put.on_conflict_do_update(
        index_elements=["scope", "subject"],
        set_={name: _put.excluded[name] for name in (*_CAP, "updated_at", "updated_by")},
    )
)
_DELETE = Statement(
    delete(limits)
    .where(_l.scope == bindparam("old_scope"), _l.subject == bindparam("old_subject"))
    .returning(_l.subject)
)


def _all() -> Plan[list[Rule]]:
    return [_to_rule(row) for row in (yield Ask(_ALL))]


def _to_rule(row: Row) -> Rule:
    scope, subject, *cap, updated_at, updated_by = row
    return Rule(Scope(scope), subject, Cap(*cap), updated_at, updated_by)


def _set(rule: Rule) -> Plan[None]:
    cap: dict[str, Any] = {name: getattr(rule.cap, name) for name in _CAP}
    yield Ask(
        _PUT, scope=str(rule.scope), subject=rule.subject, **cap,
        updated_at=rule.updated_at, updated_by=rule.updated_by,
    )  # fmt: skip
    yield Tell("limits", [])


def _unset(scope: Scope, subject: str) -> Plan[None]:
    if not (yield Ask(_DELETE, old_scope=str(scope), old_subject=subject)):
        raise LimitNotFound
    yield Tell("limits", [])


class KnownLimits:
    """Serves `ports.limits.KnownLimits`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def all(self) -> list[Rule]:
        return await self._session.read(_all)


class LimitTable:
    """Serves `ports.limits.LimitTable`."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    async def all(self) -> list[Rule]:
        return await self._watched.look(self._watched.deed("admin.limits.read"), _all)

    async def put(self, rule: Rule) -> None:
        cap = {name: value for name in _CAP if (value := getattr(rule.cap, name)) is not None}
        done = self._watched.deed("limits.set", f"{rule.scope}:{rule.subject}", **cap)
        await self._watched.change(done, _set, rule)

    async def delete(self, scope: Scope, subject: str) -> None:
        done = self._watched.deed("limits.delete", f"{scope}:{subject}")
        await self._watched.change(done, _unset, scope, subject)

    async def standing(self, user_id: str, of: Limits, now: Instant) -> list[Standing]:
        done = self._watched.deed("admin.limits.read", f"user:{user_id}")
        return await self._watched.change(done, standing, of, now, principal=user_id)
