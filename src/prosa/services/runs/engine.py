"""The run engine: it owns every run of this process, from the first transaction to the end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

from msgspec import UNSET, Struct

from prosa.domain.ending import Ending
from prosa.domain.errors import LimitReached, ShuttingDown
from prosa.domain.events import Start
from prosa.domain.ids import new_id
from prosa.domain.models import ToolSpec
from prosa.domain.opening import Begun, Opening, Prepare, Prepared
from prosa.domain.principal import Principal
from prosa.domain.runs import END_STATES, Run, RunStatus
from prosa.domain.steps import Step, Verdict
from prosa.domain.time import Instant, now
from prosa.domain.timing import Progress
from prosa.kit.log import bind, log
from prosa.ports.store import Store
from prosa.services import meters
from prosa.services.context.counter import Counter
from prosa.services.context.fitting import Uncounted
from prosa.services.guard.admission import Admission, Unadmitted
from prosa.services.limits import Allowances
from prosa.services.models.catalogue import Catalogue, Choice
from prosa.services.runs.calls import Calls, Offered
from prosa.services.runs.checkpoint import Checkpoint, unpack
from prosa.services.runs.execute import Execution
from prosa.services.runs.journal import Journal
from prosa.services.runs.live import LOST, Live
from prosa.services.runs.readers import Reader, RunReader, Whereabouts
from prosa.services.runs.recover import Recovery
from prosa.services.runs.rounds import Rounds
from prosa.services.runs.start import LEASE, Defaults, Send, opening, preparation, said_in, tools_of
from prosa.services.tools.registry import Toolbox
from prosa.services.tracing import tracing

LINGER = 2.0
"""Seconds after its end in which a run's last lines stay in memory, for those who are about to read them."""

RENEWAL = 2.0
"""Seconds between two renewals of the leases, each of which looks for orphans and for missed stops, too."""

COUNTS = 3
"""How often tokens are counted at most before a run begins."""

T = TypeVar("T")

Begin = Callable[[Opening, Prepare], Awaitable[Begun]]
"""The transaction before the provider is called; see `ports.store.Runs.begin`."""


class Ended(Struct, frozen=True):
    """A run that has ended here, what it asked, and how it ended."""

    principal: Principal
    run: Run
    prepared: Prepared
    ending: Ending


