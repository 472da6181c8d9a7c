"""The journal writer: one a process, it commits the pending events of all runs together."""

import asyncio
import contextlib

from prosa.domain.ending import Append, Ending
from prosa.kit.log import log
from prosa.ports.store import EngineRecords
from prosa.services import meters
from prosa.services.runs.live import Live

DELAY = 0.1
"""Seconds that an event waits for its commit at most, while the database keeps up."""

AGAIN = 0.25
"""Seconds until the next try where the store did not take a commit."""

TAIL = 1000
"""Events of one run that may wait at most: what a crash can lose is bounded by number, too."""


class Journal:
    """Live runs report here that they have more (`note`), and end here (`end`)."""

    def __init__(self, records: EngineRecords, boot: str) -> None:
        self._records = records
        self._boot = boot
        self._pending: set[Live] = set()
        self._endings: list[tuple[Live, Ending, bytes, asyncio.Future[bool]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._room: set[asyncio.Future[None]] = set()
        self.failing = False

    def note(self, live: Live) -> None:
        """This run has events that are not committed: within `DELAY` they will be."""
        self._pending.add(live)
        if self._timer is None and self._task is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._begin)

    async def room(self, live: Live) -> None:
        """Waits until fewer than `TAIL` events of this run are uncommitted."""
        while len(live.lines) - live.committed >= TAIL:
            waiter = asyncio.get_running_loop().create_future()
            self._room.add(waiter)
            self._soon()
            await waiter

    async def end(self, live: Live, ending: Ending, last: bytes) -> bool:
        """Commits what is pending, `last` (the line of the run's last event) and the end, at once. False
        where the run was no longer ours. Tries until the store takes it."""
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._endings.append((live, ending, last, waiter))
        self._soon()
        return await waiter

    async def flush(self) -> None:
        """Commits all that is pending."""
        while self._pending or self._endings or self._task is not None:
            if self._task is None:
                self._begin()
            if self._task is not None:
                await asyncio.shield(self._task)

    def close(self) -> None:
        """Gives up what the store has not taken: the next start ends those runs."""
        self._pending.clear()
        self._endings.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.cancel()

    def _soon(self) -> None:
        if self._task is None:
            if self._timer is not None:
                self._timer.cancel()
            # One turn of the loop later, so that the ends of runs that end together are committed together.
            self._timer = asyncio.get_running_loop().call_later(0, self._begin)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._commit())
            self._task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        with contextlib.suppress(asyncio.CancelledError):
            task.result()
        if self._endings:
            self._soon()
        elif self._pending and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._begin)

    async def _commit(self) -> None:
        pending, self._pending = self._pending, set()
        endings, self._endings = self._endings, []
        ended = {live: last for live, _, last, _ in endings}
        appends, reached = [], []
        for live in pending | ended.keys():
            lines = live.lines[live.committed :]
            first, seq = live.committed + 1, len(live.lines)
            if live in ended:
                lines.append(ended[live])
                seq += 1
            if lines:
                appends.append(Append(live.run.id, first, seq, b"\n".join(lines)))
                reached.append((live, seq))
        if not appends and not endings:
            return
        try:
            ours = await self._records.commit(self._boot, appends, [ending for _, ending, _, _ in endings])
        except Exception as error:  # noqa: BLE001 - a task's edge: whatever it is, the events must not be lost
            await self._put_back(pending, endings, error)
            return
        meters.COMMITS.inc()
        self._recovered()
        for live, seq in reached:
            live.committed = seq
        for live, _, _, waiter in endings:
            if not waiter.done():
                waiter.set_result(live.run.id in ours)
        self._make_room()

    def _make_room(self) -> None:
        waiting, self._room = self._room, set()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def _put_back(
        self,
        pending: set[Live],
        endings: list[tuple[Live, Ending, bytes, asyncio.Future[bool]]],
        error: Exception,
    ) -> None:
        """Keeps all for another try: a full disk or a restarting database must not lose an answer."""
        if not self.failing:
            log.error("journal_failing", runs=len(pending), exc_info=error)
        self.failing = True
        meters.JOURNAL_FAILING.set(1)
        self._pending |= pending
        self._endings = endings + self._endings
        await asyncio.sleep(AGAIN)

    def _recovered(self) -> None:
        if self.failing:
            self.failing = False
            meters.JOURNAL_FAILING.set(0)
            log.info("journal_recovered")
