"""The engine's view: the journal, the ends, the leases and the ledger of the runs of all users."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.repositories.entries import as_taken, enter, from_taken
from prosa.adapters.store.repositories.leases import held_for_long, held_since, lease_end, lease_over
from prosa.adapters.store.repositories.limits import hold
from prosa.adapters.store.repositories.rows import (
    RUN,
    STEP,
    from_counts,
    from_parts,
    to_run,
    to_step,
    unpack,
)
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import (
    Ask,
    Ids,
    Json,
    Many,
    Plan,
    Several,
    Statement,
    Tell,
    Together,
    among,
)
from prosa.adapters.store.tables import journal, messages, reservations, run_steps, runs
from prosa.domain.ending import Append, Boundary, Ending, Entry
from prosa.domain.limits import Bound, Limits, Remaining
from prosa.domain.load import Held
from prosa.domain.models import Usage
from prosa.domain.money import Picodollars
from prosa.domain.runs import Run, RunStatus
from prosa.domain.steps import Step, StepStatus
from prosa.domain.time import SECOND, Instant
from prosa.domain.timing import Progress, encode_timings

LONGEST_HOLD = 60 * SECOND
"""How long money may be held for a run that no longer exists."""

ENDED = (
    "status", "reason", "error_code", "error_message", "usage", "cost", "ended_at", "provider", "model",
)  # fmt: skip
"""Columns of a run that its end sets."""

_r = runs.c
_owned_and_open = and_(_r.owner == bindparam("boot"), _r.ended_at.is_(None))

_TIMED = {
    "first_token_at": func.coalesce(
        _r.first_token_at, bindparam("new_first_token_at", type_=_r.first_token_at.type)
    ),
    "timings": func.coalesce(bindparam("new_timings", type_=_r.timings.type), _r.timings),
}
"""When a run did what: its first word stays the first, and who knows nothing leaves what there is."""

_HOLD = Statement(
    select(_r.id, _r.user_id, _r.ended_at, _r.status)
    .where(among(_r.id, "ids"), _r.owner == bindparam("boot"))
    .order_by(_r.id)
    .with_for_update(key_share=True)
)
"""Those of the runs that are the boot's. Until the end of the transaction nobody else claims them, so that
what is fenced stays fenced; readers and the user's own inserts are not kept waiting."""