class Engine:
    """Starts runs, gives readers of them, stops them; drains at the end. `boot` names this process's life."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        defaults: Defaults,
        toolbox: Toolbox,
        limits: Allowances,
        admission: Admission,
    ) -> None:
        self.boot = new_id()
        self._admission = admission
        self._store = store
        self._catalogue = catalogue
        self._defaults = defaults
        self._toolbox = toolbox
        self._limits = limits
        self._counter = Counter(store)
        self._journal = Journal(store.engine, self.boot)
        self._recovery = Recovery(store.engine, self.boot)
        self._where = Whereabouts()
        self._lives = self._where.lives
        self._executions: dict[str, Execution] = {}
        self._told: dict[str, Progress] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._starting = 0
        self._keeper: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False
        self._halting = False
        self.listeners: list[Callable[[Ended], None]] = []
        """Those who are told of each end, in the loop, once it is stored."""
        self.refusals: list[Callable[[Principal, LimitReached], None]] = []
        """Those who are told of each run that a limit did not let begin."""

    @property
    def running(self) -> int:
        """How many runs this process executes."""
        return len(self._lives)

    @property
    def failing(self) -> bool:
        """Whether the journal can't be written at the moment."""
        return self._journal.failing

    @property
    def lag(self) -> float:
        """For how many seconds the oldest event that the journal has not got has waited."""
        return self._journal.lag

    async def open(self) -> None:
        """Ends the orphans, then keeps leases from now on."""
        await self._recovery.run()
        self._keeper = asyncio.create_task(self._keep(), name="prosa-leases")

    async def start(
        self, principal: Principal, send: Send, language: str = "en", begin: Begin | None = None
    ) -> tuple[Run, Reader]:
        """Begins a run and answers a reader of all its events; the run goes on whoever leaves. `begin` is
        the transaction where it is not the usual one.

        The same `send.key` again answers a reader of the run that it began. Raises what
        `ports.store.Runs.begin` raises, and ShuttingDown.
        """
        if self.draining:
            raise ShuttingDown
        self._starting += 1
        self._idle.clear()
        task = self._own(self._start(principal, send, language, begin))
        return await asyncio.shield(task)

    async def follow(self, principal: Principal, run_id: str, after: int) -> tuple[Run, Reader]:
        """A reader of the events past `after`. Raises RunNotFound."""
        run = await self._store.of(principal).runs.get(run_id)
        return run, self.reader(principal, run, after)

    def reader(self, principal: Principal, run: Run, after: int) -> Reader:
        """A reader of the events past `after` of a run that is the principal's."""
        return RunReader(run.id, after, self._store.of(principal), self._where, self._where.find(run.id))

    async def stop(self, principal: Principal, run_id: str) -> Run:
        """Asks for the run's end and waits for it, two seconds at most: a run of another node may still be
        `cancelling` in the answer. Raises RunNotFound."""
        runs = self._store.of(principal).runs
        run = await runs.cancel(run_id)
        if run.status in END_STATES:
            return run
        self._halt(run_id, "stopped")
        if not run.owner:  # it waited for its caller, and nobody executes it: so it is ended here
            await self._recovery.run()
        reader = self.reader(principal, run, 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while not reader.ended:
                    await reader.read()
        return await runs.get(run_id)

    async def say(self, principal: Principal, run_id: str, verdicts: Sequence[Verdict]) -> Run:
        """Brings outputs and decisions that a run waits for; it goes on once nothing is missing. Raises
        RunNotFound, RunNotWaiting, InvalidRequest, ShuttingDown."""
        if self.draining:
            raise ShuttingDown
        self._starting += 1
        self._idle.clear()
        return await asyncio.shield(self._own(self._say(principal, run_id, verdicts)))

    def heard(self, kind: str, run_ids: Sequence[str]) -> None:
        """What a node told all others: new events in the journal, or runs to stop."""
        if kind == "stop":
            for run_id in run_ids:
                self._halt(run_id, "stopped")
            return
        self._where.heard(run_ids)

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

    async def _start(
        self, principal: Principal, send: Send, language: str, begin: Begin | None
    ) -> tuple[Run, Reader]:
        try:
            return await self._begin(principal, send, language, begin)
        except LimitReached as error:
            for listener in self.refusals:
                listener(principal, error)
            raise
        finally:
            self._starting -= 1
            self._rest()

    async def _begin(
        self, principal: Principal, send: Send, language: str, begin: Begin | None
    ) -> tuple[Run, Reader]:
        await self._limits.requests.take(principal)
        asked = opening(send, principal, self.boot, self._limits.of(principal))
        tools = tools_of(send, self._toolbox)
        transaction = begin or self._store.of(principal).runs.begin
        begun = await self._prepared(principal, send, asked, tools, transaction)
        run = begun.run
        self._limits.seen(principal, begun)
        if begun.prepared is None:
            return run, self.reader(principal, run, 0)
        client = tuple(tool.name for tool in send.client_tools)
        live = Live(run)
        lower = begun.prepared.stepped is not None
        live.publish(
            Start(
                run.id,
                run.conversation_id,
                run.user_message_id,
                run.message_id,
                run.provider if lower else UNSET,
                run.model if lower else UNSET,
            )
        )
        self._execute(live, Checkpoint(principal, language, begun.prepared, begun.remaining, client))
        return run, self.reader(principal, run, 0)

    async def _prepared(
        self, principal: Principal, send: Send, asked: Opening, tools: tuple[ToolSpec, ...], begin: Begin
    ) -> Begun:
        """The first transaction: once, unless tokens have to be counted first to know what fits."""
        prepare = partial(preparation, send, self._catalogue, self._defaults, tools, principal.user_id)
        if self._admission.on:
            begin = partial(self._admitted, principal, send, begin)
        counted: dict[str, int] = {}
        for _ in range(COUNTS):
            try:
                return await begin(asked, prepare(counted))
            except Uncounted as wanted:
                counted |= await self._counter.count(principal, send.conversation_id, wanted)
        return await begin(asked, prepare(None))  # it grows while it is counted: estimates have to do

    async def _admitted(
        self, principal: Principal, send: Send, begin: Begin, asked: Opening, prepare: Prepare
    ) -> Begun:
        """The first transaction, once it is known that the message may be taken on the route that is chosen
        in it."""
        said, admitted = said_in(send), set[str | None]()
        while said:
            try:
                return await begin(asked, self._admission.before(prepare, admitted))
            except Unadmitted as wanted:
                await self._admission.admit(principal, wanted.route, said, send.conversation_id)
                admitted.add(wanted.route)
        return await begin(asked, prepare)

    async def _say(self, principal: Principal, run_id: str, verdicts: Sequence[Verdict]) -> Run:
        records, moment = self._store.of(principal), now()
        try:
            resumed = await records.steps.say(run_id, verdicts, self.boot, moment, Instant(moment + LEASE))
            if resumed.checkpoint is not None:
                begun = unpack(resumed.checkpoint)
                steps = [step for step in resumed.steps if step.place >= begun.place]
                self._execute(Live(resumed.run, resumed.last_seq), begun, steps)
            return resumed.run
        finally:
            self._starting -= 1
            self._rest()

    def _execute(self, live: Live, begun: Checkpoint, steps: Sequence[Step] = ()) -> None:
        """Lets a run begin, or go on where it waited for `steps`."""
        run, prepared = live.run, begun.prepared
        offered = Offered(prepared.request.tools, begun.client_tools, self._toolbox)
        calls = Calls(offered, run, begun.principal, begun.language)
        rounds = Rounds(
            run, begun, self._store.engine, self._defaults, partial(self._limits.of, begun.principal)
        )
        chosen = Choice(prepared.provider, prepared.request.model, prepared.route, prepared.stepped)
        model = partial(self._catalogue.resolve, chosen)
        if live.lines:
            self._journal.note(live)
        self._lives[run.id] = live
        meters.RUNNING.inc()
        self._idle.clear()
        execution = Execution(live, model, rounds, calls, self._journal, steps)
        self._executions[run.id] = execution
        self._own(self._run(live, begun, execution))
        if self._halting:
            self._halt(run.id, "shutdown")  # it was being begun while the others were ended

    async def _run(self, live: Live, begun: Checkpoint, execution: Execution) -> None:
        bind(run_id=live.run.id, conversation_id=live.run.conversation_id)
        span = tracing.run(live.run)
        if log.content:
            log.debug("asks", turns=[turn.content for turn in begun.prepared.request.turns])
        try:
            await execution.run()
            if execution.ending is not None:
                if log.content:
                    log.debug("answers", text=execution.ending.content)
                ended = Ended(begun.principal, live.run, begun.prepared, execution.ending)
                for listener in self.listeners:
                    listener(ended)
        except Exception:  # noqa: BLE001 - a task's edge: what is not ended here, the next start ends
            log.exception("run_not_ended", run_id=live.run.id)
        finally:
            if span is not None:
                tracing.ran(span, execution.ending, execution.timings)
            if not live.ended:
                live.end(None)
            if self._lives.get(live.run.id) is live:
                del self._lives[live.run.id], self._executions[live.run.id]
            meters.RUNNING.dec()
            self._rest()
            asyncio.get_running_loop().call_later(LINGER, live.forget)

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
        """Extends the leases, and puts down how far the runs have got; halts what was asked to stop, and what
        another node has taken over."""
        before = dict(self._lives)
        moment = now()
        progress = {run_id: execution.progress for run_id, execution in self._executions.items()}
        news = [each for run_id, each in progress.items() if each != self._told.get(run_id)]
        until = Instant(moment + LEASE)
        kept = await self._store.engine.renew(self.boot, list(before), moment, until, news)
        self._told = progress
        for run_id, live in before.items():
            if self._lives.get(run_id) is not live:
                continue  # it waited for its caller then, and goes on now
            if run_id not in kept:
                self._halt(run_id, LOST)
            elif kept[run_id] is RunStatus.CANCELLING:
                self._halt(run_id, "stopped")
