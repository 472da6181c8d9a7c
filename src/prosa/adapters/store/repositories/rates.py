"""Requests a minute, counted in Postgres for all nodes."""

from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, Double, Text, bindparam, func, select

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Ask, Plan, Statement
from prosa.domain.errors import StoreUnavailable
from prosa.domain.rates import STAY, Count, RatesUnavailable, Slot, Taken

_TAKE = Statement(
    select(
        func.prosa_take(
            bindparam("keys", type_=ARRAY(Text())),
            bindparam("limits", type_=ARRAY(BigInteger())),
            bindparam("slot", type_=BigInteger()),
            bindparam("over", type_=Double()),
        ).table_valued("now", "before", "refused")
    )
)


def _take(counts: Sequence[Count], slot: Slot) -> Plan[Taken]:
    rows = yield Ask(
        _TAKE, keys=[count.key for count in counts], limits=[count.limit for count in counts],
        slot=slot.number, over=slot.over,
    )  # fmt: skip
    refused = next((place for place, row in enumerate(rows) if row[2]), None)
    return Taken([(row[0], row[1]) for row in rows], refused)


_keys, _node = bindparam("keys", type_=ARRAY(Text())), bindparam("node", type_=Text())
_seconds = bindparam("seconds", type_=BigInteger())
_ENTER = Statement(
    select(func.prosa_enter(_keys, bindparam("limits", type_=ARRAY(BigInteger())), _node, _seconds))
)
_LEAVE = Statement(select(func.prosa_leave(_keys, _node)))
_STAY = Statement(select(func.prosa_stay(_node, _seconds)))


def _enter(counts: Sequence[Count], node: str) -> Plan[int | None]:
    keys, limits = [count.key for count in counts], [count.limit for count in counts]
    full = (yield Ask(_ENTER, keys=keys, limits=limits, node=node, seconds=STAY))[0][0]
    return full - 1 if full else None


def _leave(keys: Sequence[str], node: str) -> Plan[None]:
    yield Ask(_LEAVE, keys=keys, node=node)


def _stay(node: str) -> Plan[None]:
    yield Ask(_STAY, node=node, seconds=STAY)


class StoredRates:
    """Serves `ports.rates.Rates`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(self, counts: Sequence[Count], slot: Slot) -> Taken:
        try:
            return await self._session.write(_take, counts, slot)
        except StoreUnavailable as error:
            raise RatesUnavailable from error

    async def enter(self, counts: Sequence[Count], node: str) -> int | None:
        try:
            return await self._session.write(_enter, counts, node)
        except StoreUnavailable as error:
            raise RatesUnavailable from error

    async def leave(self, keys: Sequence[str], node: str) -> None:
        try:
            await self._session.write(_leave, keys, node)
        except StoreUnavailable as error:
            raise RatesUnavailable from error

    async def stay(self, node: str) -> None:
        try:
            await self._session.write(_stay, node)
        except StoreUnavailable as error:
            raise RatesUnavailable from error

    async def close(self) -> None:
        """The store's connections are its own to close."""
