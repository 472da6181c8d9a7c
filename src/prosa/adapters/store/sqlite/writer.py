"""The one writer: a thread that commits whatever waits for it as one group."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from prosa.adapters.store.sqlite.connection import Observer, connect, run
from prosa.adapters.store.statement import Plan, Tell
from prosa.domain.errors import StoreUnavailable

Heard = Callable[[str, Sequence[str]], None]

MOST_IN_A_GROUP = 256


class Job:
    """What makes a plan, on its way to the writer; where its result is awaited, and what is told once it is
    committed."""

    __slots__ = ("bound", "error", "future", "plan", "result", "told")

    def __init__(
        self, plan: Callable[[], Plan[Any]], bound: Mapping[str, Any], future: asyncio.Future[Any]
    ) -> None:
        self.plan = plan
        self.bound = bound
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.told: list[Tell] = []

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """The jobs of a group share one transaction. One that fails takes no other with it: if it has changed
    nothing, there is nothing to undo; else, and where they can't be committed together, each of them is run
    again, in a transaction of its own."""

    def __init__(self, path: Path, observe: Observer | None, heard: Heard) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._connection = connect(path)
        self._observe = observe
        self._heard = heard
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="prosa-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return self._jobs.qsize()

    async def write(self, plan: Callable[[], Plan[Any]], bound: Mapping[str, Any]) -> Any:
        """A caller that is cancelled leaves the job running: what began is committed whole. Raises
        StoreUnavailable once the writer is closed."""
        if self._closed:
            raise StoreUnavailable
        job = Job(plan, bound, self._loop.create_future())
        self._jobs.put(job)
        return await job.future

    async def close(self) -> None:
        """Commits what waits, then closes the file. From the first moment on no job is taken any more."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            while len(group) < MOST_IN_A_GROUP and not self._jobs.empty():
                more = self._jobs.get()
                if more is None:
                    self._jobs.put(None)
                    break
                group.append(more)
            self._commit(group)
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._settle, group)
        self._connection.close()

    def _commit(self, group: list[Job]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            if not (all(map(self._run, group)) and self._end(group)):
                self._take_apart(group)
        except BaseException as error:  # noqa: BLE001 - a thread's edge: whatever it is, the callers hear of it
            self._roll_back()
            for job in group:
                job.error = job.error or error

    def _run(self, job: Job) -> bool:
        """False where the job has failed and left something behind, or, as on a full disk, has taken the
        transaction with it."""
        before = self._connection.total_changes
        job.error = None
        job.told.clear()
        try:
            job.result = run(self._connection, job.plan(), job.bound, self._observe, job.told)
        except Exception as error:  # noqa: BLE001 - a job's edge: its caller hears of it
            job.error = error
            return self._connection.in_transaction and self._connection.total_changes == before
        return True

    def _end(self, group: list[Job]) -> bool:
        """False where nothing is committed: pages are written only now, and a full disk may show only now."""
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            for job in group:
                job.error = job.error or error
            return False
        return True

    def _take_apart(self, group: list[Job]) -> None:
        self._roll_back()
        if len(group) > 1:
            for job in group:
                self._commit([job])

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # the failure that led here is the one to tell
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _settle(self, group: list[Job]) -> None:
        for job in group:
            job.settle()
            if job.told and job.error is None:
                for tell in job.told:
                    self._heard(tell.kind, tell.ids)
