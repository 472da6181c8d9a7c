"""Where the shared counts can't be had, each node counts for itself, and says so."""

import time
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from prosa.adapters.rates.memory import MemoryRates
from prosa.domain.rates import Count, RatesUnavailable, Slot, Taken
from prosa.kit.log import log
from prosa.ports.rates import Rates

T = TypeVar("T")

PAUSE = 5.0
"""Seconds in which nobody waits for what has failed."""


class FallingRates:
    """Serves `ports.rates.Rates`. There is as much room on each node then; money is never counted here."""

    def __init__(self, shared: Rates) -> None:
        self._shared = shared
        self._own = MemoryRates()
        self._until = 0.0

    async def take(self, counts: Sequence[Count], slot: Slot) -> Taken:
        if time.monotonic() >= self._until:
            try:
                return await self._shared.take(counts, slot)
            except RatesUnavailable as error:
                self._until = time.monotonic() + PAUSE
                log.warning("rates_not_shared", error=str(error.__cause__ or error))
        return await self._own.take(counts, slot)

    async def enter(self, counts: Sequence[Count], node: str) -> int | None:
        """Where nobody can be asked there is room: each node has its own eye on its own."""
        return await self._tried(self._shared.enter(counts, node))

    async def leave(self, keys: Sequence[str], node: str) -> None:
        await self._tried(self._shared.leave(keys, node))

    async def stay(self, node: str) -> None:
        await self._tried(self._shared.stay(node))

    async def _tried(self, answer: Awaitable[T]) -> T | None:
        try:
            return await answer
        except RatesUnavailable as error:
            log.warning("rates_not_shared", error=str(error.__cause__ or error))
            return None

    async def close(self) -> None:
        await self._shared.close()
