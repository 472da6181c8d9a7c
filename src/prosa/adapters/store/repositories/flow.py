"""What happened in each of many periods: runs, percentiles of how long they took, tokens and cost."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.compiler import compiles

from prosa.adapters.store.statement import Ask, Plan, Row, Statement
from prosa.adapters.store.tables import ai_usage, runs
from prosa.domain.calendar import Period
from prosa.domain.money import Picodollars
from prosa.domain.runs import RunStatus
from prosa.domain.time import Instant
from prosa.domain.traffic import Bucket, Latency

_r, _u = runs.c, ai_usage.c


class micros(ColumnElement[int]):  # noqa: N801 - reads as a function in a statement
    """An instant's microseconds since 1970, as a number to reckon with."""

    inherit_cache = False
    type = BigInteger()

    def __init__(self, instant: ColumnElement[Any]) -> None:
        self.instant = instant


@compiles(micros)
def _micros_in_sqlite(element: micros, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.instant, **kw))


@compiles(micros, "postgresql")
def _micros_in_postgres(element: micros, compiler: Any, **kw: Any) -> str:
    return f"CAST(EXTRACT(EPOCH FROM {compiler.process(element.instant, **kw)}) * 1000000 AS BIGINT)"


class listed(ColumnElement[str]):  # noqa: N801 - as above
    """All values of a column, as a JSON list; of none, null or an empty one."""

    inherit_cache = False
    type = Text()

    def __init__(self, value: ColumnElement[int]) -> None:
        self.value = value


@compiles(listed)
def _listed_in_sqlite(element: listed, compiler: Any, **kw: Any) -> str:
    return f"json_group_array({compiler.process(element.value, **kw)})"


@compiles(listed, "postgresql")
def _listed_in_postgres(element: listed, compiler: Any, **kw: Any) -> str:
    return f"json_agg({compiler.process(element.value, **kw)})"


def _over(steps: FromClause, since: ColumnElement[Any], until: ColumnElement[Any]) -> Select[Any]:
    """Of each step what began in it: how many runs of each status, how long until they said something, how
    long the completed ones took; what the ledger entered. An index has each part, so nothing is sorted."""

    def within(table: Table, value: ColumnElement[Any], *conditions: ColumnElement[bool]) -> Any:
        at = table.c.created_at
        return select(value).where(at >= since, at < until, *conditions).scalar_subquery()

    def spent(column: ColumnElement[Any]) -> Any:
        return within(
            ai_usage, cast(func.coalesce(func.sum(column), literal_column("0", Integer)), BigInteger)
        )

    first, whole = (micros(at) - micros(_r.created_at) for at in (_r.first_token_at, _r.ended_at))
    said = (
        _r.status.in_([literal_column(f"'{status}'") for status in RunStatus]),
        _r.first_token_at.is_not(None),
    )
    return select(
        since,
        *(within(runs, func.count(), _r.status == str(status)) for status in RunStatus),
        within(runs, listed(first), *said),
        within(runs, listed(whole), _r.status == str(RunStatus.COMPLETED), _r.ended_at.is_not(None)),
        *map(spent, (_u.prompt_tokens, _u.completion_tokens, _u.cost)),
    ).select_from(steps)


def _statement() -> Statement:
    steps = func.json_each(bindparam("steps", type_=Text)).table_valued("value")
    here = [
        func.json_extract(steps.c.value, literal_column(f"'$[{place}]'"), type_=BigInteger)
        for place in (0, 1)
    ]
    ends = [bindparam(name, type_=ARRAY(TIMESTAMP(timezone=True))) for name in ("starts", "ends")]
    columns = (column(name, _r.created_at.type) for name in ("since", "until"))
    there = func.unnest(*ends).table_valued(*columns).render_derived("step")
    return Statement(_over(steps, *here), _over(there, there.c.since, there.c.until))


_FLOW = _statement()
_numbers = msgspec.json.Decoder(list[int])


def flow(periods: Sequence[Period]) -> Plan[list[Bucket]]:
    """A bucket for each."""
    starts, ends = ([getattr(each, name) for each in periods] for name in ("since", "until"))
    steps = msgspec.json.encode(list(zip(starts, ends, strict=True))).decode()
    rows = yield Ask(_FLOW, steps=steps, starts=starts, ends=ends)
    found = {since: _to_bucket(since, row) for since, *row in rows}
    return [found[since] for since in starts]


def _to_bucket(at: Instant, row: Row) -> Bucket:
    *counts, first, whole, prompt, completion, cost = row
    number = {status: count for status, count in zip(RunStatus, counts, strict=True) if count}
    said, took = (Latency.of(_numbers.decode(each)) if each else None for each in (first, whole))
    return Bucket(at, number, said, took, prompt, completion, Picodollars(cost))