_APPEND = Statement(
    insert(journal)
    .values({name: bindparam(name) for name in ("user_id", "run_id", "first_seq", "last_seq", "data")})
    .inline()
)
_LINES = Statement(
    select(journal.c.first_seq, journal.c.data)
    .where(journal.c.run_id == bindparam("run_id"))
    .order_by(journal.c.first_seq)
)
_STEPS = Statement(select(*STEP).where(run_steps.c.run_id == bindparam("run_id")).order_by(run_steps.c.place))
_END = Statement(
    update(runs)
    .where(_r.id == bindparam("run_id"), _owned_and_open)
    .values({name: bindparam(f"new_{name}") for name in ENDED} | {"checkpoint": null()} | _TIMED)
)
_SETTLE_MESSAGE = Statement(
    update(messages)
    .where(messages.c.id == bindparam("message_id"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("content", "parts", "status", "provider", "model", "tokens", "cached_at")
        }
    )
)
_KEEP_MESSAGE = Statement(
    update(messages)
    .where(messages.c.id == bindparam("message_id"))
    .values(content=bindparam("new_content"), parts=bindparam("new_parts", type_=messages.c.parts.type))
)
_GO_ON = Statement(
    update(runs)
    .where(_r.id == bindparam("run_id"), _owned_and_open)
    .values(
        usage=bindparam("new_usage", type_=_r.usage.type),
        attempts=bindparam("new_attempts"),
        settled=bindparam("new_settled"),
        provider=bindparam("new_provider"),
        model=bindparam("new_model"),
        **_TIMED,
    )
)
_PAUSE = Statement(
    update(runs)
    .where(_r.id == bindparam("run_id"), _owned_and_open)
    .values(
        status=RunStatus.REQUIRES_ACTION.value,
        owner="",
        checkpoint=bindparam("new_checkpoint"),
        expires_at=bindparam("new_expires_at"),
    )
)
_step = postgresql.insert(run_steps).values({column.name: bindparam(column.name) for column in run_steps.c})
_STEP = Statement(
    _step.on_conflict_do_update(
        index_elements=["run_id", "place"],
        set_={name: _step.excluded[name] for name in ("status", "result", "ended_at")},
        where=run_steps.c.ended_at.is_(None),
    )
)
_END_STEPS = Statement(
    update(run_steps)
    .where(run_steps.c.run_id == bindparam("run_id"), run_steps.c.ended_at.is_(None))
    .values(status=StepStatus.CANCELLED.value, ended_at=bindparam("new_ended_at"))
)
_RELEASE = Statement(delete(reservations).where(reservations.c.run_id == bindparam("run_id")))
_HOLD_NOTHING = Statement(
    update(reservations)
    .where(reservations.c.run_id == bindparam("run_id"))
    .values(tokens=literal(0), cost=literal(0))
)
"""What was held for an attempt that is in the ledger now: the next one holds anew before it asks."""
_RELEASE_OVER = Statement(
    delete(reservations).where(
        reservations.c.run_id == bindparam("run_id"),
        ~exists().where(_r.id == reservations.c.run_id, _r.ended_at.is_(None)),
    )
)
"""What a fenced owner may let go of: the run may go on elsewhere, or wait."""
_RELEASE_LOST = Statement(
    delete(reservations)
    .where(
        or_(
            held_for_long(),
            and_(bindparam("alone", type_=Boolean), reservations.c.boot != bindparam("boot")),
        ),
        ~exists().where(_r.id == reservations.c.run_id, _r.ended_at.is_(None)),
    )
    .returning(reservations.c.taken)
)
"""What is held for answers without a run whose process is gone, and for runs that went with their
conversation before it ended them."""
_KEEP = Statement(
    update(reservations)
    .where(reservations.c.run_id == bindparam("hold_id"))
    .values(
        created_at=held_since(),
        taken=func.coalesce(bindparam("new_taken", type_=reservations.c.taken.type), reservations.c.taken),
    )
)
_HELD = Statement(
    select(
        func.count(),
        *(
            cast(func.coalesce(func.sum(column), literal_column("0")), BigInteger)
            for column in (reservations.c.tokens, reservations.c.cost)
        ),
    )
)
_RENEW = Statement(
    update(runs)
    .where(among(_r.id, "ids"), _owned_and_open)
    .values(lease_until=lease_end())
    .returning(_r.id, _r.status)
)
_GET_ON = Statement(update(runs).where(_r.id == bindparam("run_id"), _owned_and_open).values(_TIMED))
_CLAIM = Statement(
    update(runs)
    .where(
        _r.ended_at.is_(None),
        or_(
            and_(
                _r.status != literal(RunStatus.REQUIRES_ACTION.value),
                or_(
                    lease_over(),
                    _r.owner == literal(""),  # it was stopped while it waited
                    and_(bindparam("alone", type_=Boolean), _r.owner != bindparam("boot")),
                ),
            ),
            _r.expires_at < bindparam("now", type_=_r.expires_at.type),
        ),
    )
    .values(owner=bindparam("boot"), lease_until=lease_end())
    .returning(*RUN)
)


def _commit(
    boot: str, appends: Sequence[Append], endings: Sequence[Ending], boundaries: Sequence[Boundary]
) -> Plan[set[str]]:
    ids = {each.run_id for each in appends} | {each.run_id for each in endings}
    ids |= {each.run_id for each in boundaries}
    held = yield Ask(_HOLD, ids=Ids(sorted(ids)), boot=boot)
    owners = {run_id: user_id for run_id, user_id, ended_at, _ in held if ended_at is None}
    going = {run_id for run_id, _, _, status in held if status == RunStatus.IN_PROGRESS}
    lines = _lines_of(owners, appends)
    # A run that was asked to stop meanwhile does not pause: who executes it hears of the stop.
    pauses = {each.run_id for each in boundaries if each.pause is not None} & going
    written = [run_id for run_id, asked in lines.items() if asked or run_id in pauses]
    if endings:
        yield from _put_ends(boot, endings, lines)
    for boundary in boundaries:
        asked = [enter(entry) for entry in boundary.entries]
        if boundary.run_id in owners:
            asked += [*lines.pop(boundary.run_id, []), *_boundary(boot, boundary)]
            if boundary.run_id in pauses:
                asked += _pause(boot, owners[boundary.run_id], boundary)
        if asked:
            yield Together(*asked)
    rest = [ask.params for asked in lines.values() for ask in asked]
    if rest:
        yield Many(_APPEND, rest)
    if written:
        yield Tell("journal", written)
    # A commit whose answer was lost with the connection is tried again: its own end is no fence.
    ends = {run_id: ended_at for run_id, _, ended_at, _ in held}
    ended = {
        each.run_id for each in endings if each.run_id in ends and ends[each.run_id] in (None, each.ended_at)
    }
    return ended | pauses | {each.run_id for each in boundaries if each.pause is None} & owners.keys()


