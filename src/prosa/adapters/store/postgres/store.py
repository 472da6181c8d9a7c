"""The store on Postgres."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Integer, literal_column, select

from prosa.adapters.store.migrations import APP, ENGINE
from prosa.adapters.store.operator import OperatorRecords
from prosa.adapters.store.postgres.checks import APP_URL, ENGINE_URL, URLS_WANTED, check
from prosa.adapters.store.postgres.connection import FAILURES, WRONG_URL, connect, literal
from prosa.adapters.store.postgres.listener import Listener
from prosa.adapters.store.postgres.pool import Pool
from prosa.adapters.store.records import Records
from prosa.adapters.store.repositories.access import Access
from prosa.adapters.store.repositories.ages import Ages
from prosa.adapters.store.repositories.alerts import Alerts
from prosa.adapters.store.repositories.engine import EngineRecords
from prosa.adapters.store.repositories.erasures import Erasures
from prosa.adapters.store.repositories.files import KnownFiles
from prosa.adapters.store.repositories.keys import ProviderKeys
from prosa.adapters.store.repositories.rates import StoredRates
from prosa.adapters.store.repositories.rules import KnownLimits
from prosa.adapters.store.shared import Shared
from prosa.adapters.store.statement import Ask, Plan, Statement
from prosa.domain.errors import MisconfiguredError, StoreUnavailable
from prosa.domain.load import Load
from prosa.domain.principal import Principal
from prosa.kit.shares import Shares

P = ParamSpec("P")
T = TypeVar("T")

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_ONE = Statement(select(literal_column("1", Integer)))


class PostgresStore:
    """Serves `ports.store.Store` to any number of processes.

    `url` logs in as the application's role and `engine_url` as the engine's; neither may own the tables.
    `size` and `engine_size` bound the connections of each, and `operator_size` those that operators use as
    the engine's role, so that no long look of theirs holds up the journal; one more looks up who may call,
    which waits for none of these and holds up none, and one listens. One user has half of `size` at most.
    """

    def __init__(
        self,
        url: str,
        engine_url: str | None,
        *,
        size: int = 10,
        engine_size: int = 2,
        operator_size: int = 2,
    ) -> None:
        self._url = url
        self._engine_url = engine_url
        self._app = Pool(url, size)
        self._engine = Pool(engine_url or "", engine_size)
        self._operators = Pool(engine_url or "", operator_size, least=0)
        self._doorkeeper = Pool(engine_url or "", 1, least=0)
        self._listener: Listener | None = None
        self._shares = Shares(max(1, size // 2))
        self.engine = EngineRecords(_Session(self._engine, "", {}), alone=False)
        self.keys = ProviderKeys(_Session(self._engine, "", {}))
        self.access = Access(_Session(self._doorkeeper, "", {}))
        self.files = KnownFiles(_Session(self._engine, "", {}))
        self.rates = StoredRates(_Session(self._app, None, {}))
        self.limits = KnownLimits(_Session(self._engine, "", {}))
        self.alerts = Alerts(_Session(self._engine, "", {}))

    def of(self, principal: Principal) -> Records:
        setting = (
            f"; SELECT set_config('prosa.user_id', {literal(principal.user_id)}, true),"
            f" set_config('prosa.client_id', {literal(principal.client_id)}, true)"
        )
        session = _Session(self._app, setting, {"principal": principal.user_id})
        return Records(Shared(session, self._shares.of(principal.user_id)))

    @property
    def erasures(self) -> Erasures:
        return Erasures(_Session(self._operators, "", {}), alone=False)

    @property
    def ages(self) -> Ages:
        return Ages(_Session(self._operators, "", {}), alone=False)

    def operator(self, by: Principal) -> OperatorRecords:
        return OperatorRecords(_Session(self._operators, "", {}), by)

    async def open(self, heard: Callable[[str, Sequence[str]], None]) -> None:
        if self._engine_url is None:
            raise MisconfiguredError(URLS_WANTED)
        await _inspect(self._url, APP)
        await _inspect(self._engine_url, ENGINE)
        try:
            await self._app.open()
            await self._engine.open()
            await self._operators.open()
            await self._doorkeeper.open()
            self._listener = Listener(self._url, heard)
            await self._listener.open()
        except BaseException:
            await self.close()
            raise

    async def index(self, least: int = 1) -> None:
        """There is nothing to do: each row is in order as it is written."""

    async def wipe(self) -> None:
        """There is nothing to do: autovacuum takes away what nobody sees any more."""

    def load(self) -> Load:
        return Load(connections={"app": self._app.load, "engine": self._engine.load})

    async def ping(self) -> None:
        await self._app.run(_READ, _ping, {})

    async def close(self) -> None:
        listener, self._listener = self._listener, None
        try:
            if listener is not None:
                await listener.close()
        finally:
            pools = (self._app, self._engine, self._operators, self._doorkeeper)
            await asyncio.gather(*(pool.close() for pool in pools))


class _Session:
    """Sets the principal for each transaction of a principal; the engine's sets none. Where the setting is
    None, plans are of one step, which needs no transaction around it."""

    __slots__ = ("_bound", "_pool", "_setting")

    def __init__(self, pool: Pool, setting: str | None, bound: Mapping[str, Any]) -> None:
        self._pool = pool
        self._setting = setting
        self._bound = bound

    async def read(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._pool.run(self._begin(_READ), partial(plan, *args, **kwargs), self._bound)

    async def write(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._pool.run(self._begin(_WRITE), partial(plan, *args, **kwargs), self._bound)

    def _begin(self, mode: str) -> str:
        return "" if self._setting is None else mode + self._setting


def _ping() -> Plan[None]:
    yield Ask(_ONE)


async def _inspect(url: str, group: str) -> None:
    try:
        connection = await connect(url)
    except StoreUnavailable as error:
        if isinstance(error.__cause__, WRONG_URL):
            setting = APP_URL if group == APP else ENGINE_URL
            raise MisconfiguredError(
                f"With the URL of {setting} nobody can log in: {error.__cause__}."
            ) from error
        raise
    try:
        await check(connection, group)
    except FAILURES as error:
        raise StoreUnavailable from error
    finally:
        await connection.close()
