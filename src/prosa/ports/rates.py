"""How often something was done in the last minute, counted by all nodes together."""

from collections.abc import Sequence
from typing import Protocol

from prosa.domain.rates import Count, Slot, Taken


class Rates(Protocol):
    async def take(self, counts: Sequence[Count], slot: Slot) -> Taken:
        """Counts once for each key, if there is room in all of them, else nowhere. Raises
        RatesUnavailable."""
        ...

    async def close(self) -> None: ...
