"""After a crash: orphans are ended with what the journal holds, and a slow owner writes nothing more."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.stores import ANA, append, begin, conversation, ending, sqlite_store
from tests.unit.services.conftest import Open
from tests.unit.services.house import House, end_of, events_of, lines_of, soon, text_of, until_text

from prosa.domain.content import plain
from prosa.domain.conversations import MessageStatus
from prosa.domain.ending import Append, Ending
from prosa.domain.errors import ShuttingDown, StoreUnavailable
from prosa.domain.events import Done, Gap, Start, Text, decode, encode, seq_of
from prosa.domain.models import Usage, UsageReport
from prosa.domain.runs import Run, RunStatus
from prosa.domain.time import SECOND, Instant, now
from prosa.domain.timing import Progress
from prosa.ports.store import Store
from prosa.services.runs import engine, journal
from prosa.services.runs.recover import AHEAD, Recovery


async def orphan(folder: Path, *said: str, cancelling: bool = False) -> tuple[Run, list[bytes]]:
    """A run of another boot whose process is gone, with what it had put down."""
    store = sqlite_store(folder)
    await store.open(lambda _kind, _ids: None)
    of, _ = await store.of(ANA).conversations.create(conversation(ANA))
    run = (await begin(store, of)).run
    lines = [encode(Start(run.id, of.id, run.user_message_id, run.message_id), 1)]
    lines += [encode(Text(each), seq) for seq, each in enumerate(said, 2)]
    if said:
        await store.engine.commit(run.owner, [append(run, 1, *lines)], [])
    if cancelling:
        await store.of(ANA).runs.cancel(run.id)
    await store.close()
    return run, lines if said else []


@pytest.mark.hostile(55)
@pytest.mark.parametrize("cancelling", [False, True])
@pytest.mark.parametrize("said", [(), ("So far ", "so good")])
async def test_orphans_are_ended_at_the_start(
    tmp_path: Path, opened: Open, said: tuple[str, ...], cancelling: bool
) -> None:
    run, lines = await orphan(tmp_path, *said, cancelling=cancelling)
    house = await opened()
    ended = await house.run(run)
    assert ended.status is (RunStatus.CANCELLED if cancelling else RunStatus.INCOMPLETE)
    assert ended.reason == ("stopped" if cancelling else "crash")
    answer = await house.answer(run)
    assert (answer.content, answer.status) == ("".join(said), MessageStatus.INCOMPLETE)
    asked = 7 if said else 0  # what nobody knows to have been asked is not billed
    assert house.rows("SELECT estimated, run_id, prompt_tokens FROM ai_usage") == [(1, run.id, asked)]
    house.at_rest(1)
    stored = await lines_of(await house.follow(run))
    start = Start(run.id, run.conversation_id, run.user_message_id, run.message_id)
    whole = lines or [encode(start, 1)]
    assert stored[:-2] == whole


@pytest.mark.hostile(54)
async def test_a_reader_who_saw_more_than_was_stored_is_told_of_the_gap(tmp_path: Path, opened: Open) -> None:
    run, lines = await orphan(tmp_path, "a", "b")
    house = await opened()
    for after in (0, 1, len(lines), len(lines) + 1, len(lines) + 5_000, AHEAD):
        events = await events_of(await house.follow(run, after))
        assert [type(each) for each in events[-2:]] == [Gap, Done]
        assert len(events) == max(0, len(lines) - after) + 2
        assert events[-2] == Gap(run.message_id)
        assert end_of(events).status == "incomplete"
    last = await lines_of(await house.follow(run))
    assert await lines_of(await house.follow(run, seq_of(last[-1]))) == []


async def test_a_conversation_goes_on_after_a_crash(tmp_path: Path, opened: Open) -> None:
    run, _ = await orphan(tmp_path, "half an answer")
    house = await opened()
    of = await house.chat.conversations.get(ANA, run.conversation_id)
    _, reader = await house.send(of, "Again")
    assert text_of(await events_of(reader)) == "You said: Again"
    house.at_rest(2)


class Flaky:
    """A store whose engine's calls fail as often as `failures` says for their names."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failures: dict[str, int] = {}
        self.commits = 0
        self.engine: Any = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def _call(self, name: str, *args: Any) -> Any:
        if self.failures.get(name, 0) > 0:
            self.failures[name] -= 1
            raise StoreUnavailable
        return await getattr(self._store.engine, name)(*args)

    async def commit(
        self, boot: str, appends: Sequence[Append], endings: Sequence[Ending], _boundaries: object = ()
    ) -> set[str]:
        self.commits += 1
        return await self._call("commit", boot, appends, endings)

    async def renew(
        self, boot: str, run_ids: Sequence[str], moment: Instant, until: Instant, news: Sequence[Progress]
    ) -> dict[str, RunStatus]:
        return await self._call("renew", boot, run_ids, moment, until, news)

    async def claim(self, boot: str, moment: Instant, until: Instant) -> list[Run]:
        return await self._call("claim", boot, moment, until)

    async def lines(self, run_id: str) -> list[tuple[int, bytes]]:
        return await self._call("lines", run_id)


