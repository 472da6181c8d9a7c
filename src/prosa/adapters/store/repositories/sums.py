"""What the ledger comes to: on SQLite from sums that are kept beside it, on Postgres from its entries."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    union_all,
)
from sqlalchemy.ext.compiler import compiles

from prosa.adapters.store.statement import Statement
from prosa.adapters.store.tables import ai_usage
from prosa.adapters.store.tables.kinds import Instant as InstantType
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.time import DAY, SECOND, Instant
from prosa.domain.usage import Sum

_u = ai_usage.c

MILLION = 10**6
"""Costs are summed in two parts: a sum of picodollars may be more than 64 bits hold."""

QUARTER = 900 * SECOND
"""The clocks of all time zones are whole quarters of an hour apart."""

NUMBERS = ("requests", *Usage.__struct_fields__, "millions", "rest", "estimated", "unpriced")
"""What is summed of an entry, and what `to_sum` takes."""


def _kept(name: str, *keys: str) -> FromClause:
    return table(
        name,
        column("at", InstantType),
        *(column(key, Text) for key in keys),
        *(column(number, BigInteger) for number in NUMBERS),
    )


MODELS = _kept("model_sums", "provider", "model")
"""By quarters of an hour, provider and model."""

USERS = _kept("user_sums", "user_id", "client_id")
"""By days of UTC, user and client."""

_LENGTHS = {MODELS: QUARTER, USERS: DAY}


def _number(value: int) -> ColumnElement[int]:
    return literal_column(str(value), Integer)


EACH: dict[str, ColumnElement[Any]] = {
    "requests": _number(1),
    **{name: _u[name] for name in Usage.__struct_fields__},
    "millions": func.coalesce(_u.cost // _number(MILLION), _number(0)),
    "rest": func.coalesce(_u.cost % _number(MILLION), _number(0)),
    "estimated": case((_u.estimated, _number(1)), else_=_number(0)),
    "unpriced": case((_u.cost.is_(None), _number(1)), else_=_number(0)),
}
"""The numbers of one entry."""


class Days(ColumnElement[int]):
    """How many whole days `column` is after 1970, on clocks that are the microseconds bound as `offset` ahead
    of UTC."""

    inherit_cache = False
    type = BigInteger()

    def __init__(self, column: ColumnElement[int]) -> None:
        self.column = column
        self.offset = bindparam("offset", type_=BigInteger())


@compiles(Days)
def _days_in_sqlite(element: Days, compiler: Any, **kw: Any) -> str:
    column, offset = compiler.process(element.column, **kw), compiler.process(element.offset, **kw)
    return f"(({column} + {offset}) / {DAY})"


@compiles(Days, "postgresql")
def _days_in_postgres(element: Days, compiler: Any, **kw: Any) -> str:
    column, offset = compiler.process(element.column, **kw), compiler.process(element.offset, **kw)
    return f"CAST(floor((extract(epoch FROM {column}) * 1000000 + {offset}) / {DAY}) AS BIGINT)"


def summing(number: ColumnElement[Any]) -> ColumnElement[int]:
    """Its sum; 0 of nothing."""
    return cast(func.coalesce(func.sum(number), _number(0)), BigInteger)


def _since(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=_u.created_at.type)


def _entries(
    names: Sequence[str], since: str, until: str, conditions: Callable[[Any], list[ColumnElement[bool]]]
) -> Select[Any]:
    numbers = (value.label(name) for name, value in EACH.items())
    return select(_u.created_at.label("at"), *(_u[name] for name in names), *numbers).where(
        _u.created_at >= _since(since), _u.created_at < _since(until), *conditions(_u)
    )


def summed(
    kept: FromClause, filters: Iterable[str], query: Callable[[Any, list[ColumnElement[int]]], Select[Any]]
) -> Statement:
    """Of the entries from `since` until before `until`, with these columns as the parameters of their names
    say: what `query` makes of rows with the columns of `kept`, and of the sums of their numbers. SQLite takes
    what lies from `low` until before `high` from `kept`, if it has the columns."""
    names = [each.name for each in kept.c if each.name not in ("at", *NUMBERS)]

    def conditions(columns: Any) -> list[ColumnElement[bool]]:
        return [columns[name] == bindparam(name) for name in sorted(filters)]

    def of(rows: Subquery) -> Select[Any]:
        return query(rows.c, [summing(rows.c[name]) for name in NUMBERS])

    ledger = of(_entries(names, "since", "until", conditions).subquery())
    if not set(filters) <= set(names):
        return Statement(ledger)
    whole = select(*kept.c).where(
        kept.c.at >= bindparam("low"), kept.c.at < bindparam("high"), *conditions(kept.c)
    )
    edges = (_entries(names, "since", "low", conditions), _entries(names, "high", "until", conditions))
    return Statement(of(union_all(whole, *edges).subquery()), instead=ledger)


def bounds(kept: FromClause, since: Instant, until: Instant) -> dict[str, Instant]:
    """The parameters of time that `summed` takes."""
    length = _LENGTHS[kept]
    low, high = Instant(since + -since % length), Instant(until - until % length)
    if low > high:
        low = high = until
    return {"since": since, "until": until, "low": low, "high": high}


def to_sum(row: Sequence[int]) -> Sum:
    """From sums of `NUMBERS`."""
    requests, *counted, millions, rest, estimated, unpriced = row
    return Sum(requests, Usage(*counted), Picodollars(millions * MILLION + rest), estimated, unpriced)
