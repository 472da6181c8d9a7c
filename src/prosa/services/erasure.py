"""Erasing all that belongs to a user or to a client: begun once, ended whatever happens, with a receipt."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

from prosa.domain.access import guests_of
from prosa.domain.audit import deed
from prosa.domain.erasure import Erasure, Scope, hash_of
from prosa.domain.errors import ProsaError, RunNotFound
from prosa.domain.ids import new_id
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant, now
from prosa.kit.log import log
from prosa.ports.store import Store
from prosa.services.audit import Audit
from prosa.services.files.files import Files

LEASE = 30 * SECOND
"""How long an erasure that nobody goes on with is left alone."""

PATIENCE = 75.0
"""Seconds that what a user has going on may take to end; money that is held for it is released by then."""

AGAIN = 0.1
ROUNDS = 5
"""How often all is looked through for what came meanwhile."""

Stop = Callable[[Principal, str], Awaitable[object]]
Heed = Callable[[Sequence[str]], Awaitable[None]]


async def _nobody_calls(_key_ids: Sequence[str]) -> None:
    """Where no calls are taken there is nobody to cut off."""


class Erasing:
    """Each step can be repeated: a process that is killed leaves an erasure that another goes on with."""

    def __init__(self, store: Store, files: Files, stop: Stop, boot: str, heed: Heed | None = None) -> None:
        """`stop` ends a run; `heed` lets this process hear of who may not call, and which of their keys are
        gone."""
        self._store = store
        self._audit = Audit(store)
        self._files = files
        self._stop = stop
        self._heed = heed or _nobody_calls
        self._boot = boot
        self._tasks: dict[str, asyncio.Task[Erasure]] = {}

    async def erase(self, by: Principal, scope: Scope, subject: str) -> Erasure:
        """The receipt, once nothing is left. Whoever leaves does not end it. Raises StoreUnavailable,
        FilesUnavailable: then it is gone on with later."""
        identity = new_id()
        moment = now()
        wanted = Erasure(identity, scope, subject, hash_of(identity, subject), {}, moment)
        noted = deed(by, "erase", f"{scope}:{subject}", {"erasure": identity})
        erasure = await self._store.erasures.begin(wanted, self._boot, Instant(moment + LEASE), noted)
        await self._heed(())
        return await asyncio.shield(self._task(erasure))

    async def resume(self) -> None:
        """Goes on with what nobody is at any more. Raises StoreUnavailable, FilesUnavailable."""
        while True:
            moment = now()
            erasure = await self._store.erasures.claim(self._boot, moment, Instant(moment + LEASE))
            if erasure is None:
                return
            log.info("erasure_resumed", erasure=erasure.id)
            await asyncio.shield(self._task(erasure))

    async def page(self, by: Principal, limit: int, before: str | None) -> list[Erasure]:
        """The newest first."""
        if before is None:
            await self._audit.note(by, "admin.erasures.read")
        return await self._store.erasures.page(limit, before)

    async def close(self) -> None:
        """What goes on is left to the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _task(self, erasure: Erasure) -> asyncio.Task[Erasure]:
        task = self._tasks.get(erasure.id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._run(erasure), name="prosa-erasure")
            self._tasks[erasure.id] = task
            task.add_done_callback(lambda done: self._ended(erasure, done))
        return task

    def _ended(self, erasure: Erasure, task: asyncio.Task[Erasure]) -> None:
        del self._tasks[erasure.id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("erasure_broke_off", erasure=erasure.id, error=type(error).__name__)

    async def _run(self, erasure: Erasure) -> Erasure:
        keeper = asyncio.get_running_loop().create_task(self._keep(erasure))
        try:
            if not erasure.counts:
                assert erasure.subject is not None
                counts = await self._count(erasure.scope, erasure.subject)
                await self._store.erasures.counted(erasure.id, counts)
            for _ in range(ROUNDS):
                async for user_id in self._owners(erasure):
                    await self._erase_of(erasure, user_id)
                if not await self._left(erasure):
                    break
            else:  # only where there are no tokens can anybody go on calling
                log.warning("erasure_found_more", erasure=erasure.id)
            await self._store.wipe()
            receipt = await self._store.erasures.done(erasure.id, now())
        finally:
            keeper.cancel()
        await self._heed(())
        log.info("erased", erasure=erasure.id, scope=str(erasure.scope))
        return receipt

    async def _keep(self, erasure: Erasure) -> None:
        while True:
            await asyncio.sleep(LEASE / SECOND / 3)
            try:
                await self._store.erasures.renew(erasure.id, self._boot, Instant(now() + LEASE))
            except ProsaError:
                log.warning("erasure_not_renewed", erasure=erasure.id)

    async def _owners(self, erasure: Erasure) -> AsyncIterator[str]:
        """Who owns what is to go."""
        assert erasure.subject is not None
        async for user_id in self._owners_of(erasure.scope, erasure.subject):
            yield user_id

    async def _owners_of(self, scope: Scope, subject: str) -> AsyncIterator[str]:
        """A host comes before the guests whom no other can let in: then his keys let none of them in."""
        if scope is Scope.USER:
            yield subject
            some = partial(self._store.erasures.guests, guests_of(subject))
        else:
            some = partial(self._store.erasures.owners, subject)
        after = ""
        while found := await some(after):
            for user_id in found:
                yield user_id
            after = found[-1]

    async def _erase_of(self, erasure: Erasure, user_id: str) -> None:
        client_id = _client(erasure)
        remains = self._store.of(Principal(user_id)).remains
        await self._heed(await self._store.erasures.drop_keys(user_id, client_id))
        await self._end_runs(user_id, client_id)
        while file_ids := await remains.files(client_id):
            await self._files.remove(file_ids)
            await remains.drop_files(file_ids)
        while conversation_ids := await remains.conversations(client_id):
            for conversation_id in conversation_ids:
                while await remains.drop(conversation_id):
                    pass
        while await remains.drop_others(client_id):
            pass
        while await self._store.erasures.forget(user_id, client_id, erasure.pseudonym):
            pass

    async def _end_runs(self, user_id: str, client_id: str | None) -> None:
        """Stops what goes on, and waits until it is paid for."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for run_id in await self._store.erasures.runs(user_id, client_id):
                        await self._stop_one(user_id, run_id)
                    if not await self._store.erasures.held(user_id, client_id):
                        return
                    await asyncio.sleep(AGAIN)
        except TimeoutError:
            log.warning("erasure_does_not_wait", reason="something of the user's still goes on")

    async def _stop_one(self, user_id: str, run_id: str) -> None:
        try:
            await self._stop(Principal(user_id), run_id)
        except RunNotFound:  # its conversation was deleted just now
            return

    async def _count(self, scope: Scope, subject: str) -> dict[str, int]:
        client_id = subject if scope is Scope.CLIENT else None
        counts: Counter[str] = Counter()
        users = 0
        async for user_id in self._owners_of(scope, subject):
            counts.update(await self._store.of(Principal(user_id)).remains.count(client_id))
            users += 1
        others = {"users": users} if scope is Scope.CLIENT else {"guests": users - 1}
        return dict(counts) | others

    async def _left(self, erasure: Erasure) -> bool:
        """Whether something came while the rest went."""
        assert erasure.subject is not None
        left = await self._count(erasure.scope, erasure.subject)
        return any(left.values())


def _client(erasure: Erasure) -> str | None:
    return erasure.subject if erasure.scope is Scope.CLIENT else None
