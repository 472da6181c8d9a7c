"""The run engine: it owns every run of this process, from the first transaction to the end."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar
from weakref import WeakSet

from prosa.domain.errors import ShuttingDown
from prosa.domain.events import Start
from prosa.domain.ids import new_id
from prosa.domain.opening import Begun
from prosa.domain.principal import Principal
from prosa.domain.runs import END_STATES, Run, RunStatus
from prosa.domain.time import Instant, now
from prosa.kit.log import log
from prosa.ports.store import Store
from prosa.services import meters
from prosa.services.models.catalogue import Catalogue
from prosa.services.runs.execute import Execution
from prosa.services.runs.journal import Journal
from prosa.services.runs.live import LOST, Live
from prosa.services.runs.readers import LiveReader, Reader, StoredReader
from prosa.services.runs.recover import Recovery
from prosa.services.runs.start import LEASE, Defaults, Send, opening, preparation

RENEWAL = 2.0
"""Seconds between two renewals of the leases, each of which looks for orphans and for missed stops, too."""

T = TypeVar("T")


class Engine:
    """Starts runs, gives readers of them, stops them; drains at the end. `boot` names this process's life."""

    def __init__(self, store: Store, catalogue: Catalogue, defaults: Defaults) -> None:
        self.boot = new_id()
        self._store = store
        self._catalogue = catalogue
        self._defaults = defaults
        self._journal = Journal(store.engine, self.boot)
        self._recovery = Recovery(store.engine, self.boot)
        self._lives: dict[str, Live] = {}
        self._remote: WeakSet[StoredReader] = WeakSet()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._starting = 0
        self._keeper: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False
        self._halting = False

    @property
    def running(self) -> int:
        """How many runs this process executes."""
        return len(self._lives)

    @property
    def failing(self) -> bool:
        """Whether the journal can't be written at the moment."""
        return self._journal.failing

    async def open(self) -> None:
        """Ends the orphans, then keeps leases from now on."""
        await self._recovery.run()
        self._keeper = asyncio.create_task(self._keep(), name="prosa-leases")

    async def start(self, principal: Principal, send: Send, language: str = "en") -> tuple[Run, Reader]:
        """Begins a run and answers a reader of all its events; the run goes on whoever leaves.

        The same `send.key` again answers a reader of the run that it began. Raises what
        `ports.store.Runs.begin` raises, and ShuttingDown.
        """
        if self.draining:
            raise ShuttingDown
        self._starting += 1
        self._idle.clear()
        task = self._own(self._start(principal, send, language))
        return await asyncio.shield(task)

    async def follow(self, principal: Principal, run_id: str, after: int) -> tuple[Run, Reader]:
        """A reader of the events past `after`. Raises RunNotFound."""
        run = await self._store.of(principal).runs.get(run_id)
        return run, self._reader(principal, run, after)

    async def stop(self, principal: Principal, run_id: str) -> Run:
        """Asks for the run's end and waits for it, two seconds at most: a run of another node may still be
        `cancelling` in the answer. Raises RunNotFound."""
        runs = self._store.of(principal).runs
        run = await runs.cancel(run_id)
        if run.status in END_STATES:
            return run
        self._halt(run_id, "stopped")
        reader = self._reader(principal, run, 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while not reader.ended:
                    await reader.read()
        return await runs.get(run_id)

    def heard(self, kind: str, run_ids: Sequence[str]) -> None:
        """What a node told all others: new events in the journal, or runs to stop."""
        if kind == "stop":
            for run_id in run_ids:
                self._halt(run_id, "stopped")
            return
        for reader in list(self._remote):
            if not run_ids or reader.run_id in run_ids:
                reader.more()

    async def drain(self, seconds: float) -> None:
        """Takes no more runs, lets those that go on end by themselves for `seconds`, then ends them."""
        self.draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        self._halting = True
        for run_id in list(self._lives):
            self._halt(run_id, "shutdown")

    async def settle(self) -> None:
        """Waits until the ends of all runs are stored, for a second at most: what is not stored by then is
        ended by the next start."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._idle.wait()
                await self._journal.flush()

    async def close(self) -> None:
        """Ends what still goes on and puts it down."""
        await self.drain(0)
        await self.settle()
        self._journal.close()
        left = [*self._tasks, *([] if self._keeper is None else [self._keeper])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _start(self, principal: Principal, send: Send, language: str) -> tuple[Run, Reader]:
        try:
            return await self._begin(principal, send, language)
        finally:
            self._starting -= 1
            self._rest()

    async def _begin(self, principal: Principal, send: Send, language: str) -> tuple[Run, Reader]:
        asked = opening(send, principal, self.boot, self._defaults.limits)
        prepare = preparation(send, self._catalogue, self._defaults)
        begun = await self._store.of(principal).runs.begin(asked, prepare)
        if begun.prepared is None:
            return begun.run, self._reader(principal, begun.run, 0)
        live = self._execute(begun, language)
        return begun.run, LiveReader(live, 0)

    def _execute(self, begun: Begun, language: str) -> Live:
        run = begun.run
        live = Live(run)
        model = self._catalogue.model(run.provider)
        live.publish(Start(run.id, run.conversation_id, run.user_message_id, run.message_id))
        self._journal.note(live)
        self._lives[run.id] = live
        meters.RUNNING.inc()
        self._idle.clear()
        self._own(self._run(live, Execution(live, model, begun, self._journal, language)))
        if self._halting:
            self._halt(run.id, "shutdown")  # it was being begun while the others were ended
        return live

    async def _run(self, live: Live, execution: Execution) -> None:
        try:
            await execution.run()
        except Exception:  # noqa: BLE001 - a task's edge: what is not ended here, the next start ends
            log.exception("run_not_ended", run_id=live.run.id)
        finally:
            if not live.ended:
                live.end(None)
            del self._lives[live.run.id]
            meters.RUNNING.dec()
            self._rest()

    def _rest(self) -> None:
        if not self._lives and not self._starting:
            self._idle.set()

    def _own(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task of the engine's, so that no caller's end ends it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._disown)
        return task

    def _disown(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may have left: then nobody else asks

    def _reader(self, principal: Principal, run: Run, after: int) -> Reader:
        live = self._lives.get(run.id)
        if live is not None and live.stopping != LOST:
            return LiveReader(live, after)
        reader = StoredReader(self._store.of(principal), run.id, after)
        self._remote.add(reader)
        return reader

    def _halt(self, run_id: str, why: str) -> None:
        """Breaks off the generation, if it still goes on here; its end is stored as usual."""
        live = self._lives.get(run_id)
        if live is not None and live.stopping is None:
            live.stopping = why  # a generation that has not begun finds it there
            if live.task is not None:
                live.task.cancel()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL)
            try:
                await self._renew()
                await self._recovery.run()
            except Exception:  # noqa: BLE001 - the keeper's edge: the database may be away for a while
                log.exception("leases_failing")

    async def _renew(self) -> None:
        """Extends the leases; halts what was asked to stop, and what another node has taken over."""
        before = set(self._lives)
        moment = now()
        kept = await self._store.engine.renew(self.boot, list(self._lives), moment, Instant(moment + LEASE))
        for run_id in before:
            if run_id not in kept:
                self._halt(run_id, LOST)
            elif kept[run_id] is RunStatus.CANCELLING:
                self._halt(run_id, "stopped")
