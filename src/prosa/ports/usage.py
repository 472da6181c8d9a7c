"""What one principal has used, as the ledger has it."""

from typing import Protocol

from prosa.domain.calendar import Calendar
from prosa.domain.ending import Entry
from prosa.domain.limits import Limits, Remaining
from prosa.domain.time import Instant
from prosa.domain.usage import Overview, Place, Share, Wanted


class Usages(Protocol):
    async def sums(self, since: Instant, until: Instant, calendar: Calendar) -> tuple[tuple[Share, ...], int]:
        """The shares of the time from `since` until before `until`, and how many messages of the
        principal's conversations were made in it: questions and answers on all branches."""
        ...

    async def entries(self, since: Instant, until: Instant, after: Place | None, limit: int) -> list[Entry]:
        """The next entries of that time past `after`, oldest first."""
        ...

    async def remaining(self, limits: Limits, now: Instant) -> Remaining:
        """What the limits leave; nothing is held."""
        ...


class Accounts(Protocol):
    """The ledger of all users, for an operator; each look leaves its row in the audit log."""

    async def overview(
        self, wanted: Wanted, since: Instant, until: Instant, calendar: Calendar
    ) -> Overview: ...

    async def entries(
        self, wanted: Wanted, since: Instant, until: Instant, after: Place | None, limit: int
    ) -> list[Entry]:
        """The next entries of that time past `after`, in the order of their ids: oldest first."""
        ...
