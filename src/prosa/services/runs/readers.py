"""Readers of a run: each gets every line past its cursor, in order, until the run ends."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from prosa.domain.runs import END_STATES
from prosa.ports.store import Records
from prosa.services.runs.live import Live

POLL = 1.0
"""Seconds after which a reader of another node's run looks by itself: a lost notification costs no more."""


MOST = 64
"""Lines given out at a time, 64 KiB at most: what a reader that is stuck holds beside its cursor."""


class Reader(Protocol):
    """`cursor` is the seq of the last line that was given out."""

    cursor: int

    async def read(self) -> Sequence[bytes]:
        """The next lines; none at the end (`ended`), and none where `wake` was called meanwhile."""
        ...

    def wake(self) -> None:
        """Makes a `read` that waits return at once."""
        ...

    @property
    def ended(self) -> bool:
        """Whether no line will ever come again."""
        ...


class LiveReader:
    """A cursor into a run of this process: it holds an integer, not the answer."""

    __slots__ = ("_live", "_waiter", "_woken", "cursor")

    def __init__(self, live: Live, after: int) -> None:
        self._live = live
        self._waiter: asyncio.Future[None] | None = None
        self._woken = False
        self.cursor = after

    @property
    def ended(self) -> bool:
        return self._live.ended and self.cursor >= len(self._live.lines)

    def ready(self) -> Sequence[bytes]:
        """What can be had without waiting, `MOST` lines at a time."""
        lines = self._live.lines[self.cursor : self.cursor + MOST]
        self.cursor += len(lines)
        return lines

    async def read(self) -> Sequence[bytes]:
        live = self._live
        self._woken = False
        while len(live.lines) <= self.cursor and not live.ended and not self._woken:
            self._waiter = asyncio.get_running_loop().create_future()
            live.when_more(self._more)
            try:
                await self._waiter
            except asyncio.CancelledError:
                live.never_mind(self._more)
                raise
            finally:
                self._waiter = None
        return self.ready()

    def wake(self) -> None:
        self._woken = True
        self._live.never_mind(self._more)
        self._more()

    def _more(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class StoredReader:
    """A reader of the journal: for runs that ended, and for those of other nodes."""

    def __init__(self, records: Records, run_id: str, after: int) -> None:
        self._records = records
        self.run_id = run_id
        self.cursor = after
        self.ended = False
        self._more = asyncio.Event()
        self._woken = False

    async def read(self) -> Sequence[bytes]:
        self._woken = False
        while not self.ended and not self._woken:
            self._more.clear()
            run, lines = await self._records.runs.lines(self.run_id, self.cursor)
            if lines:
                del lines[MOST:]
                self.cursor = lines[-1][0]
                return [line for _, line in lines]
            if run.status in END_STATES:
                self.ended = True
                break
            try:
                async with asyncio.timeout(POLL):
                    await self._more.wait()
            except TimeoutError:
                continue
        return ()

    def more(self) -> None:
        """The run has new events in the journal."""
        self._more.set()

    def wake(self) -> None:
        self._woken = True
        self._more.set()
