"""Reader threads: each has a connection of its own and sees what was committed when it began."""

import asyncio
import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from prosa.adapters.store.sqlite.connection import Observer, connect, run
from prosa.adapters.store.statement import Plan

THREADS = 2


class Readers:
    def __init__(self, path: Path, observe: Observer | None) -> None:
        self._path = path
        self._observe = observe
        self._here = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._pool = ThreadPoolExecutor(THREADS, "prosa-reader")

    async def read(self, plan: Plan[Any], bound: Mapping[str, Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, plan, bound)

    def close(self) -> None:
        self._pool.shutdown(wait=True)
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _read(self, plan: Plan[Any], bound: Mapping[str, Any]) -> Any:
        connection = getattr(self._here, "connection", None)
        if connection is None:
            connection = self._here.connection = connect(self._path)
            self._open.append(connection)
        connection.execute("BEGIN")
        try:
            return run(connection, plan, bound, self._observe)
        finally:
            connection.execute("ROLLBACK")
