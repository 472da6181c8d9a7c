"""What is left of a user's limits: spent + held + bound ≤ limit, exact under any concurrency."""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import BigInteger, bindparam, cast, func, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, ColumnElement, Executable

from prosa.adapters.store.statement import Ask, Plan, Statement, owned
from prosa.adapters.store.tables import ai_usage, reservations
from prosa.domain.money import Picodollars
from prosa.domain.opening import Bound, Limits, Remaining
from prosa.domain.time import SECOND, Instant, start_of_day, start_of_month


class _Turnstile(Executable, ClauseElement):
    """Lets one transaction of the owner at a time past, until it ends. SQLite has one writer anyway."""

    inherit_cache = False


@compiles(_Turnstile, "postgresql")
def _in_postgres(_element: _Turnstile, compiler: Any, **kw: Any) -> str:
    owner = compiler.process(bindparam("principal"), **kw)
    return f"SELECT pg_advisory_xact_lock(hashtextextended({owner}, 0))"


@compiles(_Turnstile, "sqlite")
def _in_sqlite(_element: _Turnstile, _compiler: object, **_kw: object) -> str:
    return "SELECT 1"


TURNSTILE = Statement(_Turnstile())


def _used(spent: ColumnElement[int], held: ColumnElement[int]) -> Statement:
    """What the owner spent since `since`, and what is held for runs that go on."""
    ledger = select(_sum(spent)).where(ai_usage.c.created_at >= bindparam("since"), owned(ai_usage))
    holds = select(_sum(held)).where(owned(reservations))
    return Statement(select(ledger.scalar_subquery() + holds.scalar_subquery()))


def _sum(column: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


_TOKENS = _used(ai_usage.c.total_tokens, reservations.c.tokens)
_COST = _used(ai_usage.c.cost, reservations.c.cost)


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
    """What the owner has left; no other transaction of theirs can take of it until this one ends. The engine
    has to say who that is (`principal`)."""
    if not limits:
        return Remaining()
    yield Ask(TURNSTILE, **owner)
    day, month = start_of_day(now), start_of_month(now)
    tokens = cost = None
    if limits.tokens_per_day is not None:
        tokens = limits.tokens_per_day - (yield Ask(_TOKENS, since=day, **owner))[0][0]
    if limits.cost_per_month is not None:
        cost = Picodollars(limits.cost_per_month - (yield Ask(_COST, since=month, **owner))[0][0])
    return Remaining(tokens, cost, Instant(day + 86_400 * SECOND), start_of_month(now, ahead=1))
