"""The runs of all users, as an operator sees them."""

from collections.abc import Sequence
from typing import Protocol

from prosa.domain.calendar import Period
from prosa.domain.traffic import Bucket, Failures, Seen, SeenRun, Wanted


class Traffic(Protocol):
    async def flow(self, periods: Sequence[Period]) -> Sequence[Bucket]:
        """A bucket for each."""
        ...

    async def failures(self, period: Period, limit: int) -> Sequence[Failures]:
        """Of runs that began in the period, the most frequent first."""
        ...

    async def runs(self, wanted: Wanted, limit: int, before: str | None) -> Sequence[SeenRun]:
        """Newest first, from behind the run `before`."""
        ...

    async def run(self, run_id: str) -> Seen:
        """Raises RunNotFound."""
        ...
