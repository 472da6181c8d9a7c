"""Servers over SQLite and Postgres, with a provider that does as it is told."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Database, Server
from tests.postgres import serve as serve_postgres
from tests.processes import Client, Process, serving
from tests.provider import Provider

Serve = Callable[..., Awaitable[tuple[Process, Client]]]


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider().listening() as listening:
        yield listening


@pytest.fixture
async def serve(tmp_path: Path, provider: Provider) -> AsyncIterator[Serve]:
    """Starts servers, each with a client; all are gone after the test."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> tuple[Process, Client]:
            settings.setdefault("OPENAI_BASE_URL", provider.base)
            process = await stack.enter_async_context(serving(tmp_path, provider.base, **settings))
            return process, await stack.enter_async_context(Client(process.url))

        yield start


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    yield from serve_postgres()


@pytest.fixture(scope="session")
def migrated(postgres_server: Server) -> Database:
    return postgres_server.database().migrate()


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    yield migrated
    migrated.truncate()


def on(database: Database) -> dict[str, str]:
    """The settings of a node on this database."""
    return {"PROSA_DATABASE_URL": database.app, "PROSA_DATABASE_ENGINE_URL": database.engine}
