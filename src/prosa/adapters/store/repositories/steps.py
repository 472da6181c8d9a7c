"""The steps of one principal's runs: reading them, and what a caller says to those that wait."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, func, null, select, update

from prosa.adapters.store.repositories.leases import lease_end
from prosa.adapters.store.repositories.rows import RUN, STEP, to_run, to_step
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Statement, Together, owned
from prosa.adapters.store.tables import journal, run_steps, runs
from prosa.domain.errors import InvalidRequest, RunNotFound, RunNotWaiting
from prosa.domain.runs import Run, RunStatus, Signal, feed
from prosa.domain.steps import ENDS, Resumed, Step, StepStatus, Verdict
from prosa.domain.time import Instant

_s, _r = run_steps.c, runs.c

_LIST = Statement(select(*STEP).where(_s.run_id == bindparam("run_id"), owned(run_steps)).order_by(_s.place))
_WAITING = Statement(
    select(*RUN, _r.checkpoint).where(_r.id == bindparam("run_id"), owned(runs)).with_for_update()
)
_LAST = Statement(
    select(func.max(journal.c.last_seq)).where(journal.c.run_id == bindparam("run_id"), owned(journal))
)
_SAY = Statement(
    update(run_steps)
    .where(_s.run_id == bindparam("key"), _s.place == bindparam("at"), owned(run_steps))
    .values({name: bindparam(f"new_{name}") for name in ("status", "result", "ended_at")})
)
_RESUME = Statement(
    update(runs)
    .where(_r.id == bindparam("key"), owned(runs))
    .values(
        status=bindparam("status"),
        owner=bindparam("boot"),
        lease_until=lease_end(),
        expires_at=null(),
        checkpoint=null(),
    )
)


def _list(run_id: str) -> Plan[list[Step]]:
    rows = yield Ask(_LIST, run_id=run_id)
    return [to_step(row) for row in rows]


def _say(run_id: str, verdicts: Sequence[Verdict], boot: str, now: Instant, until: Instant) -> Plan[Resumed]:
    run, checkpoint = yield from _waiting(run_id)
    steps = {step.call_id: step for step in (yield from _list(run_id))}
    said = []
    for verdict in verdicts:
        step = _decided(steps, verdict, now)
        steps[step.call_id] = step
        said.append(step)
    yield Together(
        *(
            Ask(_SAY, key=run_id, at=step.place, new_status=str(step.status), new_result=step.result,
                new_ended_at=step.ended_at)
            for step in said
        )
    )  # fmt: skip
    every = tuple(sorted(steps.values(), key=lambda step: step.place))
    if any(step.status is StepStatus.WAITING for step in every):
        return Resumed(run, every)
    status = feed(feed(run.status, Signal.ANSWER), Signal.BEGIN)
    yield Ask(_RESUME, key=run_id, status=str(status), boot=boot, now=now, until=until)
    last = yield Ask(_LAST, run_id=run_id)
    goes_on = msgspec.structs.replace(run, status=status, owner=boot, expires_at=None)
    return Resumed(goes_on, every, checkpoint, last[0][0] or 0)


def _waiting(run_id: str) -> Plan[tuple[Run, bytes]]:
    """The run, locked, and how it goes on. Raises RunNotFound, RunNotWaiting."""
    rows = yield Ask(_WAITING, run_id=run_id)
    if not rows:
        raise RunNotFound
    *columns, checkpoint = rows[0]
    run = to_run(columns)
    if run.status is not RunStatus.REQUIRES_ACTION or checkpoint is None:
        raise RunNotWaiting
    return run, bytes(checkpoint)


def _decided(steps: dict[str, Step], verdict: Verdict, now: Instant) -> Step:
    """The step after the verdict. Raises InvalidRequest where the run has no such call, RunNotWaiting where
    it was decided before, or waits for something else."""
    step = steps.get(verdict.call_id)
    if step is None:
        raise InvalidRequest("there is no call with this id in the run.")
    if step.status is not StepStatus.WAITING or step.needs != verdict.needs:
        raise RunNotWaiting
    ended = now if verdict.status in ENDS else None
    return msgspec.structs.replace(step, status=verdict.status, result=verdict.result, ended_at=ended)


class Steps:
    """Serves `ports.store.Steps`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of(self, run_id: str) -> list[Step]:
        return await self._session.read(_list, run_id)

    async def say(
        self, run_id: str, verdicts: Sequence[Verdict], boot: str, now: Instant, until: Instant
    ) -> Resumed:
        return await self._session.write(_say, run_id, verdicts, boot, now, until)
