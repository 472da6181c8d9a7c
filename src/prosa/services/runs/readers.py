"""Readers of a run: each gets every line past its cursor, in order, to the end, wherever the run goes on."""

import asyncio
from collections.abc import Sequence
from typing import Protocol
from weakref import WeakSet

from prosa.domain.runs import END_STATES
from prosa.ports.store import Records
from prosa.services.runs.live import LOST, Live

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


class Whereabouts:
    """The runs that this process executes, and the readers of those that it does not."""

    def __init__(self) -> None:
        self.lives: dict[str, Live] = {}
        self._remote: WeakSet[RunReader] = WeakSet()

    def find(self, run_id: str) -> Live | None:
        """The run, if it goes on here and nobody else has taken it over."""
        live = self.lives.get(run_id)
        return None if live is None or live.ended or live.stopping == LOST else live

    def depend_on_journal(self, reader: "RunReader") -> None:
        """From now on the reader hears of new events in the journal."""
        self._remote.add(reader)

    def heard(self, run_ids: Sequence[str]) -> None:
        """The journal has more of these runs; without ids: of any run."""
        for reader in list(self._remote):
            if not run_ids or reader.run_id in run_ids:
                reader.more()


class RunReader:
    """A cursor into a run: it holds an integer, and not the answer.

    It reads from memory where the run goes on here, else from the journal; it changes over whenever the run
    leaves this process or comes to it, and where the lines that it lacks are in memory no longer.
    """

    __slots__ = (
        "__weakref__", "_again", "_live", "_loop", "_over", "_records", "_waiter", "_where", "_woken",
        "cursor", "run_id",
    )  # fmt: skip

    def __init__(
        self, run_id: str, after: int, records: Records, where: Whereabouts, live: Live | None = None
    ) -> None:
        self.run_id = run_id
        self.cursor = after
        self._records = records
        self._where = where
        self._live = live
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._woken = False
        self._again = False
        self._over = False

    @property
    def ended(self) -> bool:
        live = self._live
        if live is None:
            return self._over
        return live.ended and not live.left and self.cursor >= live.last

    def ready(self) -> Sequence[bytes]:
        """What can be had from memory without waiting, `MOST` lines at a time."""
        assert self._live is not None
        start = self.cursor - self._live.offset
        lines = self._live.lines[start : start + MOST]
        self.cursor += len(lines)
        return lines

    async def read(self) -> Sequence[bytes]:
        live = self._live
        self._woken = False
        if live is None:
            return await self._read_journal()
        while live.offset + len(live.lines) <= self.cursor and not live.ended and not self._woken:
            self._waiter = self._loop.create_future()
            live.when_more(self.more)
            try:
                await self._waiter
            except asyncio.CancelledError:
                live.never_mind(self.more)
                raise
            finally:
                self._waiter = None
        if self.cursor < live.offset or (live.left and self.cursor >= live.last):
            self._live = None
            return await self._read_journal()
        return self.ready()

    def wake(self) -> None:
        self._woken = True
        if self._live is not None:
            self._live.never_mind(self.more)
        self.more()

    def more(self) -> None:
        """There may be more to read."""
        self._again = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _read_journal(self) -> Sequence[bytes]:
        self._where.depend_on_journal(self)
        while not self._over and not self._woken:
            self._again = False
            run, lines = await self._records.runs.lines(self.run_id, self.cursor)
            if lines:
                del lines[MOST:]
                self.cursor = lines[-1][0]
                return [line for _, line in lines]
            live = self._where.find(self.run_id)
            if live is not None and live.offset <= self.cursor:
                self._live = live
                return await self.read()
            if run.status in END_STATES:
                self._over = True
            elif not self._again:
                await self._wait_for_journal()
        return ()

    async def _wait_for_journal(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            async with asyncio.timeout(POLL):
                await self._waiter
        except TimeoutError:
            return
        finally:
            self._waiter = None
