"""The one connection that listens to what all nodes tell."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import asyncpg

from prosa.adapters.store.postgres.connection import FAILURES, PATIENCE, connect
from prosa.adapters.store.postgres.steps import CHANNEL
from prosa.domain.errors import StoreUnavailable

Heard = Callable[[str, Sequence[str]], None]

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two tries to connect again, doubled from one to the next."""

HEARTBEAT = 30.0
"""Seconds after which a silent connection is asked whether it still lives."""


class Listener:
    """Calls `heard` for each notice; after a gap, of which nobody can say what was missed in it, with
    ("lost", ())."""

    def __init__(self, url: str, heard: Heard) -> None:
        self._url = url
        self._heard = heard
        self._lost = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listens from now on. Raises StoreUnavailable."""
        await self._connect()
        self._keeper = asyncio.create_task(self._keep(), name="prosa-listener")

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connect(self) -> None:
        self._drop()  # else one that was given up too early would go on telling
        connection = await connect(self._url)
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._lost.set())
        self._connection = connection
        try:
            await connection.add_listener(CHANNEL, self._hear)
        except FAILURES as error:
            connection.terminate()
            raise StoreUnavailable from error

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        kind, *ids = payload.split(" ")
        self._heard(kind, ids)

    async def _keep(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT):
                    await self._lost.wait()
            if self._lost.is_set():
                await self._reconnect()
            else:
                await self._beat()

    async def _beat(self) -> None:
        try:
            if self._connection is not None:
                await self._connection.fetchval("SELECT 1", timeout=PATIENCE)
        except FAILURES:
            self._lost.set()

    async def _reconnect(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._connect()
            except StoreUnavailable:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._heard("lost", ())
                return
