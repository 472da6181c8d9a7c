"""What waits for SQLite's one writer is committed as a group, of which none suffers from another."""

import asyncio
import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text, bindparam, insert, select
from tests.stores import Ears

from prosa.adapters.store.sqlite.connection import connect
from prosa.adapters.store.sqlite.writer import Writer
from prosa.adapters.store.statement import Ask, Many, Plan, Statement, Tell
from prosa.domain.errors import ConversationNotFound

_words = Table("words", MetaData(), Column("word", Text, primary_key=True), Column("data", LargeBinary))
_KEEP = Statement(insert(_words).values(word=bindparam("word"), data=bindparam("data")))
_READ = Statement(select(_words.c.word).order_by(_words.c.word))


class Desk:
    """A writer over a table of words, and how often it began a plan of each word."""

    def __init__(self, path: Path, ears: Ears) -> None:
        self._path = path
        self._writer = Writer(path, None, ears)
        self.began: list[str] = []

    async def write(self, plan: Callable[[], Plan[Any]]) -> Any:
        return await self._writer.write(plan, {})

    async def together(self, *plans: Callable[[], Plan[Any]]) -> list[Any]:
        """What came of each: all of them waited while the writer was held up."""
        held, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def holding() -> Plan[None]:
            loop.call_soon_threadsafe(held.set)
            go_on.wait(10)
            yield Ask(_READ)

        first = asyncio.create_task(self.write(holding))
        await held.wait()
        waiting = [asyncio.create_task(self.write(plan)) for plan in plans]
        await asyncio.sleep(0)
        assert self._writer.waiting == len(plans)
        go_on.set()
        await first
        return await asyncio.gather(*waiting, return_exceptions=True)

    def keeps(self, word: str, data: bytes = b"", error: Exception | None = None) -> Callable[[], Plan[str]]:
        """A plan that keeps a word and tells of it, and then fails with `error`, if there is one."""

        def keeping() -> Plan[str]:
            self.began.append(word)
            yield Ask(_KEEP, word=word, data=data)
            yield Tell("word", [word])
            if error is not None:
                raise error
            return word

        return keeping

    def refuses(self, word: str) -> Callable[[], Plan[None]]:
        """A plan that fails once it has looked."""

        def refusing() -> Plan[None]:
            self.began.append(word)
            yield Ask(_READ)
            yield Tell("word", [word])
            raise ConversationNotFound

        return refusing

    async def close(self) -> list[str]:
        """The words that are kept."""
        await self._writer.close()
        connection = connect(self._path)
        rows = connection.execute("SELECT word FROM words ORDER BY word").fetchall()
        connection.close()
        return [row[0] for row in rows]

    def hurry(self) -> None:
        """Lets it not wait for others who have the file."""
        self._writer._connection.execute("PRAGMA busy_timeout = 0")

    def bound(self, pages: int) -> None:
        """Lets the file grow by so many pages, as if the disk were full then."""
        connection = self._writer._connection
        (has,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {has + pages}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    connection = connect(tmp_path / "words.db")
    connection.execute("CREATE TABLE words (word TEXT PRIMARY KEY, data BLOB)")
    connection.close()
    return tmp_path / "words.db"


@contextmanager
def full_disk(path: Path, room: int) -> Iterator[None]:
    """Meanwhile no file can have more bytes than `room` beyond those of the log."""
    most = path.with_name(f"{path.name}-wal").stat().st_size + room
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
async def desk(path: Path, ears: Ears) -> AsyncIterator[Desk]:
    made = Desk(path, ears)
    yield made
    await made.close()


def _told(ears: Ears) -> list[str]:
    return [word for _, words in ears.heard for word in words]


async def test_a_refusal_undoes_nothing_and_nothing_is_done_twice(desk: Desk, ears: Ears) -> None:
    came = await desk.together(desk.keeps("a"), desk.refuses("b"), desk.keeps("c"))
    assert came[0::2] == ["a", "c"]
    assert isinstance(came[1], ConversationNotFound)
    assert desk.began == ["a", "b", "c"]
    assert _told(ears) == ["a", "c"]
    assert await desk.close() == ["a", "c"]


async def test_a_change_that_fails_takes_no_other_with_it(desk: Desk, ears: Ears) -> None:
    came = await desk.together(
        desk.keeps("a"), desk.keeps("b", error=ConversationNotFound()), desk.keeps("a"), desk.keeps("c")
    )
    assert [came[0], came[3]] == ["a", "c"]
    assert isinstance(came[1], ConversationNotFound)
    assert isinstance(came[2], sqlite3.IntegrityError)
    assert desk.began == ["a", "b", "a", "b", "a", "c"], "the first two are run again, by themselves"
    assert _told(ears) == ["a", "c"], "once each"
    assert await desk.close() == ["a", "c"]


async def test_half_a_step_that_fails_is_undone(desk: Desk) -> None:
    def half() -> Plan[None]:
        yield Many(_KEEP, [{"word": word, "data": b""} for word in ("b", "c", "a")])

    came = await desk.together(desk.keeps("a"), half, desk.keeps("d"))
    assert isinstance(came[1], sqlite3.IntegrityError)
    assert await desk.close() == ["a", "d"]


async def test_a_plan_that_mends_its_own_failure_goes_on(desk: Desk) -> None:
    def mending() -> Plan[str]:
        try:
            yield Ask(_KEEP, word="a", data=b"")
        except sqlite3.IntegrityError:
            yield Ask(_KEEP, word="b", data=b"")
        return "b"

    assert await desk.together(desk.keeps("a"), mending) == ["a", "b"]
    assert desk.began == ["a"]
    assert await desk.close() == ["a", "b"]


async def test_what_does_not_fit_on_the_disk_leaves_room_for_what_does(desk: Desk) -> None:
    desk.bound(pages=4)
    came = await desk.together(desk.keeps("a"), desk.keeps("b", data=bytes(100_000)), desk.keeps("c"))
    assert came[0::2] == ["a", "c"]
    assert isinstance(came[1], sqlite3.OperationalError)
    assert await desk.together(desk.keeps("d")) == ["d"]
    assert await desk.close() == ["a", "c", "d"]


async def test_what_only_the_commit_can_not_write_takes_no_other_with_it(desk: Desk, path: Path) -> None:
    """Pages stay in memory until then: a full disk shows at the end, to all of the group."""
    with full_disk(path, room=60_000):
        came = await desk.together(desk.keeps("a"), desk.keeps("b", data=bytes(200_000)), desk.keeps("c"))
    assert came[0::2] == ["a", "c"]
    assert isinstance(came[1], sqlite3.OperationalError)
    assert await desk.close() == ["a", "c"]


async def test_a_file_that_another_has_locked(desk: Desk, path: Path) -> None:
    desk.hurry()
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    came = await asyncio.gather(
        desk.write(desk.keeps("a")), desk.write(desk.keeps("b")), return_exceptions=True
    )
    assert [type(each) for each in came] == [sqlite3.OperationalError] * 2
    assert desk.began == []
    other.close()
    assert await desk.write(desk.keeps("c")) == "c"
