"""The journal writer: one a process, it commits the pending events of all runs together."""

import asyncio
import contextlib

from prosa.domain.ending import Append, Boundary, Ending
from prosa.kit.log import log
from prosa.ports.store import EngineRecords
from prosa.services import meters
from prosa.services.runs.live import LOST, Live

DELAY = 0.1
"""Seconds that an event waits for its commit at most, while the database keeps up."""

AGAIN = 0.25
"""Seconds until the next try where the store did not take a commit."""

TAIL = 1000
"""Events of one run that may wait at most: what a crash can lose is bounded by number, too."""


TRIES = 3
"""Commits that may fail in one round, where each run is tried by itself."""

_End = tuple[Live, Ending | Boundary, bytes | None, asyncio.Future[bool]]
"""What is to be put down at once: the end with its line, or a boundary."""


class Journal:
    """Live runs report here that they have more (`note`), and end here (`end`)."""

    def __init__(self, records: EngineRecords, boot: str) -> None:
        self._records = records
        self._boot = boot
        self._pending: set[Live] = set()
        self._endings: list[_End] = []
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._room: set[asyncio.Future[None]] = set()
        self._closed = False
        self._since: float | None = None
        self.failing = False

    @property
    def lag(self) -> float:
        """For how many seconds the oldest event that is not committed has waited."""
        return 0.0 if self._since is None else asyncio.get_running_loop().time() - self._since

    def note(self, live: Live) -> None:
        """This run has events that are not committed: within `DELAY` they will be."""
        self._pending.add(live)
        if self._timer is None and self._task is None:
            loop = asyncio.get_running_loop()
            self._since = self._since or loop.time()
            self._timer = loop.call_later(DELAY, self._begin)

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
        return await self._at_once(live, ending, last)

    async def boundary(self, live: Live, boundary: Boundary) -> bool:
        """Commits what is pending and the boundary, at once. False where the run was no longer ours, or was
        to pause and has been asked to stop. Tries until the store takes it."""
        return await self._at_once(live, boundary, None)

    async def _at_once(self, live: Live, what: Ending | Boundary, last: bytes | None) -> bool:
        if self._closed:
            return False
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._endings.append((live, what, last, waiter))
        self._soon()
        return await waiter

    async def flush(self) -> None:
        """Commits all that is pending."""
        while self._pending or self._endings or self._task is not None:
            if self._task is None:
                self._begin()
            if self._task is not None:
                await asyncio.wait([self._task])  # which gives `_done` its turn, also where it is over

    def close(self) -> None:
        """Gives up what the store has not taken: the next start ends those runs."""
        self._closed = True
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
        begun = asyncio.get_running_loop().time()
        pending, self._pending = self._pending, set()
        endings, self._endings = self._endings, []
        together = _Group(pending, endings)
        groups = together.apart() if self.failing else [together]
        refused, error = await self._put_each(groups)
        took_others = len(refused) < len(groups)
        if error is not None and took_others:
            refused, error = await self._put_each(refused)
        if error is None:
            self._since = begun if self._pending or self._endings else None
            self._recovered()
        elif took_others:
            self._give_up(refused, error)  # once more refused where others were taken: it is their own fault
        else:
            self._pending |= pending
            self._endings = endings + self._endings
            self._failed(error)
            await asyncio.sleep(AGAIN)

    async def _put_each(self, groups: list["_Group"]) -> tuple[list["_Group"], Exception | None]:
        """Answers those that the store did not take, and why; gives up after a few where it takes none."""
        refused: list[_Group] = []
        error: Exception | None = None
        for group in groups:
            if len(refused) == TRIES and len(refused) == groups.index(group):
                return groups, error
            try:
                await self._put(group)
            except Exception as caught:  # noqa: BLE001 - a task's edge: whatever it is, no event must be lost
                refused.append(group)
                error = caught
        return refused, error

    async def _put(self, group: "_Group") -> None:
        appends, reached = group.appends()
        if not appends and not group.endings:
            return
        what = [each for _, each, _, _ in group.endings]
        endings = [each for each in what if isinstance(each, Ending)]
        boundaries = [each for each in what if isinstance(each, Boundary)]
        ours = await self._records.commit(self._boot, appends, endings, boundaries)
        meters.COMMITS.inc()
        for live, count in reached:
            live.committed = count
        for live, _, _, waiter in group.endings:
            if not waiter.done():
                waiter.set_result(live.run.id in ours)
        self._make_room()

    def _make_room(self) -> None:
        waiting, self._room = self._room, set()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _failed(self, error: Exception) -> None:
        """All is kept for another try: a full disk or a restarting database must not lose an answer."""
        if not self.failing:
            log.error("journal_failing", runs=len(self._pending), exc_info=error)
        self.failing = True
        meters.JOURNAL_FAILING.set(1)

    def _give_up(self, refused: list["_Group"], error: Exception) -> None:
        """Leaves runs that can't be stored to the recovery, which ends them with what the journal has."""
        for group in refused:
            for live in group.runs:
                log.error("run_not_storable", run_id=live.run.id, exc_info=error)
                live.stopping = live.stopping or LOST
                if live.task is not None:
                    live.task.cancel()
            for _, _, _, waiter in group.endings:
                if not waiter.done():
                    waiter.set_result(False)
        self._make_room()
        self._recovered()

    def _recovered(self) -> None:
        if self.failing:
            self.failing = False
            meters.JOURNAL_FAILING.set(0)
            log.info("journal_recovered")


class _Group:
    """Runs whose events, and whose ends, are committed together."""

    def __init__(self, pending: set[Live], endings: list[_End]) -> None:
        self.pending = pending
        self.endings = endings

    @property
    def runs(self) -> set[Live]:
        return self.pending | {end[0] for end in self.endings}

    def appends(self) -> tuple[list[Append], list[tuple[Live, int]]]:
        """What the journal lacks of each run, and how many of its lines it will then have."""
        ended = {live: last for live, _, last, _ in self.endings if last is not None}
        appends, reached = [], []
        for live in self.runs:
            lines = live.lines[live.committed :]
            if live in ended:
                lines.append(ended[live])
            if lines:
                first = live.offset + live.committed + 1
                appends.append(Append(live.run.id, first, first + len(lines) - 1, b"\n".join(lines)))
                reached.append((live, live.committed + len(lines)))
        return appends, reached

    def apart(self) -> list["_Group"]:
        """Each run by itself: one that the store can't take must not hold up the others."""
        ends = {end[0]: [end] for end in self.endings}
        return [_Group({live} & self.pending, ends.get(live, [])) for live in self.runs]