def _lines_of(owners: Mapping[str, str], appends: Sequence[Append]) -> dict[str, list[Ask]]:
    lines: dict[str, list[Ask]] = {run_id: [] for run_id in owners}
    for each in appends:
        if each.run_id in owners:
            lines[each.run_id].append(_line(owners[each.run_id], each))
    return lines


def _line(user_id: str, append: Append) -> Ask:
    return Ask(_APPEND, user_id=user_id, **msgspec.structs.asdict(append))


def _put_ends(boot: str, endings: Sequence[Ending], lines: dict[str, list[Ask]]) -> Plan[None]:
    """Takes from `lines` those of the runs that end."""
    called = [each for each in endings if each.parts and each.run_id in lines]
    yield Several([Together(*_end(boot, each, lines.pop(each.run_id, None))) for each in endings])
    if called:  # an answer that is all text has called no tools
        yield Many(_END_STEPS, [{"run_id": each.run_id, "new_ended_at": each.ended_at} for each in called])


def _end(boot: str, ending: Ending, lines: list[Ask] | None) -> list[Ask]:
    """Without `lines` the run is not the boot's, or has ended: then only what it took is put down."""
    asked = [enter(entry) for entry in ending.entries]
    if lines is None:
        return [*asked, Ask(_RELEASE_OVER, run_id=ending.run_id)]
    return [
        *asked,
        *lines,
        Ask(_RELEASE, run_id=ending.run_id),
        Ask(_END, boot=boot, **_end_params(ending)),
        Ask(_SETTLE_MESSAGE, **_message_params(ending)),
        *map(_put, ending.steps),
    ]


def _boundary(boot: str, boundary: Boundary) -> list[Ask]:
    """What is written at a boundary of a run that is still the boot's, but for its entries and events."""
    usage = Json(msgspec.json.encode(Usage(boundary.prompt)).decode())
    spent = [Ask(_HOLD_NOTHING, run_id=boundary.run_id)] if boundary.entries else []
    return [
        *spent,
        *map(_put, boundary.steps),
        Ask(_KEEP_MESSAGE, message_id=boundary.message_id, new_content=boundary.content,
            new_parts=from_parts(boundary.parts)),
        Ask(_GO_ON, run_id=boundary.run_id, boot=boot, new_usage=usage, new_attempts=boundary.attempts,
            new_settled=boundary.settled, new_provider=boundary.provider, new_model=boundary.model,
            **_timed_params(boundary)),
    ]  # fmt: skip


def _pause(boot: str, user_id: str, boundary: Boundary) -> list[Ask]:
    pause = boundary.pause
    assert pause is not None
    return [
        _line(user_id, pause.told),
        Ask(_PAUSE, run_id=boundary.run_id, boot=boot, new_checkpoint=pause.checkpoint,
            new_expires_at=pause.expires_at),
    ]  # fmt: skip


def _put(step: Step) -> Ask:
    return Ask(_STEP, **{**msgspec.structs.asdict(step), "status": str(step.status)})


def _message_params(ending: Ending) -> dict[str, Any]:
    return {
        "message_id": ending.message_id,
        "new_content": ending.content,
        "new_parts": from_parts(ending.parts),
        "new_status": str(ending.message_status),
        "new_provider": ending.provider,
        "new_model": ending.model,
        "new_tokens": from_counts(ending.tokens),
        "new_cached_at": ending.cached_at,
    }


