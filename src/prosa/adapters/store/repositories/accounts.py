"""The ledger of all users, for the operator."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, literal, or_, select

from prosa.adapters.store.repositories.sums import MODELS, USERS, Days, bounds, summed, to_sum
from prosa.adapters.store.repositories.usage import COUNTED, ENTRY, IN_TIME, to_entry, to_share
from prosa.adapters.store.repositories.watched import Watched
from prosa.adapters.store.statement import Ask, Plan, Row, Statement
from prosa.adapters.store.tables import ai_usage, messages
from prosa.domain.calendar import Calendar
from prosa.domain.conversations import MessageKind
from prosa.domain.ending import Entry
from prosa.domain.ids import id_at
from prosa.domain.models import Role
from prosa.domain.time import SECOND, Instant
from prosa.domain.usage import TOP, Account, Overview, Place, Share, Wanted, merged

_u, _m = ai_usage.c, messages.c

READ = "admin.usage.read"

_FILTERS = ("client_id", "model", "provider", "user_id")
_next = _u.id > bindparam("first_id", type_=_u.id.type)
"""In the order of ids a ledger is read from one end to the other."""
_AMISS = 3_600 * SECOND
"""How far the clock of an entry's id may be ahead of the entry's."""


@cache
def _days_of(names: frozenset[str]) -> Statement:
    def by_day(rows: Any, sums: list[ColumnElement[int]]) -> Select[Any]:
        day = Days(rows.at).label("day")
        return select(day, rows.provider, rows.model, *sums).group_by("day", rows.provider, rows.model)

    return summed(MODELS, names, by_day)


@cache
def _users_of(names: frozenset[str]) -> Statement:
    def by_user(rows: Any, sums: list[ColumnElement[int]]) -> Select[Any]:
        return _dearest(select(rows.user_id, rows.client_id, *sums), rows, rows.user_id, rows.client_id)

    return summed(USERS, names, by_user)


@cache
def _clients_of(names: frozenset[str]) -> Statement:
    def by_client(rows: Any, sums: list[ColumnElement[int]]) -> Select[Any]:
        return _dearest(select(literal(""), rows.client_id, *sums), rows, rows.client_id)

    return summed(USERS, names, by_client)


def _dearest(query: Select[Any], rows: Any, *keys: ColumnElement[str]) -> Select[Any]:
    tokens = func.sum(rows.prompt_tokens + rows.completion_tokens)
    order = (func.sum(rows.millions).desc(), tokens.desc(), *keys)
    return query.group_by(*keys).order_by(*order).limit(literal(TOP, Integer))


@cache
def _entries_of(names: frozenset[str]) -> Statement:
    asked = select(*ENTRY, *COUNTED).where(IN_TIME, _next, *_only(names))
    return Statement(asked.order_by(_u.id).limit(bindparam("limit", type_=Integer)))


@cache
def _messages_of(names: frozenset[str]) -> Statement:
    asked = select(func.count()).where(
        _m.created_at >= bindparam("since"),
        _m.created_at < bindparam("until"),
        _m.kind == MessageKind.MESSAGE.value,
        or_(_m.role == Role.USER.value, _m.role == Role.ASSISTANT.value),
    )
    return Statement(asked.where(_m.user_id == bindparam("user_id")) if names else asked)


def _only(names: frozenset[str]) -> list[ColumnElement[bool]]:
    return [_u[name] == bindparam(name) for name in sorted(names)]


def _overview(wanted: Wanted, since: Instant, until: Instant, calendar: Calendar) -> Plan[Overview]:
    given = _given(wanted)
    names = frozenset(given)
    shares: list[Share] = []
    for span in calendar.spans(since, until):
        rows = yield Ask(
            _days_of(names), **bounds(MODELS, span.since, span.until), **given, offset=span.offset
        )
        shares += [to_share(row) for row in rows]
    times = bounds(USERS, since, until)
    users = [_to_account(row) for row in (yield Ask(_users_of(names), **times, **given))]
    clients = [_to_account(row) for row in (yield Ask(_clients_of(names), **times, **given))]
    count = None
    if names <= {"user_id"}:
        count = (yield Ask(_messages_of(names), **times, **given))[0][0]
    return Overview(merged(shares), tuple(users), tuple(clients), count)


def _entries(
    wanted: Wanted, since: Instant, until: Instant, after: Place | None, limit: int
) -> Plan[list[Entry]]:
    given = _given(wanted)
    first_id = id_at(((since - _AMISS) // 1_000) << 26, 0) if after is None else after[1]
    rows: Sequence[Row] = yield Ask(
        _entries_of(frozenset(given)), since=since, until=until, first_id=first_id, **given, limit=limit
    )
    return [to_entry(row) for row in rows]


def _given(wanted: Wanted) -> dict[str, str]:
    return {name: value for name in _FILTERS if (value := getattr(wanted, name)) is not None}


def _to_account(row: Row) -> Account:
    user_id, client_id, *sums = row
    return Account(user_id, client_id, to_sum(sums))


class Accounts:
    """Serves `ports.usage.Accounts`."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    async def overview(self, wanted: Wanted, since: Instant, until: Instant, calendar: Calendar) -> Overview:
        done = self._watched.deed(READ, _target(wanted), since=since, until=until, **_given(wanted))
        return await self._watched.look(done, _overview, wanted, since, until, calendar)

    async def entries(
        self, wanted: Wanted, since: Instant, until: Instant, after: Place | None, limit: int
    ) -> list[Entry]:
        if after is not None:
            return await self._watched.more(_entries, wanted, since, until, after, limit)
        done = self._watched.deed(
            READ, _target(wanted), since=since, until=until, format="csv", **_given(wanted)
        )
        return await self._watched.look(done, _entries, wanted, since, until, after, limit)


def _target(wanted: Wanted) -> str:
    if wanted.user_id is not None:
        return f"user:{wanted.user_id}"
    return "" if wanted.client_id is None else f"client:{wanted.client_id}"