@pytest.mark.hostile(59)
@pytest.mark.parametrize("call", ["lines", "commit"])
async def test_an_orphan_that_was_claimed_is_not_forgotten(tmp_path: Path, call: str) -> None:
    run, _ = await orphan(tmp_path, "a")
    store = Flaky(sqlite_store(tmp_path))
    await store.open(lambda _kind, _ids: None)
    recovery = Recovery(store.engine, "next boot")
    store.failures = {call: 2}
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await recovery.run()
    await recovery.run()
    assert (await store.of(ANA).runs.get(run.id)).status is RunStatus.INCOMPLETE
    await recovery.run()
    await store.close()


async def test_one_unreadable_journal_does_not_keep_the_server_from_starting(
    tmp_path: Path, opened: Open
) -> None:
    broken, _ = await orphan(tmp_path, "a")
    connection = sqlite3.connect(tmp_path / "prosa.db")
    connection.execute("UPDATE journal SET data = ?", (b"not a line",))
    connection.commit()
    connection.close()
    whole, _ = await orphan(tmp_path, "b")
    with capture_logs() as logs:
        house = await opened()
    assert (await house.run(whole)).status is RunStatus.INCOMPLETE
    assert (await house.run(broken)).status is RunStatus.IN_PROGRESS
    assert [log["event"] for log in logs] == ["run_not_recovered", "run_recovered"]


# The store fails while runs go on


@pytest.mark.hostile(59)
async def test_a_store_that_fails_for_a_while(
    tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "AGAIN", 0.01)
    store = Flaky(sqlite_store(tmp_path))
    report = UsageReport(Usage(3, 4))
    house = await opened(["a", 0.15, "b", report], store=store)
    of = await house.conversation()
    store.failures = {"commit": 20}
    with capture_logs() as logs:
        runs = [await house.send(of, parent_id=None) for _ in range(5)]
        heard = await asyncio.gather(*(lines_of(reader) for _, reader in runs))
    for (run, _), lines in zip(runs, heard, strict=True):
        assert await lines_of(await house.follow(run)) == lines
        assert (await house.answer(run)).content == "ab"
    assert [log["event"] for log in logs] == ["journal_failing", "journal_recovered"]
    house.at_rest(5)