def _end_params(ending: Ending) -> dict[str, Any]:
    return {
        "run_id": ending.run_id,
        "new_status": str(ending.status),
        "new_reason": ending.reason,
        "new_error_code": ending.error_code,
        "new_error_message": ending.error_message,
        "new_usage": Json(msgspec.json.encode(ending.usage).decode()),
        "new_cost": ending.cost,
        "new_ended_at": ending.ended_at,
        "new_provider": ending.provider,
        "new_model": ending.model,
        **_timed_params(ending),
    }


def _timed_params(timed: Boundary | Ending | Progress) -> dict[str, Any]:
    return {
        "new_first_token_at": timed.first_token_at,
        "new_timings": Json(encode_timings(timed.timings)) if timed.timings else None,
    }


def _renew(
    boot: str, run_ids: Sequence[str], now: Instant, until: Instant, news: Sequence[Progress]
) -> Plan[dict[str, RunStatus]]:
    rows = yield Ask(_RENEW, boot=boot, ids=Ids(run_ids), now=now, until=until)
    if news:
        yield Many(_GET_ON, [{"run_id": each.run_id, "boot": boot, **_timed_params(each)} for each in news])
    return {run_id: RunStatus(status) for run_id, status in rows}


def _claim(boot: str, now: Instant, until: Instant, *, alone: bool) -> Plan[list[Run]]:
    rows = yield Ask(_CLAIM, boot=boot, now=now, until=until, alone=alone)
    lost = yield Ask(_RELEASE_LOST, boot=boot, now=now, before=now - LONGEST_HOLD, alone=alone)
    entries = [from_taken(taken) for (taken,) in lost if taken is not None]
    if entries:  # last: who has entered something waits for no run, or he might wait for one who enters
        yield Together(*map(enter, entries))
    return [to_run(row) for row in rows]


def _keep(holds: Mapping[str, Entry | None], now: Instant) -> Plan[None]:
    rows = [
        {"hold_id": hold_id, "new_taken": None if entry is None else as_taken(entry), "now": now}
        for hold_id, entry in sorted(holds.items())
    ]
    yield Many(_KEEP, rows)


def _held() -> Plan[Held]:
    ((number, tokens, cost),) = yield Ask(_HELD)
    return Held(number, tokens, Picodollars(cost))


def _lines(run_id: str) -> Plan[list[tuple[int, bytes]]]:
    rows = yield Ask(_LINES, run_id=run_id)
    return unpack(rows)


def _steps(run_id: str) -> Plan[list[Step]]:
    rows = yield Ask(_STEPS, run_id=run_id)
    return [to_step(row) for row in rows]


class EngineRecords:
    """Serves `ports.store.EngineRecords`. `alone` says that the store serves one process only."""

    def __init__(self, session: Session, *, alone: bool) -> None:
        self._session = session
        self._alone = alone

    async def commit(
        self,
        boot: str,
        appends: Sequence[Append],
        endings: Sequence[Ending],
        boundaries: Sequence[Boundary] = (),
    ) -> set[str]:
        return await self._session.write(_commit, boot, appends, endings, boundaries)

    async def hold(self, run_id: str, user_id: str, limits: Limits, bound: Bound, now: Instant) -> Remaining:
        return await self._session.write(hold, run_id, user_id, limits, bound, now)

    async def renew(
        self,
        boot: str,
        run_ids: Sequence[str],
        now: Instant,
        until: Instant,
        news: Sequence[Progress] = (),
    ) -> dict[str, RunStatus]:
        return await self._session.write(_renew, boot, run_ids, now, until, news)

    async def claim(self, boot: str, now: Instant, until: Instant) -> list[Run]:
        return await self._session.write(_claim, boot, now, until, alone=self._alone)

    async def keep(self, holds: Mapping[str, Entry | None], now: Instant) -> None:
        await self._session.write(_keep, holds, now)

    async def held(self) -> Held:
        return await self._session.read(_held)

    async def lines(self, run_id: str) -> list[tuple[int, bytes]]:
        return await self._session.read(_lines, run_id)

    async def steps(self, run_id: str) -> list[Step]:
        return await self._session.read(_steps, run_id)
