"""What a SQLite file has to be, and that a failed open leaves nothing behind."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest
from tests.stores import ANA, Ears, conversation, sqlite_store

from prosa.adapters.store.migrations import HEAD
from prosa.adapters.store.sqlite import store as module
from prosa.adapters.store.sqlite.store import AT_ONCE, SqliteStore
from prosa.adapters.store.sqlite.writer import Writer
from prosa.domain.errors import MisconfiguredError, StoreLocked, StoreUnavailable


@pytest.mark.parametrize("name", [":memory:", "", "."])
async def test_no_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        with pytest.raises(MisconfiguredError, match="must name a file"):
            await SqliteStore(Path(name)).open(Ears())
    assert not os.listdir(tmp_path)  # noqa: PTH208 - a test's own folder


async def test_a_file_of_a_newer_version(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    await store.open(Ears())
    await store.close()
    _say(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
    for _ in range(2):
        with pytest.raises(MisconfiguredError, match="newer Prosa"):
            await store.open(Ears())
    _say(tmp_path, f"UPDATE alembic_version SET version_num = '{HEAD}'")
    await _use(sqlite_store(tmp_path))


async def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "prosa.db").write_bytes(b"no database at all " * 100)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await sqlite_store(tmp_path).open(Ears())
    (tmp_path / "prosa.db").unlink()
    await _use(sqlite_store(tmp_path))


async def test_a_step_that_fails_lets_go_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError

    store = sqlite_store(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(module, "Readers", fails)
        with pytest.raises(StoreUnavailable):
            await store.open(Ears())
    await _use(store)


async def test_one_process_a_file(tmp_path: Path) -> None:
    first = sqlite_store(tmp_path)
    await first.open(Ears())
    with pytest.raises(StoreLocked):
        await sqlite_store(tmp_path).open(Ears())
    await first.of(ANA).conversations.create(conversation(ANA))
    await first.close()


@pytest.mark.hostile(59)
async def test_a_write_during_the_close_is_refused(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    await store.open(Ears())
    create = store.of(ANA).conversations.create
    early = [asyncio.create_task(create(conversation(ANA))) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(store.close())
    refused = 0
    async with asyncio.timeout(5):
        while not closing.done():
            await asyncio.sleep(0)
            for call in (
                store.of(ANA).conversations.create(conversation(ANA)),
                store.of(ANA).conversations.page(1, None),
            ):
                with pytest.raises(StoreUnavailable):
                    await call
                refused += 1
        await asyncio.gather(*early)
    assert refused


async def test_a_closed_writer_takes_no_job(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", None, Ears())
    await asyncio.gather(writer.close(), writer.close())

    def plan():  # type: ignore[no-untyped-def]
        yield from ()

    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(writer.write(plan(), {}), 2)


async def _use(store: SqliteStore) -> None:
    await store.open(Ears())
    await store.of(ANA).conversations.create(conversation(ANA))
    await store.close()


def _say(folder: Path, sql: str) -> None:
    connection = sqlite3.connect(folder / "prosa.db")
    with connection:
        connection.execute(sql)
    connection.close()
