"""The runs of all users: how many, what failed, which, and one run's course."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, func, select

from prosa.adapters.store.repositories.flow import flow
from prosa.adapters.store.repositories.watched import Watched
from prosa.adapters.store.statement import Ask, Plan, Row, Statement
from prosa.adapters.store.tables import provider_keys, run_steps, runs
from prosa.domain.calendar import Period
from prosa.domain.errors import RunNotFound
from prosa.domain.ids import id_at
from prosa.domain.models import Usage
from prosa.domain.runs import RunStatus
from prosa.domain.steps import StepStatus
from prosa.domain.time import SECOND, Instant
from prosa.domain.timing import Timing, decode_timings
from prosa.domain.traffic import (
    Bucket,
    Failures,
    Seen,
    SeenRun,
    SeenStep,
    Wanted,
)

_r = runs.c

SLACK = 60 * SECOND
"""How far the time in an id may be from that of its row: both are taken one after the other."""


_since = _r.created_at >= bindparam("since", type_=_r.created_at.type)
_until = _r.created_at < bindparam("until", type_=_r.created_at.type)
_FAILURES = Statement(
    select(_r.error_code, _r.provider, _r.model, func.count(), func.max(_r.ended_at))
    .where(_since, _until, _r.error_code.is_not(None))
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
    "since": (_r.id >= bindparam("low", type_=_r.id.type)) & _since,
    "until": (_r.id < bindparam("high", type_=_r.id.type)) & _until,
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


def _failures(period: Period, limit: int) -> Plan[list[Failures]]:
    rows = yield Ask(_FAILURES, since=period.since, until=period.until, limit=limit)
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
    run = _to_seen(columns)
    if run.ended_at is None:
        run = replace(run, total_tokens=sum(each.tokens for each in timings))
    return Seen(run, timings, tuple(map(_to_step, steps)), hints)


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

    async def flow(self, periods: Sequence[Period]) -> list[Bucket]:
        return await self._watched.look(self._watched.deed("admin.traffic.read"), flow, periods)

    async def failures(self, period: Period, limit: int) -> list[Failures]:
        return await self._watched.look(self._watched.deed("admin.errors.read"), _failures, period, limit)

    async def runs(self, wanted: Wanted, limit: int, before: str | None) -> list[SeenRun]:
        whose = {} if wanted.user_id is None else {"user": wanted.user_id}
        return await self._watched.look(
            self._watched.deed("admin.runs.read", **whose), _runs, wanted, limit, before
        )

    async def run(self, run_id: str) -> Seen:
        return await self._watched.look(self._watched.deed("admin.runs.read", f"run:{run_id}"), _run, run_id)
