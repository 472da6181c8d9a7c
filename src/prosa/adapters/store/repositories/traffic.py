"""The runs of all users over time: counts, percentiles, failures, and one run's course."""

from functools import cache
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Integer, Text, bindparam, case, cast, func, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement

from prosa.adapters.store.repositories.watched import Watched
from prosa.adapters.store.statement import Ask, Plan, Row, Statement
from prosa.adapters.store.tables import ai_usage, provider_keys, run_steps, runs
from prosa.domain.errors import RunNotFound
from prosa.domain.ids import id_at
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.runs import RunStatus
from prosa.domain.steps import StepStatus
from prosa.domain.time import SECOND, Instant
from prosa.domain.timing import Timing, decode_timings
from prosa.domain.traffic import (
    Bucket,
    Failures,
    Latency,
    Period,
    Seen,
    SeenRun,
    SeenStep,
    Stride,
    Wanted,
)

_r, _u = runs.c, ai_usage.c

SLACK = 60 * SECOND
"""How far the time in an id may be from that of its row: both are taken one after the other."""


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


def _within(table: Any) -> tuple[ColumnElement[bool], ...]:
    """Rows of the period. Ids tell their time: so the primary key finds them, with no index of its own."""
    c = table.c
    return (
        c.id >= bindparam("low", type_=c.id.type),
        c.id < bindparam("high", type_=c.id.type),
        c.created_at >= bindparam("since", type_=c.created_at.type),
        c.created_at < bindparam("until", type_=c.created_at.type),
    )


def _bucket(created_at: ColumnElement[Any]) -> ColumnElement[int]:
    """Which of the period's buckets it falls into, from 0."""
    start, length = bindparam("start", type_=BigInteger), bindparam("stride", type_=BigInteger)
    return ((micros(created_at) - start) // length).label("bucket")


def _percentiles(value: ColumnElement[int], *conditions: ColumnElement[bool]) -> Statement:
    """Bucket, p50 and p95 of `value`, by nearest rank, over all rows."""
    each = select(_bucket(_r.created_at), value.label("took")).where(*_within(runs), *conditions).subquery()
    ranked = select(
        each.c.bucket,
        each.c.took,
        func.row_number().over(partition_by=each.c.bucket, order_by=each.c.took).label("rank"),
        func.count().over(partition_by=each.c.bucket).label("number"),
    ).subquery()

    def nearest(percent: int) -> ColumnElement[int]:
        part = literal_column(str(percent), Integer)
        reached = ranked.c.rank * literal_column("100", Integer) >= ranked.c.number * part
        return func.min(case((reached, ranked.c.took)))

    return Statement(
        select(ranked.c.bucket, nearest(50), nearest(95)).group_by(ranked.c.bucket).order_by(ranked.c.bucket)
    )


def _sum(column: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(column), literal_column("0", Integer)), BigInteger)


_RUNS = Statement(
    select(_bucket(_r.created_at), _r.status, func.count())
    .where(*_within(runs))
    .group_by(literal_column("1"), _r.status)
)
_SPENT = Statement(
    select(_bucket(_u.created_at), _sum(_u.prompt_tokens), _sum(_u.completion_tokens), _sum(_u.cost))
    .where(*_within(ai_usage))
    .group_by(literal_column("1"))
)
_FIRST_TOKEN = _percentiles(micros(_r.first_token_at) - micros(_r.created_at), _r.first_token_at.is_not(None))
_DURATION = _percentiles(
    micros(_r.ended_at) - micros(_r.created_at),
    _r.ended_at.is_not(None),
    _r.status == literal_column(f"'{RunStatus.COMPLETED.value}'", Text),
)
_FAILURES = Statement(
    select(_r.error_code, _r.provider, _r.model, func.count(), func.max(_r.ended_at))
    .where(*_within(runs), _r.error_code.is_not(None))
    .group_by(_r.error_code, _r.provider, _r.model)
    .order_by(func.count().desc(), func.max(_r.ended_at).desc())
    .limit(bindparam("limit"))
)
_SEEN = tuple(
    _r[name] for name in (*SeenRun.__struct_fields__[:-2], "usage", "cost")
)  # its tokens stand in its usage
_newest = select(*_SEEN).order_by(_r.id.desc()).limit(bindparam("limit"))
_CONDITIONS = {
    "before": _r.id < bindparam("before", type_=_r.id.type),
    "status": _r.status == bindparam("status"),
    "user_id": _r.user_id == bindparam("user_id"),
    "provider": _r.provider == bindparam("provider"),
    "model": _r.model == bindparam("model"),
    "since": (_r.id >= bindparam("low", type_=_r.id.type))
    & (_r.created_at >= bindparam("since", type_=_r.created_at.type)),
    "until": (_r.id < bindparam("high", type_=_r.id.type))
    & (_r.created_at < bindparam("until", type_=_r.created_at.type)),
}
_RUN = Statement(select(*_SEEN, _r.timings).where(_r.id == bindparam("run_id")))
_STEPS = Statement(
    select(*(run_steps.c[name] for name in ("name", "status", "needs", "created_at", "ended_at")))
    .where(run_steps.c.run_id == bindparam("run_id"))
    .order_by(run_steps.c.place)
)
_HINT = Statement(select(provider_keys.c.hint).where(provider_keys.c.id == bindparam("key_id")))
_usage = msgspec.json.Decoder(Usage)


