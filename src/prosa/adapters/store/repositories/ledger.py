"""A principal's money for what is asked of providers without a run: held, kept, entered, released."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, update

from prosa.adapters.store.repositories.entries import enter_own
from prosa.adapters.store.repositories.leases import held_since
from prosa.adapters.store.repositories.limits import RESERVE, remaining
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Many, Plan, Statement, Together, owned
from prosa.adapters.store.tables import reservations
from prosa.domain.ending import Entry
from prosa.domain.limits import Bound, Limits
from prosa.domain.opening import Holding, Measure
from prosa.domain.time import Instant

_RESERVE_ANEW = Statement(
    update(reservations)
    .where(reservations.c.run_id == bindparam("hold_id"), owned(reservations))
    .values(
        tokens=bindparam("new_tokens"),
        cost=bindparam("new_cost", type_=reservations.c.cost.type),
        created_at=held_since(),
    )
)
_RELEASE = Statement(
    delete(reservations).where(reservations.c.run_id == bindparam("hold_id"), owned(reservations))
)


def _hold(holding: Holding, limits: Limits, measure: Measure, now: Instant) -> Plan[Bound]:
    left, number = (yield from remaining(limits, now)), len(holding.ids)
    if not holding.beside:
        left.begin(number)
    bound = measure(left.shared(number))
    left.hold(bound.times(number))
    row = {
        "client_id": holding.client_id, "tokens": bound.tokens, "cost": bound.cost, "now": now,
        "beside": holding.beside, "boot": holding.boot,
    }  # fmt: skip
    yield Many(RESERVE, [{"run_id": hold_id, **row} for hold_id in holding.ids])
    return bound


def _go_on(hold_id: str, entries: Sequence[Entry], limits: Limits, bound: Bound, now: Instant) -> Plan[None]:
    yield from remaining(limits, now)  # before what is entered: nobody waits in a ring
    yield Together(
        *map(enter_own, entries),
        Ask(_RESERVE_ANEW, hold_id=hold_id, new_tokens=0, new_cost=0, now=now),
    )
    left = yield from remaining(limits, now)
    left.hold(bound)
    yield Ask(_RESERVE_ANEW, hold_id=hold_id, new_tokens=bound.tokens, new_cost=bound.cost, now=now)


def _release(hold_id: str, entries: Sequence[Entry]) -> Plan[None]:
    yield Together(*map(enter_own, entries), Ask(_RELEASE, hold_id=hold_id))


class Ledger:
    """Serves `ports.store.Ledger`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def hold(self, holding: Holding, limits: Limits, measure: Measure, now: Instant) -> Bound:
        return await self._session.write(_hold, holding, limits, measure, now)

    async def go_on(
        self, hold_id: str, entries: Sequence[Entry], limits: Limits, bound: Bound, now: Instant
    ) -> None:
        await self._session.write(_go_on, hold_id, entries, limits, bound, now)

    async def release(self, hold_id: str, entries: Sequence[Entry]) -> None:
        await self._session.write(_release, hold_id, entries)
