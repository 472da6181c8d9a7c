"""What is left of limits: spent + held + bound ≤ limit for user, client and all, exact under any rush."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

from prosa.adapters.store.repositories.leases import held_since
from prosa.adapters.store.statement import Ask, Plan, Row, Statement, Totals, insertion, owned
from prosa.adapters.store.tables import ai_usage, reservations, spending
from prosa.domain.calendar import Period
from prosa.domain.ids import first_id
from prosa.domain.limits import Bound, Limits, Remaining, Scope, Standing
from prosa.domain.money import Picodollars
from prosa.domain.time import DAY, SECOND, Instant

SLACK = 60 * SECOND
"""How far the time in an entry's id may be from when it was made: both are taken one after the other."""

_s, _h = spending.c, reservations.c


def _spent(scope: Scope, subject: ColumnElement[str], column: ColumnElement[int], span: str) -> Any:
    return (
        select(column)
        .where(
            _s.scope == literal(scope.value),
            _s.subject == subject,
            _s.since == bindparam(f"{span}_since"),
            _s.until == bindparam(f"{span}_until"),
        )
        .scalar_subquery()
    )


def _standing(scope: Scope, subject: ColumnElement[str], mine: ColumnElement[bool] | None) -> Select[Any]:
    """Of one cap: tokens spent today, cost spent this month (None where nobody has counted yet), tokens held,
    cost held, answers that are being written."""
    asked = select(
        _spent(scope, subject, _s.tokens, "day"),
        _spent(scope, subject, _s.cost, "month"),
        _sum(_h.tokens),
        _sum(_h.cost),
        _sum(case((_h.beside, 0), else_=1)),
    ).select_from(reservations)
    return asked if mine is None else asked.where(mine)