@cache
def _listing(names: frozenset[str]) -> Statement:
    """A page of those for which the conditions of these names hold."""
    return Statement(_newest.where(*(_CONDITIONS[name] for name in sorted(names))))


def _low(since: Instant) -> str:
    return id_at(max(0, since - SLACK) // 1_000 << 26, 0)


def _high(until: Instant) -> str:
    return id_at((until + SLACK) // 1_000 << 26, 0)


def _flow(period: Period, stride: Stride) -> Plan[list[Bucket]]:
    params = {**_bounds(period), "start": period.since, "stride": int(stride)}
    found: dict[int, Bucket] = {}

    def at(place: int) -> Bucket:
        if place not in found:
            found[place] = Bucket(Instant(period.since + place * stride), {})
        return found[place]

    for place, status, count in (yield Ask(_RUNS, **params)):
        at(place).runs[RunStatus(status)] = count
    for place, p50, p95 in (yield Ask(_FIRST_TOKEN, **params)):
        at(place).first_token = Latency(p50, p95)
    for place, p50, p95 in (yield Ask(_DURATION, **params)):
        at(place).duration = Latency(p50, p95)
    for place, prompt, completion, cost in (yield Ask(_SPENT, **params)):
        bucket = at(place)
        bucket.prompt_tokens, bucket.completion_tokens = prompt, completion
        bucket.cost = Picodollars(cost)
    return [found[place] for place in sorted(found)]


def _bounds(period: Period) -> dict[str, Any]:
    since, until = period.since, period.until
    return {"since": since, "until": until, "low": _low(since), "high": _high(until)}


def _failures(period: Period, limit: int) -> Plan[list[Failures]]:
    rows = yield Ask(_FAILURES, **_bounds(period), limit=limit)
    return [Failures(*row) for row in rows]


def _runs(wanted: Wanted, limit: int, before: str | None) -> Plan[list[SeenRun]]:
    given: dict[str, Any] = {"before": before, **msgspec.structs.asdict(wanted)}
    given = {name: value for name, value in given.items() if value is not None}
    statement = _listing(frozenset(given))
    if wanted.status is not None:
        given["status"] = wanted.status.value
    if wanted.since is not None:
        given["low"] = _low(wanted.since)
    if wanted.until is not None:
        given["high"] = _high(wanted.until)
    return [_to_seen(row) for row in (yield Ask(statement, **given, limit=limit))]


def _run(run_id: str) -> Plan[Seen]:
    rows = yield Ask(_RUN, run_id=run_id)
    if not rows:
        raise RunNotFound
    *columns, stored = rows[0]
    timings = decode_timings(stored)
    steps = yield Ask(_STEPS, run_id=run_id)
    hints = yield from _hints(timings)
    return Seen(_to_seen(columns), timings, tuple(map(_to_step, steps)), hints)


def _hints(timings: tuple[Timing, ...]) -> Plan[dict[str, str]]:
    hints = {}
    for key_id in sorted({each.key for each in timings if each.key is not None}):
        rows = yield Ask(_HINT, key_id=key_id)
        if rows:
            hints[key_id] = rows[0][0]
    return hints


def _to_step(row: Row) -> SeenStep:
    name, status, needs, at, end = row
    return SeenStep(name, StepStatus(status), needs, at, end)


def _to_seen(row: Row) -> SeenRun:
    """From the columns `_SEEN`."""
    *values, usage, cost = row
    fields = dict(zip(SeenRun.__struct_fields__, values, strict=False))
    fields["status"] = RunStatus(fields["status"])
    total = 0 if usage is None else _usage.decode(usage).total_tokens
    return SeenRun(**fields, total_tokens=total, cost=cost)


class Traffic:
    """Serves `ports.traffic.Traffic`."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    async def flow(self, period: Period, stride: Stride) -> list[Bucket]:
        return await self._watched.look(self._watched.deed("admin.traffic.read"), _flow, period, stride)

    async def failures(self, period: Period, limit: int) -> list[Failures]:
        return await self._watched.look(self._watched.deed("admin.errors.read"), _failures, period, limit)

    async def runs(self, wanted: Wanted, limit: int, before: str | None) -> list[SeenRun]:
        whose = {} if wanted.user_id is None else {"user": wanted.user_id}
        return await self._watched.look(
            self._watched.deed("admin.runs.read", **whose), _runs, wanted, limit, before
        )

    async def run(self, run_id: str) -> Seen:
        return await self._watched.look(self._watched.deed("admin.runs.read", f"run:{run_id}"), _run, run_id)
