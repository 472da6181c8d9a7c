"""The connections of one role: each transaction runs in a task of its own, to its end."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import asyncpg

from prosa.adapters.store.postgres.connection import BROKEN, FAILURES, OPTIONS, prepare
from prosa.adapters.store.postgres.steps import Steps
from prosa.adapters.store.statement import Plan
from prosa.domain.errors import StoreUnavailable

T = TypeVar("T")

CLOSING = 1.0
"""Seconds that a closing pool leaves to what began."""

ATTEMPTS = 5
RACES = (
    asyncpg.UniqueViolationError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
)
"""Lost against another transaction (or a migration): run again, the plan sees what the other one did."""


class Pool:
    """A caller that leaves, at whatever moment, leaves the transaction running: no connection comes back
    in the middle of one, or with someone's principal."""

    def __init__(self, url: str, size: int, least: int = 1) -> None:
        self._least = least
        self._url = url
        self._size = size
        self._pool: asyncpg.Pool | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = True

    async def open(self) -> None:
        """Makes the least that it keeps, so that a wrong URL is found at once. Raises StoreUnavailable."""
        try:
            self._pool = await asyncpg.create_pool(
                self._url, min_size=self._least, max_size=self._size, init=prepare, reset=_nothing, **OPTIONS
            )
        except FAILURES as error:
            raise StoreUnavailable from error
        self._closed = False

    async def close(self) -> None:
        """Lets what began come to its end, but not for long: a process that must go has little time."""
        self._closed = True
        if self._pool is None:
            return
        try:
            async with asyncio.timeout(CLOSING):
                if self._running:
                    await asyncio.wait(self._running)
                await self._pool.close()
        except FAILURES:
            self._pool.terminate()
        finally:
            self._pool = None

    @property
    def load(self) -> tuple[int, int]:
        """How many connections are in use, and how many are not."""
        if self._pool is None:
            return 0, 0
        idle = self._pool.get_idle_size()
        return self._pool.get_size() - idle, idle

    async def run(self, begin: str, plan: Callable[[], Plan[T]], bound: Mapping[str, Any]) -> T:
        """Runs a plan between `begin` and COMMIT; again where it lost a race. Raises what the plan raises
        and StoreUnavailable."""
        if self._closed:
            raise StoreUnavailable
        task = asyncio.get_running_loop().create_task(self._attempt(begin, plan, bound))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _attempt(self, begin: str, plan: Callable[[], Plan[T]], bound: Mapping[str, Any]) -> T:
        left = ATTEMPTS
        while True:
            left -= 1
            try:
                return await self._transact(begin, plan(), bound)
            except RACES as error:
                if not left:
                    raise StoreUnavailable from error
            except asyncpg.DataError:
                raise  # a value that Postgres can't take is a fault of ours: trying later does not mend it
            except FAILURES as error:
                raise StoreUnavailable from error

    async def _transact(self, begin: str, plan: Plan[T], bound: Mapping[str, Any]) -> T:
        if self._pool is None:
            raise StoreUnavailable
        async with self._pool.acquire() as connection:
            try:
                return await Steps(connection, begin, bound).run(plan)
            except BROKEN:
                _cut(connection)
                raise
            except BaseException:
                await _undo(connection)
                raise


async def _undo(connection: asyncpg.Connection) -> None:
    try:
        if not connection.is_closed() and connection.is_in_transaction():
            await connection.execute("ROLLBACK")
    except (*FAILURES, asyncio.CancelledError):
        _cut(connection)


def _cut(connection: asyncpg.Connection) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):  # it may have left the pool already
        connection.terminate()


async def _nothing(_connection: asyncpg.Connection) -> None:
    """In place of the driver's reset, a round trip: all that a transaction sets ends with it."""
