"""What was used in some time: sums for people to read, and the ledger itself for those who reckon."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from prosa.domain.calendar import Calendar
from prosa.domain.ending import Entry
from prosa.domain.principal import Principal
from prosa.domain.time import DAY, Instant, now
from prosa.domain.usage import Place, Report, Wanted
from prosa.ports.store import Store
from prosa.services.limits import Allowances
from prosa.services.usage import sheet

EARLIEST = Instant(1_577_836_800_000_000)
"""The beginning of 2020: nothing was entered before."""

PIECE = 1_000
"""Entries that are read at once."""

Read = Callable[[Place | None, int], Awaitable[list[Entry]]]


class Reports:
    def __init__(self, store: Store, limits: Allowances, calendar: Calendar) -> None:
        self.calendar = calendar
        self._store = store
        self._limits = limits

    def bounds(self, since: Instant | None, until: Instant | None) -> tuple[Instant, Instant]:
        """The time that is meant: where nothing is said, this month until now."""
        moment = now()
        begins = self.calendar.start_of_month(moment) if since is None else since
        ends = Instant(moment + 1) if until is None else until
        return within(begins, moment), within(ends, moment)

    async def own(
        self, principal: Principal, since: Instant | None = None, until: Instant | None = None
    ) -> Report:
        """What the caller used from `since` until before `until`, and what he has left. Raises
        StoreUnavailable."""
        begins, ends = self.bounds(since, until)
        records = self._store.of(principal).usage
        shares, messages = await records.sums(begins, ends, self.calendar)
        left = await self._limits.remaining(principal)
        return Report(begins, ends, self.calendar.zone, shares, messages, left)

    def sheet(
        self, principal: Principal, since: Instant | None = None, until: Instant | None = None
    ) -> AsyncIterator[bytes]:
        """The entries of the same time as CSV, oldest first, piece by piece. Raises StoreUnavailable."""
        begins, ends = self.bounds(since, until)
        records = self._store.of(principal).usage

        def read(after: Place | None, limit: int) -> Awaitable[list[Entry]]:
            return records.entries(begins, ends, after, limit)

        return _pieces(read, keyed=False)

    async def of_all(
        self, by: Principal, wanted: Wanted, since: Instant | None = None, until: Instant | None = None
    ) -> Report:
        """What all users took, or those who are `wanted`, for an operator. Raises StoreUnavailable."""
        begins, ends = self.bounds(since, until)
        found = await self._store.operator(by).usage.overview(wanted, begins, ends, self.calendar)
        return Report(
            begins,
            ends,
            self.calendar.zone,
            found.shares,
            found.messages,
            users=found.users,
            clients=found.clients,
        )

    def sheet_of_all(
        self, by: Principal, wanted: Wanted, since: Instant | None = None, until: Instant | None = None
    ) -> AsyncIterator[bytes]:
        """The entries of the same as CSV. Raises StoreUnavailable."""
        begins, ends = self.bounds(since, until)
        records = self._store.operator(by).usage

        def read(after: Place | None, limit: int) -> Awaitable[list[Entry]]:
            return records.entries(wanted, begins, ends, after, limit)

        return _pieces(read, keyed=True)


def within(instant: Instant, moment: Instant) -> Instant:
    """No ledger begins before 2020, and none tells of the day after tomorrow."""
    return Instant(min(max(instant, EARLIEST), moment + 2 * DAY))


async def _pieces(read: Read, *, keyed: bool) -> AsyncIterator[bytes]:
    """Beside the loop: others are waiting there."""
    found = await read(None, PIECE)
    yield sheet.head(keyed=keyed) + await asyncio.to_thread(sheet.lines, found, keyed=keyed)
    while len(found) == PIECE:
        last = found[-1]
        found = await read((last.created_at, last.id), PIECE)
        if found:
            yield await asyncio.to_thread(sheet.lines, found, keyed=keyed)
