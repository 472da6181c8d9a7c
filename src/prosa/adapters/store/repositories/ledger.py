"""A principal's money for what is asked of providers without a run: held, kept, entered, released."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, update
from sqlalchemy.dialects import postgresql

from prosa.adapters.store.repositories.leases import held_since
from prosa.adapters.store.repositories.limits import RESERVE, remaining
from prosa.adapters.store.repositories.rows import from_entry
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Ids, Many, Plan, Statement, Together, among, owned
from prosa.adapters.store.tables import ai_usage, reservations
from prosa.domain.ending import Entry
from prosa.domain.limits import Bound, Limits
from prosa.domain.opening import Measure
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
_TOUCH = Statement(
    update(reservations)
    .where(among(reservations.c.run_id, "ids"), owned(reservations))
    .values(created_at=held_since())
)
_RELEASE = Statement(
    delete(reservations).where(reservations.c.run_id == bindparam("hold_id"), owned(reservations))
)
_ENTER = Statement(
    postgresql.insert(ai_usage)
    .values(
        {name: bindparam("principal" if name == "user_id" else name) for name in ai_usage.c.keys()}  # noqa: SIM118 - a collection of columns, no dict
    )
    .on_conflict_do_nothing()
)
"""Once for each attempt, however often it is tried."""


def _hold(
    ids: Sequence[str], client_id: str, limits: Limits, measure: Measure, now: Instant, *, beside: bool
) -> Plan[Bound]:
    left = yield from remaining(limits, now)
    if not beside:
        left.begin(len(ids))
    bound = measure(left.shared(len(ids)))
    left.hold(bound.times(len(ids)))
    row = {
        "client_id": client_id, "tokens": bound.tokens, "cost": bound.cost, "now": now,
        "beside": beside,
    }  # fmt: skip
    yield Many(RESERVE, [{"run_id": hold_id, **row} for hold_id in ids])
    return bound


def _go_on(hold_id: str, entries: Sequence[Entry], limits: Limits, bound: Bound, now: Instant) -> Plan[None]:
    yield from remaining(limits, now)  # before what is entered: nobody waits in a ring
    yield Together(
        *(Ask(_ENTER, **from_entry(entry)) for entry in entries),
        Ask(_RESERVE_ANEW, hold_id=hold_id, new_tokens=0, new_cost=0, now=now),
    )
    left = yield from remaining(limits, now)
    left.hold(bound)
    yield Ask(_RESERVE_ANEW, hold_id=hold_id, new_tokens=bound.tokens, new_cost=bound.cost, now=now)


def _touch(ids: Sequence[str], now: Instant) -> Plan[None]:
    yield Ask(_TOUCH, ids=Ids(ids), now=now)


def _release(hold_id: str, entries: Sequence[Entry]) -> Plan[None]:
    yield Together(*(Ask(_ENTER, **from_entry(entry)) for entry in entries), Ask(_RELEASE, hold_id=hold_id))


class Ledger:
    """Serves `ports.store.Ledger`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def hold(
        self,
        ids: Sequence[str],
        client_id: str,
        limits: Limits,
        measure: Measure,
        now: Instant,
        *,
        beside: bool = False,
    ) -> Bound:
        return await self._session.write(_hold, ids, client_id, limits, measure, now, beside=beside)

    async def go_on(
        self, hold_id: str, entries: Sequence[Entry], limits: Limits, bound: Bound, now: Instant
    ) -> None:
        await self._session.write(_go_on, hold_id, entries, limits, bound, now)

    async def touch(self, ids: Sequence[str], now: Instant) -> None:
        await self._session.write(_touch, ids, now)

    async def release(self, hold_id: str, entries: Sequence[Entry]) -> None:
        await self._session.write(_release, hold_id, entries)
