"""The store on SQLite."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prosa.adapters.rates.memory import MemoryRates
from prosa.adapters.store.operator import OperatorRecords
from prosa.adapters.store.records import Records
from prosa.adapters.store.repositories.access import Access
from prosa.adapters.store.repositories.ages import Ages
from prosa.adapters.store.repositories.alerts import Alerts
from prosa.adapters.store.repositories.engine import EngineRecords
from prosa.adapters.store.repositories.erasures import Erasures
from prosa.adapters.store.repositories.files import KnownFiles
from prosa.adapters.store.repositories.keys import ProviderKeys
from prosa.adapters.store.repositories.rules import KnownLimits
from prosa.adapters.store.shared import Shared
from prosa.adapters.store.sqlite.connection import Observer, truncate
from prosa.adapters.store.sqlite.index import index, merge
from prosa.adapters.store.sqlite.lock import Lock
from prosa.adapters.store.sqlite.readers import Readers
from prosa.adapters.store.sqlite.schema import bring_up, current_revision
from prosa.adapters.store.sqlite.writer import Writer
from prosa.adapters.store.statement import Plan
from prosa.domain.errors import MisconfiguredError, StoreUnavailable
from prosa.domain.load import Load
from prosa.domain.principal import Principal
from prosa.kit.shares import Shares

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 16
"""Plans of one user that are with the threads: with fewer, each commit does less; with more, others wait."""

TRUNCATIONS = 5
"""How often the log is emptied at most: each try waits for readers for some seconds."""

NO_FILE = (
    "PROSA_DATABASE_URL must name a file, as in sqlite:///prosa.db: Prosa keeps what it is told, "
    "so it has no database in memory."
)


class SqliteStore:
    """Serves `ports.store.Store` from one file. `observe` is told of every statement, for tests."""

    def __init__(self, path: Path, observe: Observer | None = None) -> None:
        self._path = path
        self._observe = observe
        self._lock: Lock | None = None
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._shares = Shares(AT_ONCE)
        self.engine = EngineRecords(_Session(self, {}), alone=True)
        self.keys = ProviderKeys(_Session(self, {}))
        self.access = Access(_Session(self, {}))
        self.files = KnownFiles(_Session(self, {}))
        self.rates = MemoryRates()
        self.limits = KnownLimits(_Session(self, {}))
        self.alerts = Alerts(_Session(self, {}))

    def of(self, principal: Principal) -> Records:
        session = _Session(self, {"principal": principal.user_id})
        return Records(Shared(session, self._shares.of(principal.user_id)))

    @property
    def erasures(self) -> Erasures:
        return Erasures(_Session(self, {}), alone=True)

    @property
    def ages(self) -> Ages:
        return Ages(_Session(self, {}), alone=True)

    def operator(self, by: Principal) -> OperatorRecords:
        return OperatorRecords(_Session(self, {}), by)

    async def open(self, heard: Callable[[str, Sequence[str]], None]) -> None:
        if self._path.name == ":memory:" or self._path.is_dir():
            raise MisconfiguredError(NO_FILE)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(self._path)
            await asyncio.to_thread(bring_up, self._path)
            self._writer = Writer(self._path, self._observe, heard)
            self._readers = Readers(self._path, self._observe)
        except (OSError, sqlite3.Error) as error:
            await self.close()
            raise StoreUnavailable from error
        except BaseException:  # also one who gives up on it leaves nothing open
            await self.close()
            raise

    async def index(self, least: int = 1) -> None:
        await index(_Session(self, {}), least)

    async def wipe(self) -> None:
        session = _Session(self, {})
        await index(session, 1)
        await merge(session)
        for _ in range(TRUNCATIONS):
            try:
                if await asyncio.to_thread(truncate, self._path):
                    return
            except sqlite3.Error as error:
                raise StoreUnavailable from error
        raise StoreUnavailable

    def load(self) -> Load:
        return Load() if self._writer is None else Load(waiting=self._writer.waiting)

    async def ping(self) -> None:
        try:
            await asyncio.to_thread(current_revision, self._path)
        except sqlite3.Error as error:
            raise StoreUnavailable from error

    async def close(self) -> None:
        writer, readers, lock = self._writer, self._readers, self._lock
        self._writer = self._readers = self._lock = None  # from now on nobody gets in
        try:
            if writer is not None:
                await writer.close()
            if readers is not None:
                await asyncio.to_thread(readers.close)
        finally:
            if lock is not None:
                lock.close()

    async def _write(self, plan: Callable[[], Plan[T]], bound: Mapping[str, Any]) -> T:
        if self._writer is None:
            raise StoreUnavailable
        try:
            return await self._writer.write(plan, bound)  # type: ignore[no-any-return]
        except sqlite3.Error as error:
            raise StoreUnavailable from error

    async def _read(self, plan: Plan[T], bound: Mapping[str, Any]) -> T:
        if self._readers is None:
            raise StoreUnavailable
        try:
            return await self._readers.read(plan, bound)  # type: ignore[no-any-return]
        except sqlite3.Error as error:
            raise StoreUnavailable from error


class _Session:
    """Binds the principal to every statement of a principal; the engine's binds none."""

    __slots__ = ("_bound", "_store")

    def __init__(self, store: SqliteStore, bound: Mapping[str, Any]) -> None:
        self._store = store
        self._bound = bound

    async def read(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._store._read(plan(*args, **kwargs), self._bound)  # noqa: SLF001 - one thing in two classes

    async def write(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._store._write(partial(plan, *args, **kwargs), self._bound)  # noqa: SLF001 - as above
