"""Money for answers that belong to no run: held before a provider is asked, kept meanwhile, entered after."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from prosa.domain.ending import Entry
from prosa.domain.errors import LimitReached, StoreUnavailable
from prosa.domain.ids import new_id
from prosa.domain.limits import Bound, Remaining
from prosa.domain.models import Usage
from prosa.domain.opening import Holding, Measure
from prosa.domain.principal import Principal
from prosa.domain.time import now
from prosa.domain.timing import Timing
from prosa.kit.log import log
from prosa.ports.store import Ledger as StoredLedger
from prosa.ports.store import Store
from prosa.services.limits import Allowances
from prosa.services.runs.settle import Account, Attempt, Attempts

NOTE = 0.25
"""Seconds between two notes of what answers have taken so far, which is what a crash leaves to charge."""

TOUCH = 15.0
"""Seconds between two signs that what is held is still needed; without one it is released after a minute."""

PATIENCE = 2.0
"""Seconds that a caller waits for the ledger; what takes longer goes on without him."""

AGAIN = 1.0
"""Seconds until the store is tried again."""


class Hold:
    """What is held for one answer, and the attempts that it is spent on."""

    def __init__(self, ledger: "Ledger", principal: Principal, account: Account, bound: Bound) -> None:
        self.id = account.id
        self.said: Callable[[], str] = str
        """The text of the attempt that goes on."""
        self._ledger = ledger
        self._principal = principal
        self._attempts = Attempts(account)
        self._bound = bound
        self._pending: list[Entry] = []
        self._released = False
        self._noted: tuple[int, Usage] | None = None

    @property
    def limited(self) -> bool:
        """Whether somebody's tokens or money are limited."""
        return self._ledger.limits.of(self._principal).spending

    @property
    def used(self) -> Usage:
        """By all attempts that are over."""
        return self._attempts.spent.usage

    def begin(self, attempt: Attempt) -> Attempt:
        """From now on this one goes on; it is entered, whatever becomes of it."""
        self._attempts.current = attempt
        return attempt

    def close(self, said: str, code: str | None = None) -> None:
        """The attempt that goes on is over, if there is one; `said` is its text, `code` what ended it, if not
        itself."""
        self._attempts.close(said, code)
        self._pending += self._attempts.take()

    async def widen(self, bound: Bound) -> None:
        """Makes sure that the next attempt is covered, whatever earlier ones have used. Raises LimitReached,
        PriceUnknown."""
        limits = self._ledger.limits.of(self._principal)
        dearer = bound.cost is None or self._bound.cost is None or bound.cost > self._bound.cost
        more = self._attempts.spent.attempts or dearer or bound.tokens > self._bound.tokens
        if not self._pending and not (limits.spending and more):
            return
        records = self._ledger.of(self._principal)
        await records.go_on(self.id, self._pending, limits, bound, now())
        self._pending = []
        self._bound = bound

    def take_timings(self) -> tuple[Timing, ...]:
        """When the attempts were that are over, but for those that were taken before."""
        timings, self._attempts.timings = self._attempts.timings, ()
        return timings

    def news(self) -> Entry | None:
        """What the attempt that goes on would be entered as if it ended in a crash; None where that is
        `noted`, or nothing."""
        entry = self._attempts.taken(self.said())
        return None if entry is None or self._noted == (entry.attempt, entry.usage) else entry

    def note(self, entry: Entry) -> None:
        """The store knows of it."""
        self._noted = entry.attempt, entry.usage

    async def release(self) -> None:
        """The end, whoever waits for it: what was used is entered, and nothing is held. Safe to repeat."""
        if self._released:
            return
        self._released = True
        self.close("")
        await self._ledger.release(self._principal, self.id, tuple(self._pending))
        self._pending = []


