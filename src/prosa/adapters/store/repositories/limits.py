"""Whether a reservation fits: spent + held + bound ≤ limit, exact under any concurrency."""

from sqlalchemy import BigInteger, bindparam, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable

from prosa.adapters.store.statement import Ask, Plan, Statement, owned
from prosa.adapters.store.tables import ai_usage, reservations
from prosa.domain.errors import CostLimitReached, PriceUnknown, TokenLimitReached
from prosa.domain.money import Picodollars, to_dollars
from prosa.domain.opening import Prepared
from prosa.domain.time import SECOND, Instant, start_of_day, start_of_month, to_iso


class _Turnstile(Executable, ClauseElement):
    """Lets one transaction of the owner at a time past, until it ends. SQLite has one writer anyway."""

    inherit_cache = False


@compiles(_Turnstile, "postgresql")  # type: ignore[no-untyped-call,untyped-decorator]
def _in_postgres(_element: _Turnstile, compiler: object, **kw: object) -> str:
    owner = compiler.process(bindparam("principal"), **kw)  # type: ignore[attr-defined]
    return f"SELECT pg_advisory_xact_lock(hashtextextended({owner}, 0))"


@compiles(_Turnstile, "sqlite")  # type: ignore[no-untyped-call,untyped-decorator]
def _in_sqlite(_element: _Turnstile, _compiler: object, **_kw: object) -> str:
    return "SELECT 1"


_TURNSTILE = Statement(_Turnstile())
_since = ai_usage.c.created_at >= bindparam("since")
_SPENT_TOKENS = Statement(
    select(cast(func.coalesce(func.sum(ai_usage.c.total_tokens), 0), BigInteger)).where(_since, owned(ai_usage))
)
_SPENT_COST = Statement(
    select(cast(func.coalesce(func.sum(ai_usage.c.cost), 0), BigInteger)).where(_since, owned(ai_usage))
)
_HELD = Statement(
    select(
        cast(func.coalesce(func.sum(reservations.c.tokens), 0), BigInteger),
        cast(func.coalesce(func.sum(reservations.c.cost), 0), BigInteger),
    ).where(owned(reservations))
)


def check(prepared: Prepared, now: Instant) -> Plan[None]:
    """Raises TokenLimitReached, CostLimitReached or PriceUnknown where the bound does not fit."""
    yield Ask(_TURNSTILE)
    held = yield Ask(_HELD)
    held_tokens, held_cost = held[0]
    limits = prepared.limits
    if limits.tokens_per_day is not None:
        since = start_of_day(now)
        spent = (yield Ask(_SPENT_TOKENS, since=since))[0][0]
        remaining = limits.tokens_per_day - spent - held_tokens
        if prepared.tokens > remaining:
            resets = Instant(since + 86_400 * SECOND)
            raise TokenLimitReached(remaining=max(0, remaining), resetsAt=to_iso(resets))
    if limits.cost_per_month is not None:
        if prepared.cost is None:
            raise PriceUnknown(model=prepared.request.model)
        spent = (yield Ask(_SPENT_COST, since=start_of_month(now)))[0][0]
        remaining = limits.cost_per_month - spent - held_cost
        if prepared.cost > remaining:
            left = to_dollars(Picodollars(max(0, remaining)))
            raise CostLimitReached(remaining=left, resetsAt=to_iso(start_of_month(now, ahead=1)))
