"""Sockets of all nodes: how many of them a user, a client and everyone have."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from prosa.domain.ids import new_id
from prosa.domain.limits import Limits, Scope
from prosa.domain.rates import STAY, Count, RatesUnavailable
from prosa.domain.sockets import TooManySockets
from prosa.kit.log import log
from prosa.kit.shares import Shares
from prosa.ports.rates import Rates

AT_ONCE = 2
"""Of one user that come or go at a time, so that nobody waits behind all of them."""


class Places:
    """Those of this node, among those of all. Where nobody can be asked, each node looks after its own."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._node = new_id()
        self._shares = Shares(AT_ONCE)
        self._keeper: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def of(self, user_id: str, limits: Limits) -> AsyncIterator[None]:
        """Raises TooManySockets."""
        whose = (
            (f"{Scope.USER} {user_id}", limits.sockets),
            (f"{Scope.CLIENT} {limits.client_id}", limits.client.sockets),
            (f"{Scope.EVERYONE} ", limits.everyone.sockets),
        )
        counts = [Count(key, most) for key, most in whose if most is not None]
        share = self._shares.of(user_id)
        async with share:
            entered = bool(counts) and await self._enter(counts)
        try:
            yield
        finally:
            if entered:
                await asyncio.shield(self._leave([count.key for count in counts], share))

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def _enter(self, counts: list[Count]) -> bool:
        try:
            full = await self._rates.enter(counts, self._node)
        except RatesUnavailable:
            log.warning("places_not_shared")
            return False
        if full is not None:
            raise TooManySockets
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="prosa-places")
        return True

    async def _leave(self, keys: list[str], share: asyncio.Semaphore) -> None:
        with contextlib.suppress(RatesUnavailable):  # then it counts until this node says nothing any more
            async with share:
                await self._rates.leave(keys, self._node)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(STAY / 3)
            with contextlib.suppress(RatesUnavailable):
                await self._rates.stay(self._node)