def _sum(column: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


def _began(scope: Scope, subject: ColumnElement[str], mine: ColumnElement[bool]) -> Any:
    entries = ai_usage.c
    sums: Any = select(
        literal(scope.value), subject, bindparam("since"), bindparam("until"),
        _sum(entries.total_tokens), _sum(entries.cost),
    )  # fmt: skip
    sums = sums.where(mine, entries.created_at >= bindparam("since"), entries.created_at < bindparam("until"))
    return insert(spending).from_select([column.name for column in spending.c], sums)


_me, _client = bindparam("principal", type_=Text()), bindparam("client_id", type_=Text())
_all = literal("")
_recent = ai_usage.c.id >= bindparam("first_id", type_=ai_usage.c.id.type)
_spans = (f"{span}_{end}" for span in ("day", "month") for end in ("since", "until"))
_ASKED = select(
    func.prosa_standing(
        bindparam("scopes", type_=ARRAY(Text())), _me, _client,
        *(bindparam(name, type_=TIMESTAMP(timezone=True)) for name in _spans),
        bindparam("first_id", type_=UUID(as_uuid=False)),
    ).table_valued("tokens", "cost", "held_tokens", "held_cost", "held")
)  # fmt: skip
"""Postgres is asked for all caps in one round trip. It lets nobody past who would take of them, until the
transaction ends, and begins their counters by itself. SQLite has one writer anyway."""

_OF = {
    Scope.USER: _standing(Scope.USER, _me, owned(reservations)),
    Scope.CLIENT: _standing(Scope.CLIENT, _client, _h.client_id == _client),
    Scope.EVERYONE: _standing(Scope.EVERYONE, _all, None),
}
_STANDING = {
    scopes: (Statement if scopes == (Scope.USER,) else Totals)(
        _OF[scopes[0]] if len(scopes) == 1 else union_all(*(_OF[scope] for scope in scopes)), _ASKED
    )
    for number in range(1, len(_OF) + 1)
    for scopes in combinations(_OF, number)
}
_BEGIN = {
    Scope.USER: Statement(_began(Scope.USER, _me, owned(ai_usage))),
    Scope.CLIENT: Totals(_began(Scope.CLIENT, _client, and_(ai_usage.c.client_id == _client, _recent))),
    Scope.EVERYONE: Totals(_began(Scope.EVERYONE, _all, _recent)),
}
_FORGET = {
    scope: Statement(delete(spending).where(_s.scope == scope.value, _s.subject == subject,
                                            _s.until < bindparam("before", type_=_s.until.type)))
    for scope, subject in ((Scope.USER, _me), (Scope.CLIENT, _client), (Scope.EVERYONE, _all))
}  # fmt: skip
"""Counters of months that are over, once the next one begins."""

RESERVE = insertion(
    reservations,
    *(column.name for column in _h if column.name not in ("created_at", "taken")),
    created_at=held_since(),
)
_HELD = Statement(
    select(reservations.c.tokens, reservations.c.cost).where(reservations.c.run_id == bindparam("run_id"))
)
_HOLD = Statement(
    update(reservations)
    .where(reservations.c.run_id == bindparam("run_id"))
    .values(tokens=bindparam("new_tokens"), cost=bindparam("new_cost"))
)


def hold(run_id: str, user_id: str, limits: Limits, bound: Bound, now: Instant) -> Plan[Remaining]:
    """The engine's: replaces what is held for a run by `bound`, if that is within the limits. Answers what
    is left beside it."""
    left = yield from remaining(limits, now, principal=user_id)
    held = yield Ask(_HELD, run_id=run_id)
    tokens, cost = held[0] if held else (0, 0)
    left = replace(
        left,
        tokens=None if left.tokens is None else left.tokens + tokens,
        cost=None if left.cost is None else Picodollars(left.cost + (cost or 0)),
    )
    left.hold(bound)
    yield Ask(_HOLD, run_id=run_id, new_tokens=bound.tokens, new_cost=bound.cost)
    return left


def remaining(limits: Limits, now: Instant, **owner: str) -> Plan[Remaining]:
    """What the owner has left; no other transaction can take of it until this one ends. The engine has to say
    who that is (`principal`)."""
    asked = question(limits, now, **owner)
    return (yield from left(limits, now, asked, () if asked is None else (yield asked)))


def standing(limits: Limits, now: Instant, **owner: str) -> Plan[list[Standing]]:
    """How each of the owner's caps stands, as `remaining`."""
    asked = question(limits, now, **owner)
    return [] if asked is None else (yield from _standing_of(limits, now, asked, (yield asked)))


def question(limits: Limits, now: Instant, **owner: str) -> Ask | None:
    """What `remaining` asks first; None where nothing is limited."""
    scopes = tuple(scope for scope, _ in limits.caps)
    if not scopes:
        return None
    day, month = limits.calendar.day_of(now), limits.calendar.month_of(now)
    return Ask(
        _STANDING[scopes],
        scopes=scopes, client_id=limits.client_id, day_since=day.since, day_until=day.until,
        month_since=month.since, month_until=month.until, first_id=first_id(month.since - SLACK), **owner,
    )  # fmt: skip


def left(limits: Limits, now: Instant, asked: Ask | None, rows: Sequence[Row]) -> Plan[Remaining]:
    """As `remaining`, where the answer to the first question is known."""
    if asked is None:
        return Remaining()
    remains = Remaining(
        tokens_reset_at=limits.calendar.day_of(now).until,
        cost_resets_at=limits.calendar.month_of(now).until,
    )
    for stand in (yield from _standing_of(limits, now, asked, rows)):
        remains = _less(remains, stand)
    return remains


def _standing_of(limits: Limits, now: Instant, asked: Ask, rows: Sequence[Row]) -> Plan[list[Standing]]:
    caps = limits.caps
    if any(row[0] is None or row[1] is None for row in rows):
        spans = (limits.calendar.day_of(now), limits.calendar.month_of(now))
        for (scope, _), row in zip(caps, rows, strict=True):
            missing = [span for span, spent in zip(spans, row, strict=False) if spent is None]
            yield from _count(scope, asked, missing)
        rows = yield asked
    return [Standing(scope, cap, *row) for (scope, cap), row in zip(caps, rows, strict=True)]


def _count(scope: Scope, asked: Ask, spans: Sequence[Period]) -> Plan[None]:
    """Begins counters, with what is in the ledger already: who was not limited was not counted."""
    params = {
        name: asked.params[name] for name in ("client_id", "first_id", "principal") if name in asked.params
    }
    for span in spans:
        yield Ask(_FORGET[scope], before=span.since - 62 * DAY, **params)
        yield Ask(_BEGIN[scope], since=span.since, until=span.until, **params)


def _less(left: Remaining, of: Standing) -> Remaining:
    """What this cap leaves, where that is less."""
    cap, changes = of.cap, dict[str, Any]()
    if cap.tokens_per_day is not None:
        tokens = cap.tokens_per_day - of.tokens - of.held_tokens
        changes["used"] = max(left.used, _share(cap.tokens_per_day, tokens))
        if left.tokens is None or tokens < left.tokens:
            changes |= {"tokens": tokens, "tokens_scope": of.scope}
    if cap.cost_per_month is not None:
        cost = cap.cost_per_month - of.cost - of.held_cost
        changes["used"] = max(left.used, changes.get("used", 0.0), _share(cap.cost_per_month, cost))
        if left.cost is None or cost < left.cost:
            changes |= {"cost": cost, "cost_scope": of.scope}
    if cap.runs_at_once is not None:
        runs = cap.runs_at_once - of.runs
        if left.runs is None or runs < left.runs:
            changes |= {"runs": runs, "runs_scope": of.scope}
    return replace(left, **changes)


def _share(limit: int, left: int) -> float:
    return (limit - left) / limit if limit else 1.0
