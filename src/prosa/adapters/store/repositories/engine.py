"""The engine's view: the journal, the ends, the leases and the ledger of the runs of all users."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.repositories.rows import RUN, to_run, unpack
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Many, Plan, Statement, Together
from prosa.adapters.store.tables import ai_usage, journal, messages, reservations, runs
from prosa.domain.ending import Append, Ending, Entry
from prosa.domain.runs import Run, RunStatus
from prosa.domain.time import Instant

_r = runs.c
_owned_and_open = and_(_r.owner == bindparam("boot"), _r.ended_at.is_(None))

_APPEND = Statement(
    insert(journal).from_select(
        ["user_id", "run_id", "first_seq", "last_seq", "data"],
        select(
            _r.user_id,
            _r.id,
            bindparam("first_seq", type_=journal.c.first_seq.type),
            bindparam("last_seq", type_=journal.c.last_seq.type),
            bindparam("data", type_=journal.c.data.type),
        ).where(_r.id == bindparam("run_id"), _owned_and_open),
    )
)
"""A row of the journal, unless the run is no longer the boot's: then nothing (fencing)."""
_LINES = Statement(
    select(journal.c.first_seq, journal.c.data)
    .where(journal.c.run_id == bindparam("run_id"))
    .order_by(journal.c.first_seq)
)
_END = Statement(
    update(runs)
    .where(_r.id == bindparam("run_id"), _owned_and_open)
    .values({name: bindparam(f"new_{name}") for name in
             ("status", "reason", "error_code", "error_message", "usage", "cost", "ended_at")})
    .returning(_r.id)
)  # fmt: skip
_SETTLE_MESSAGE = Statement(
    update(messages)
    .where(messages.c.id == bindparam("message_id"))
    .values(content=bindparam("new_content"), status=bindparam("new_status"))
)
_ENTER = Statement(
    postgresql.insert(ai_usage)
    .values({name: bindparam(name) for name in ai_usage.c.keys()})
    .on_conflict_do_nothing(index_elements=["run_id", "attempt"])
)
_RELEASE = Statement(delete(reservations).where(reservations.c.run_id == bindparam("run_id")))
_RENEW = Statement(
    update(runs).where(_owned_and_open).values(lease_until=bindparam("until")).returning(_r.id, _r.status)
)
_CLAIM = Statement(
    update(runs)
    .where(
        _r.owner != bindparam("boot"),
        _r.ended_at.is_(None),
        or_(bindparam("alone"), _r.lease_until < bindparam("now")),
    )
    .values(owner=bindparam("boot"), lease_until=bindparam("until"))
    .returning(*RUN)
)


def _commit(boot: str, appends: Sequence[Append], endings: Sequence[Ending]) -> Plan[set[str]]:
    if appends:
        yield Many(_APPEND, [{"boot": boot, **msgspec.structs.asdict(each)} for each in appends])
    ended = set()
    for ending in endings:
        rows = yield Ask(_END, boot=boot, **_end_params(ending))
        settled = [Ask(_ENTER, **_entry_params(ending.entry)), Ask(_RELEASE, run_id=ending.run_id)]
        if rows:
            ended.add(ending.run_id)
            settled.append(
                Ask(
                    _SETTLE_MESSAGE,
                    message_id=ending.message_id,
                    new_content=ending.content,
                    new_status=str(ending.message_status),
                )
            )
        yield Together(*settled)
    return ended


def _end_params(ending: Ending) -> dict[str, Any]:
    return {
        "run_id": ending.run_id,
        "new_status": str(ending.status),
        "new_reason": ending.reason,
        "new_error_code": ending.error_code,
        "new_error_message": ending.error_message,
        "new_usage": msgspec.json.encode(ending.usage).decode(),
        "new_cost": ending.cost,
        "new_ended_at": ending.ended_at,
    }


def _entry_params(entry: Entry) -> dict[str, Any]:
    params = msgspec.structs.asdict(entry)
    usage = params.pop("usage")
    return params | msgspec.structs.asdict(usage) | {"total_tokens": usage.total_tokens}


def _renew(boot: str, until: Instant) -> Plan[list[str]]:
    rows = yield Ask(_RENEW, boot=boot, until=until)
    return [row[0] for row in rows if row[1] == RunStatus.CANCELLING]


def _claim(boot: str, now: Instant, until: Instant, *, alone: bool) -> Plan[list[Run]]:
    rows = yield Ask(_CLAIM, boot=boot, now=now, until=until, alone=alone)
    return [to_run(row) for row in rows]


def _lines(run_id: str) -> Plan[list[tuple[int, bytes]]]:
    rows = yield Ask(_LINES, run_id=run_id)
    return unpack(rows)


class EngineRecords:
    """Serves `ports.store.EngineRecords`. `alone` says that the store serves one process only."""

    def __init__(self, session: Session, *, alone: bool) -> None:
        self._session = session
        self._alone = alone

    async def commit(self, boot: str, appends: Sequence[Append], endings: Sequence[Ending]) -> set[str]:
        return await self._session.write(_commit(boot, appends, endings))

    async def renew(self, boot: str, until: Instant) -> list[str]:
        return await self._session.write(_renew(boot, until))

    async def claim(self, boot: str, now: Instant, until: Instant) -> list[Run]:
        return await self._session.write(_claim(boot, now, until, alone=self._alone))

    async def lines(self, run_id: str) -> list[tuple[int, bytes]]:
        return await self._session.read(_lines(run_id))
