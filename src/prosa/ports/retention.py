"""What the sweep may see of everybody's: how old it is and whose, and nothing of what it says."""

from typing import Protocol

from prosa.domain.retention import Kind, Old
from prosa.domain.time import Instant

FIRST = "00000000-0000-0000-0000-000000000000"
"""Before every id."""

LOOK = 1_000
"""Rows that are looked at together."""


class Ages(Protocol):
    async def take(self, duty: str, holder: str, now: Instant, until: Instant) -> bool:
        """Whether it is the holder who sees to this until then: nobody else does."""
        ...

    async def old(self, kind: Kind, before: Instant, after: str) -> list[Old]:
        """The next rows (`LOOK` at most) in the order of their ids, of those that were made before then."""
        ...

    async def expired(self, now: Instant, after: str) -> list[Old]:
        """The next kept answers (`LOOK` at most) in the order of their ids, that are given no more."""
        ...

    async def settle(self, before: Instant, now: Instant) -> None:
        """Forgets counters of what was spent in days and months that were over by then, of requests in
        minutes that are over now, and of sockets that nobody holds any more."""
        ...