class Ledger:
    """Holds within the limits of each caller, and keeps what is held from being taken for lost."""

    def __init__(self, store: Store, limits: Allowances, boot: str) -> None:
        """`boot` names this process's life."""
        self.limits = limits
        self._store = store
        self._boot = boot
        self.listeners: list[Callable[[Principal], None]] = []
        """Those who are told whenever something was entered for somebody."""
        self.refusals: list[Callable[[Principal, LimitReached], None]] = []
        """Those who are told of each answer that a limit did not let begin."""
        self._held: dict[str, Hold] = {}
        self._some = asyncio.Event()
        self._touched = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="prosa-ledger")

    async def close(self) -> None:
        """Gives what is being entered a moment; what is held after that, the next start releases."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE)
        left = [*self._tasks, *([] if self._keeper is None else [self._keeper])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def of(self, principal: Principal) -> StoredLedger:
        return self._store.of(principal).ledger

    async def hold(
        self,
        principal: Principal,
        measure: Measure,
        *,
        number: int = 1,
        route: str | None = None,
        conversation_id: str | None = None,
        beside: bool = False,
    ) -> tuple[Bound, list[Hold]]:
        """Holds for each of `number` answers what `measure` says: one transaction, all or nothing. Raises
        LimitReached, PriceUnknown, StoreUnavailable, and what `measure` raises."""
        ids = tuple(new_id() for _ in range(number))
        left = Remaining()

        def measured(share: Remaining) -> Bound:
            nonlocal left
            left = share.times(number)
            return measure(share)

        try:
            holding = Holding(ids, principal.client_id, self._boot, beside)
            bound = await self._begin(principal, holding, measured)
        except LimitReached as error:
            for listener in self.refusals:
                listener(principal, error)
            raise
        self.limits.note(principal, left, bound.times(number))
        accounts = [
            Account(each, principal.user_id, principal.client_id, route, conversation_id) for each in ids
        ]
        holds = [Hold(self, principal, account, bound) for account in accounts]
        self._held |= {hold.id: hold for hold in holds}
        self._some.set()
        return bound, holds

    async def release(self, principal: Principal, hold_id: str, entries: Sequence[Entry]) -> None:
        """Enters and releases in a task of its own, so that no caller's end keeps it from being done."""
        await asyncio.wait([self._own(self._release(principal, hold_id, entries))], timeout=PATIENCE)

    async def note(self) -> None:
        """Puts down what answers have taken since the last time; now and then says of all that is held that
        it is needed. Raises StoreUnavailable."""
        due = time.monotonic() - self._touched >= TOUCH
        news = {hold_id: hold.news() for hold_id, hold in self._held.items()}
        told = {hold_id: entry for hold_id, entry in news.items() if due or entry is not None}
        if told:
            await self._store.engine.keep(told, now())
        if due:
            self._touched = time.monotonic()
        for hold_id, entry in told.items():
            if entry is not None and hold_id in self._held:
                self._held[hold_id].note(entry)

    async def _begin(self, principal: Principal, holding: Holding, measure: Measure) -> Bound:
        """A caller who leaves meanwhile leaves the store at it: then what it comes to hold is given back."""
        asked = self.of(principal).hold(holding, self.limits.of(principal), measure, now())
        task = asyncio.get_running_loop().create_task(asked)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(lambda _: self._give_back(principal, holding))
            raise

    def _give_back(self, principal: Principal, holding: Holding) -> None:
        for hold_id in holding.ids:
            self._own(self._release(principal, hold_id, ()))

    def _own(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _release(self, principal: Principal, hold_id: str, entries: Sequence[Entry]) -> None:
        try:
            await self._enter(principal, hold_id, entries)
        finally:  # what can't be entered is not kept either: a minute later it is lost, as far as it was told
            self._held.pop(hold_id, None)
            if not self._held:
                self._some.clear()
        for listener in self.listeners:
            listener(principal)

    async def _enter(self, principal: Principal, hold_id: str, entries: Sequence[Entry]) -> None:
        while True:
            try:
                await self.of(principal).release(hold_id, entries)
            except StoreUnavailable:
                log.warning("ledger_failing", hold_id=hold_id)
                await asyncio.sleep(AGAIN)
            else:
                return

    async def _keep(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(NOTE)
            try:
                await self.note()
            except StoreUnavailable:
                continue  # a minute has many notes
            except Exception:  # noqa: BLE001 - the keeper's edge: what is held for all depends on it
                log.exception("notes_failing")
