"""How often a minute callers may ask for answers, and change what there is: counted before all else."""

import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from prosa.domain.limits import Limits, Scope
from prosa.domain.principal import Principal
from prosa.domain.rates import Count, RequestLimitReached, Slot, Taken, left, slot_at, wait
from prosa.kit.shares import Shares
from prosa.ports.rates import Rates

MOST_KNOWN = 10_000
"""Callers who are remembered."""

AT_ONCE = 2
"""Of one user that are counted at a time: more would only wait for one another in the database, and have all
others wait for a connection."""

OPERATOR = 60
"""What an operator may do in a minute, whatever the limits say: who has set one too low has to mend it."""


class Window(Struct, frozen=True):
    """Of the requests of a minute: how many there may be, how many more are left, and how many seconds until
    the minute is over."""

    limit: int
    left: int
    resets: int


class Requests:
    """`last` is what a user was told last, for the headers of all his answers."""

    def __init__(self, limits: Callable[[Principal], Limits], rates: Rates) -> None:
        self._limits = limits
        self._rates = rates
        self._shares = Shares(AT_ONCE)
        self.last: dict[str, Window] = {}

    async def take(self, principal: Principal) -> None:
        """Counts a request. Raises RequestLimitReached."""
        limits = self._limits(principal)
        counts = _counts(principal, limits)
        if not counts:
            return
        async with self._shares.of(principal.user_id):
            slot = slot_at(time.time())
            taken = await self._rates.take([count for _, count in counts], slot)
        self._remember(principal, [count for _, count in counts], taken, slot)
        if taken.refused is not None:
            scope, count = counts[taken.refused]
            raise _refused(scope, count.limit, taken.before[taken.refused], slot)

    async def manage(self, principal: Principal, *, operating: bool = False) -> None:
        """Counts what somebody does with his account, or as an operator: as often as he may ask for answers,
        and beside that, so that neither keeps him, or anybody else, from a key that must be revoked. Raises
        RequestLimitReached."""
        limit = self._limits(principal).requests_per_minute
        if limit is None:
            return
        limit = max(limit, OPERATOR) if operating else limit
        async with self._shares.of(principal.user_id):
            slot = slot_at(time.time())
            taken = await self._rates.take([Count(f"account {principal.user_id}", limit)], slot)
        if taken.refused is not None:
            raise _refused(Scope.USER, limit, taken.before[0], slot)

    async def close(self) -> None:
        await self._rates.close()

    def _remember(self, principal: Principal, counts: Sequence[Count], taken: Taken, slot: Slot) -> None:
        more = 0 if taken.refused is not None else 1
        windows = [
            Window(count.limit, left(count.limit, now + more, before, slot.over), round((1 - slot.over) * 60))
            for count, (now, before) in zip(counts, taken.before, strict=True)
        ]
        if len(self.last) >= MOST_KNOWN:
            self.last.clear()
        self.last[principal.user_id] = min(windows, key=lambda window: window.left)


def _refused(scope: Scope, limit: int, before: tuple[int, int], slot: Slot) -> RequestLimitReached:
    seconds = wait(limit, *before, slot.over)
    return RequestLimitReached(limit=limit, remaining=0, retryAfter=seconds, scope=str(scope))


def _counts(principal: Principal, limits: Limits) -> list[tuple[Scope, Count]]:
    of = (
        (Scope.USER, principal.user_id, limits.requests_per_minute),
        (Scope.CLIENT, principal.client_id, limits.client.requests_per_minute),
        (Scope.EVERYONE, "", limits.everyone.requests_per_minute),
    )
    return [(scope, Count(f"{scope} {whose}", limit)) for scope, whose, limit in of if limit is not None]
