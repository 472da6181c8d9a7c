"""How often something was done in the last minute, and how many there are now, at all nodes together."""

from collections.abc import Sequence
from typing import Protocol

from prosa.domain.rates import Count, Slot, Taken


class Rates(Protocol):
    async def take(self, counts: Sequence[Count], slot: Slot) -> Taken:
        """Counts once for each key, if there is room in all of them, else nowhere. Raises
        RatesUnavailable."""
        ...

    async def enter(self, counts: Sequence[Count], node: str) -> int | None:
        """One more of each key at this node, unless there are as many of one as its limit allows at all nodes
        together: then that one's place, and nothing is counted. What a node has counts until it has not said
        `stay` for a minute. Raises RatesUnavailable."""
        ...

    async def leave(self, keys: Sequence[str], node: str) -> None:
        """One less of each. Raises RatesUnavailable."""
        ...

    async def stay(self, node: str) -> None:
        """Raises RatesUnavailable."""
        ...

    async def close(self) -> None: ...