@pytest.mark.hostile(59)
async def test_a_full_disk(tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite itself refuses to grow: who asks hears it, what goes on waits, and nothing needs a restart."""
    monkeypatch.setattr(journal, "AGAIN", 0.01)
    gate = asyncio.Event()
    house = await opened(["a", gate, "x" * 300_000])
    run, reader = await house.send(await house.conversation())
    other = await house.conversation()
    await until_text(reader)
    writer = house.store._writer._connection
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    gate.set()
    reading = asyncio.ensure_future(lines_of(reader))
    with capture_logs() as logs:
        async with asyncio.timeout(10):
            while not house.engine.failing:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        with pytest.raises(StoreUnavailable):
            await house.send(other, "y" * 30_000)
        assert (await house.run(run)).status is RunStatus.IN_PROGRESS  # reading goes on
        writer.execute("PRAGMA max_page_count = 1000000").fetchall()
        await soon(reading)
    assert len((await house.answer(run)).content) == 300_001
    assert "journal_recovered" in [log["event"] for log in logs]
    _, reader = await house.send(other, "y" * 30_000)
    assert end_of(await events_of(reader)).status == "completed"
    house.at_rest(2)


# Fencing


@pytest.mark.hostile(61)
async def test_a_fenced_owner_writes_nothing_more_and_its_reader_ends(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RENEWAL", 0.05)
    house = await opened(["a", asyncio.Event()])
    run, reader = await house.send(await house.conversation())
    await until_text(reader)
    await house.engine._journal.flush()
    recovery = Recovery(house.store.engine, "another boot")
    await recovery.run()
    rest = await soon(lines_of(reader), 5)
    assert [type(decode(line)) for line in rest] == [Gap, Done]  # from the journal, as the other node has it
    assert all(call.closed.is_set() for call in house.model.calls)
    events = await events_of(await house.follow(run))
    assert [type(each) for each in events] == [Start, Text, Gap, Done]
    assert (await house.run(run)).owner == "another boot"
    await house.engine.settle()
    assert house.engine.running == 0
    house.at_rest(1)


async def test_how_far_a_run_has_got_leaves_its_answer_in_one_part(opened: Open) -> None:
    gate = asyncio.Event()
    house = await opened(["Going ", gate, "on"])
    run, reader = await house.send(await house.conversation())
    await until_text(reader)
    await house.engine._renew()
    gate.set()
    await soon(lines_of(reader), 5)
    answer = await house.answer(run)
    assert answer.content == "Going on"
    assert plain(answer.parts)


@pytest.mark.hostile(61)
async def test_a_slow_owner_that_ends_after_it_was_fenced(opened: Open) -> None:
    gate = asyncio.Event()
    house = await opened(["a", gate, "b", UsageReport(Usage(3, 4))])
    run, reader = await house.send(await house.conversation())
    await until_text(reader)
    await house.engine._journal.flush()
    await Recovery(house.store.engine, "another boot").run()
    gate.set()
    told = [decode(line) for line in await soon(lines_of(reader), 5)]
    assert [type(each) for each in told] == [Text, Gap, Done], "what it said too late is told to be void"
    events = await events_of(await house.follow(run))
    assert [type(each) for each in events] == [Start, Text, Gap, Done]
    assert (await house.answer(run)).content == "a"
    house.at_rest(1)


async def test_whoever_comes_second_ends_nothing(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    await store.open(lambda _kind, _ids: None)
    of, _ = await store.of(ANA).conversations.create(conversation(ANA))
    run = (await begin(store, of)).run
    moment = now()
    (claimed,) = await store.engine.claim("other", moment, Instant(moment + SECOND))
    assert claimed.id == run.id
    assert await store.engine.commit(run.owner, [], [ending(run)]) == set()
    assert await store.engine.commit("other", [], [ending(run)]) == {run.id}
    await store.close()


# Drain


@pytest.mark.hostile(56)
async def test_drain_refuses_the_new_and_lets_the_running_finish(opened: Open) -> None:
    gate = asyncio.Event()
    house = await opened(["a", gate, "b"])
    of = await house.conversation()
    runs = [await house.send(of, parent_id=None) for _ in range(5)]
    for _, reader in runs:
        await until_text(reader)
    draining = asyncio.ensure_future(house.engine.drain(20))
    await asyncio.sleep(0)
    with pytest.raises(ShuttingDown):
        await house.send(of, parent_id=None)
    gate.set()
    await soon(draining, 5)
    assert {end_of(await events_of(reader)).status for _, reader in runs} == {"completed"}
    house.at_rest(5)


@pytest.mark.hostile(56)
async def test_what_does_not_finish_in_time_ends_incomplete(opened: Open) -> None:
    house = await opened(["a", asyncio.Event()])
    of = await house.conversation()
    runs = [await house.send(of, parent_id=None) for _ in range(5)]
    for _, reader in runs:
        await until_text(reader)
    await house.engine.drain(0.05)
    await soon(house.engine.settle(), 2)
    for run, reader in runs:
        done = end_of(await events_of(reader))
        assert (done.status, done.reason) == ("incomplete", "shutdown")
        assert (await house.answer(run)).content == "a"
    house.at_rest(5)


@pytest.mark.hostile(56)
async def test_closing_at_any_moment_leaves_no_open_run(tmp_path: Path) -> None:
    """Also one that was just being begun, or whose task had not had its first step."""
    number = 0
    for turns in (0, 1, 2, 3, 5, 8, 20):
        async with House(tmp_path, [asyncio.Event()]) as house:
            of = await house.conversation()
            starting = [asyncio.ensure_future(house.send(of, parent_id=None)) for _ in range(3)]
            for _ in range(turns):
                await asyncio.sleep(0)
            if turns == 20:
                await asyncio.gather(*starting)
        begun = await asyncio.gather(*starting, return_exceptions=True)
        assert [each for each in begun if not isinstance(each, tuple | ShuttingDown)] == []
        number += sum(isinstance(each, tuple) for each in begun)
        house.at_rest(number)
    assert number >= 3


async def test_a_house_whose_store_fails_for_good_can_be_closed(tmp_path: Path) -> None:
    store = Flaky(sqlite_store(tmp_path))
    house = House(tmp_path, ["a"], store=store)
    with capture_logs():
        async with house:
            of = await house.conversation()
            store.failures = {"commit": 10**9}
            run, reader = await house.send(of)
            await until_text(reader)
    calls = store.commits
    await asyncio.sleep(0)
    assert store.commits == calls
    async with House(tmp_path) as again:
        assert (await again.run(run)).status is RunStatus.INCOMPLETE
        again.at_rest(1)


async def test_a_stop_that_was_missed_is_found_with_the_next_renewal(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RENEWAL", 0.05)
    house = await opened(["a", asyncio.Event()])
    run, reader = await house.send(await house.conversation())
    await until_text(reader)
    await house.store.of(ANA).runs.cancel(run.id)  # as another node would, whose word was lost
    assert end_of(await soon(events_of(reader), 5)).status == "cancelled"


async def test_a_failing_renewal_is_tried_again(
    tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RENEWAL", 0.02)
    store = Flaky(sqlite_store(tmp_path))
    with capture_logs() as logs:
        house = await opened(["a", 0.3, "b"], store=store)
        store.failures = {"renew": 3}
        _, events = await house.turn()
    assert text_of(events) == "ab"
    assert [log["event"] for log in logs] == ["leases_failing"] * 3
    assert store.failures == {"renew": 0}
